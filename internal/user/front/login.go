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
	// restartLimit is how long the service may take to restart.
	restartLimit = 5 * time.Second
	// answerLimit is how long the broker may be silent; while it works it sends a
	// Progress every second.
	answerLimit = 60 * time.Second
	// whyLimit is how long the broker may take to answer Why.
	whyLimit = 10 * time.Second
)

var errNoBroker = usererr.New(usererr.Unavailable, "the dockersh service does not answer", usererr.StartService, nil)

// answer is what the broker granted: an agent, or else a shell on the host.
type answer struct {
	broker    channel.Conn
	agent     agentclient.Conn
	ready     *wire.Ready
	hostShell string
}

// notConnected stands for a broker that has yet to be connected to.
const notConnected = -1

// login requests a session from a broker: from the one that is connected already, else
// from the service, or else from one of its own. A service that goes away before it has
// answered is being restarted, and is asked again.
func login(m *wire.Login, show func(line string), broker int) (*answer, error) {
	if broker != notConnected {
		a, _, err := ask(broker, m, show)
		return a, err
	}
	end := time.Now().Add(restartLimit)
	for {
		fd, err := seqpacket.Connect(paths.Socket())
		again := errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ECONNREFUSED) || errors.Is(err, unix.EAGAIN)
		var a *answer
		switch {
		case err == nil:
			a, again, err = ask(fd, m, show)
		case errors.Is(err, unix.ENOENT) && door.ServiceNeverRan():
			if fd, err = door.StartAsUser(); err == nil {
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

// ask takes over a connection to a broker and sends the request. again reports that the
// connection ended without an answer.
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
	c.Within(answerLimit)
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
			c.Within(answerLimit)
		case *wire.ReadFile:
			file := readUserFile(reply.Dir)
			c.Within(answerLimit)
			if err := c.Send(&file); err != nil {
				return nil, false, errNoBroker
			}
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
			return nil, false, usererr.New(usererr.Protocol, "dockersh and its service are of different versions",
				"ask the administrator to run: systemctl restart dockershd", nil)
		}
	}
}

// askWhy asks the broker what happened to the container of a lost session.
func askWhy(broker channel.Conn) string {
	broker.Within(whyLimit)
	if broker.Send(&wire.Why{}) == nil {
		m, fds, err := broker.Recv()
		seqpacket.CloseAll(fds)
		if r, ok := m.(*wire.Reason); err == nil && ok {
			return printable.Text(r.Text)
		}
	}
	return "the container ended" // the broker is gone too
}
