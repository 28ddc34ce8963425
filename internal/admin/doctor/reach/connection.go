package reach

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/admin/doctor/checks"
	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
	"github.com/dockersh/dockersh/internal/admin/doctor/programs"
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/wait"
)

// ConnectionID is the finding about the forwards of a connection.
const ConnectionID = "connection"

// connectionLimit bounds a connection, whose container runs already.
const connectionLimit = 30 * time.Second

// anyPort is where its listeners are.
const anyPort = "127.0.0.1:0"

// Connect makes a real connection of ssh for a user whose forwards are to be in a container,
// and tries them: a listener on the host's loopback must not be reached, one in the container
// must. It has a key of its own, and an sshd that serves this one connection, with the host's
// configuration and PAM stack.
func Connect(ctx context.Context, h *facts.Host, u *facts.User, open engine.Opener) *checks.Finding {
	ctx, cancel := context.WithTimeout(ctx, connectionLimit)
	defer cancel()
	failed := func(err error) *checks.Finding {
		return &checks.Finding{ID: ConnectionID, Severity: checks.Error, Users: []string{u.Name}, Text: err.Error(), Why: "pam_dockersh(8)"}
	}
	untried := func(err error) *checks.Finding {
		f := failed(fmt.Errorf("the forwards of a connection of ssh cannot be tried: %w", err))
		f.Severity = checks.Warning
		return f
	}
	dir, err := os.MkdirTemp("/run", "dockersh-doctor-")
	if err != nil {
		return untried(err)
	}
	defer os.RemoveAll(dir)
	c := connection{h: h, u: u, dir: dir}
	onHost, err := greet(nil, anyPort)
	if err != nil {
		return untried(err)
	}
	defer onHost.Close()
	container, err := networkOfUser(ctx, u, open)
	if err != nil {
		return untried(err)
	}
	defer container.Close()
	inside, err := greet(container, anyPort)
	if err != nil {
		return untried(err)
	}
	defer inside.Close()
	end, err := c.start(ctx, onHost, inside)
	if err != nil {
		return untried(err)
	}
	defer end()
	switch {
	case reaches(ctx, c.toHost):
		return failed(errors.New("a connection of ssh reaches what listens on the host's loopback (-L)"))
	case !reaches(ctx, c.toInside):
		return failed(errors.New("a connection of ssh does not reach what listens in the container (-L): the system log says why"))
	}
	return nil
}

// MayConnect reports whether what sshd forwards for a user is to be in a container, which is
// known beforehand.
func MayConnect(h *facts.Host, u *facts.User) bool {
	return u.Joined(h) && h.Served && u.Joins && u.ByAddress == "" && u.ByKey == "" &&
		!u.SSHD.On("disableforwarding") && slices.Contains([]string{"yes", "all", "local"}, u.SSHD.Get("allowtcpforwarding"))
}

// connection is one connection and its files.
type connection struct {
	h                *facts.Host
	u                *facts.User
	dir              string
	toHost, toInside string // addresses that the client forwards
}

// start starts a client without a session, waits until it is authenticated, and returns the
// function that ends it.
func (c *connection) start(ctx context.Context, onHost, inside net.Listener) (end func(), err error) {
	key := filepath.Join(c.dir, "key")
	if _, err := programs.Output(ctx, "/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key); err != nil {
		return nil, err
	}
	// sshd reads it with the user's rights.
	if err := errors.Join(os.Chmod(c.dir, 0o755), os.Chmod(key+".pub", 0o644)); err != nil {
		return nil, err
	}
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go c.serve(server, key+".pub")
	port := func(l net.Listener) string { return strconv.Itoa(l.Addr().(*net.TCPAddr).Port) }
	var forwards []string
	for to, l := range map[*string]net.Listener{&c.toHost: onHost, &c.toInside: inside} {
		socket := filepath.Join(c.dir, port(l)) // the client's end: nobody else connects to it
		*to = socket
		forwards = append(forwards, "-L", socket+":127.0.0.1:"+port(l))
	}
	argv := append([]string{"-F", "none", "-N", "-p", port(server), "-i", key, "-l", c.u.Name,
		"-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
		"-o", "LogLevel=ERROR", "-o", "ExitOnForwardFailure=yes"}, forwards...)
	cmd := exec.CommandContext(ctx, "/usr/bin/ssh", append(argv, "127.0.0.1")...)
	errs := programs.Capped{End: func() {}}
	cmd.Dir, cmd.Env, cmd.Stderr, cmd.WaitDelay = "/", []string{}, &errs, time.Second
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	end = func() { _ = cmd.Process.Kill(); <-ended }
	for ctx.Err() == nil {
		if _, err := os.Stat(c.toHost); err == nil {
			if _, err := os.Stat(c.toInside); err == nil {
				return end, nil
			}
		}
		select {
		case <-ended:
			return nil, errors.New(strings.TrimSpace(errs.String()))
		case <-time.After(20 * time.Millisecond):
		}
	}
	end()
	return nil, ctx.Err()
}

// serve has an sshd serve one connection, with the host's configuration.
func (c *connection) serve(server net.Listener, keys string) {
	defer server.Close()
	_ = server.(*net.TCPListener).SetDeadline(time.Now().Add(connectionLimit))
	conn, err := server.Accept()
	if err != nil {
		return
	}
	defer conn.Close()
	f, err := conn.(*net.TCPConn).File()
	if err != nil {
		return
	}
	defer f.Close()
	_ = unix.SetNonblock(int(f.Fd()), false)
	cmd := exec.Command(c.h.SSHD, "-i", "-o", "AuthorizedKeysFile="+keys, "-o", "AuthorizedKeysCommand=none",
		"-o", "AuthenticationMethods=publickey", "-o", "PubkeyAuthentication=yes")
	cmd.Dir, cmd.Env, cmd.Stdin, cmd.Stdout = "/", []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, f, f
	_ = cmd.Run()
}

// reaches reports whether a forwarded socket leads to one of our listeners.
func reaches(ctx context.Context, socket string) bool {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return false
	}
	defer conn.Close()
	var text []byte
	return wait.Until(ctx, func() {
		_ = conn.SetDeadline(time.Now().Add(connectionLimit))
		text, _ = io.ReadAll(io.LimitReader(conn, int64(len(greeting))))
	}) && string(text) == greeting
}
