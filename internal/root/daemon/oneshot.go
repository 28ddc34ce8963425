package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/root/broker"
	"github.com/dockersh/dockersh/internal/root/door"
)

// serveOne serves the one front at c and ends with its session.
func serveOne(log *slog.Logger, c *seqpacket.Conn, open engine.Opener) error {
	b, end, err := newOwn(log, open)
	if err != nil {
		return err
	}
	defer end()
	return b.ServeOne(c)
}

// tend looks once after what nobody else looks after.
func tend(log *slog.Logger, open engine.Opener) error {
	b, end, err := newOwn(log, open)
	if err != nil {
		return err
	}
	defer end()
	return b.Tend()
}

// newOwn makes a broker of whoever runs it, and gives its end.
func newOwn(log *slog.Logger, open engine.Opener) (*broker.Broker, func(), error) {
	run, err := runDir(os.Geteuid())
	if err != nil {
		return nil, nil, err
	}
	past, end := openHistory(log)
	b, err := newBroker(run, log, past, open)
	if err != nil {
		end()
		return nil, nil, err
	}
	return b, end, nil
}

// askFate has dockershd say what became of a container.
func askFate(ctx context.Context, at engine.Address, container string) string {
	const unknown = "the container ended"
	if door.Trusted(paths.Broker()) != nil {
		return unknown
	}
	cmd := exec.CommandContext(ctx, paths.Broker(), fate, at.Host, at.TLS, container)
	cmd.Dir, cmd.Env = "/", []string{}
	said, err := cmd.Output()
	if err != nil || len(said) == 0 {
		return unknown
	}
	return string(said)
}

// fate is the argument of a dockershd that says what became of a container.
const fate = "--fate"

func tellFate(at engine.Address, container string, open engine.Opener) error {
	e, err := open(at)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), lastWord)
	defer cancel()
	fmt.Print(broker.Fate(ctx, e, container, false)) // streams are not for brokers without an engine
	return nil
}

// runDir is where a broker of uid keeps what it knows of containers: root's own
// place, or one that is the user's alone until the next boot.
func runDir(uid int) (string, error) {
	if uid == 0 {
		return paths.Run, nil
	}
	id := strconv.Itoa(uid)
	if base := filepath.Join("/run/user", id); ownDir(base, uid) == nil {
		return filepath.Join(base, "dockersh"), nil
	}
	dir := filepath.Join("/tmp", "dockersh-"+id)
	if err := unix.Mkdir(dir, 0o700); err != nil && err != unix.EEXIST {
		return "", err
	}
	return dir, ownDir(dir, uid)
}

// ownDir refuses what is no directory of uid's, or not his alone: in /tmp anyone
// may have been there first.
func ownDir(dir string, uid int) error {
	var st unix.Stat_t
	if err := unix.Lstat(dir, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR || int(st.Uid) != uid || st.Mode&0o077 != 0 {
		return fmt.Errorf("%s is not a directory of user %d alone", dir, uid)
	}
	return nil
}
