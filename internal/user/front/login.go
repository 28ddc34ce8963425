package front

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/proto/agentclient"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/door"
)

const (
	// absence is how long a broker that is being restarted is waited for.
	absence = 5 * time.Second
	// silence is how long a broker may say nothing; while it works it says
	// something every second.
	silence = 60 * time.Second
)

var errNoBroker = usererr.New(usererr.Unavailable, "the dockersh service does not answer", usererr.StartService, nil)

// answer is the broker's.
type answer struct {
	broker    channel.Conn
	agent     agentclient.Conn
	ready     *wire.Ready
	hostShell string
}

// noBroker stands for the service's, which has yet to be connected to.
const noBroker = -1

// login asks the broker for a session: the one that is connected already, else the
// service's. A service that goes away before it answered is asked again: it is
// being restarted.
func login(m *wire.Login, show func(line string), broker int) (*answer, error) {
	if broker != noBroker {
		a, _, err := ask(broker, m, show)
		return a, err
	}
	end := time.Now().Add(absence)
	for {
		fd, err := seqpacket.Connect(paths.Socket())
		again := errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ECONNREFUSED) || errors.Is(err, unix.EAGAIN)
		var a *answer
		switch {
		case err == nil:
			a, again, err = ask(fd, m, show)
		case errors.Is(err, unix.ENOENT) && door.NoService():
			if fd, err = door.Direct(); err == nil {
				a, _, err = ask(fd, m, show)
			}
			return a, err
		case again:
			err = errNoBroker
		default:
			err = usererr.New(usererr.Unavailable, errNoBroker.Text+": "+err.Error(), errNoBroker.Hint, err)
		}
		if err == nil || !again || time.Now().After(end) {
			return a, err
		}
		time.Sleep(25 * time.Millisecond)
	}
}

// ask takes over a connection to a broker. again tells that it ended without a
// word.
func ask(fd int, m *wire.Login, show func(string)) (a *answer, again bool, err error) {
	c, err := channel.NewSync(fd)
	if err != nil {
		return nil, false, err
	}
	defer func() {
		if err != nil {
			_ = c.Close()
		}
	}()
	c.Within(silence)
	if err := c.Send(m); err != nil {
		return nil, true, errNoBroker
	}
	for {
		reply, fds, err := c.Recv()
		if channel.IsGone(err) {
			return nil, true, errNoBroker
		}
		if err != nil {
			return nil, false, errNoBroker
		}
		switch reply := reply.(type) {
		case *wire.Progress:
			show(printable.Text(reply.Text))
			c.Within(silence)
		case *wire.Ready:
			agent, err := agentclient.New(fds[0])
			if err != nil {
				return nil, false, err
			}
			_ = c.SetDeadline(time.Time{})
			return &answer{broker: c, agent: agent, ready: reply}, false, nil
		case *wire.HostShell:
			return &answer{broker: c, hostShell: reply.Shell}, false, nil
		case *wire.Error:
			return nil, false, reply.UserError()
		default:
			seqpacket.CloseAll(fds)
			return nil, false, usererr.New(usererr.Protocol, "the dockersh service speaks another version", "ask the administrator to run: systemctl restart dockershd", nil)
		}
	}
}

// why asks the broker what became of the container.
func why(broker channel.Conn) string {
	broker.Within(10 * time.Second)
	if broker.Send(&wire.Why{}) == nil {
		m, fds, err := broker.Recv()
		seqpacket.CloseAll(fds)
		if r, ok := m.(*wire.Reason); err == nil && ok {
			return printable.Text(r.Text)
		}
	}
	return "the container ended" // the broker is gone too
}
