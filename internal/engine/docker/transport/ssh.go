package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/dockersh/dockersh/internal/host/trustedpath"
	"github.com/dockersh/dockersh/internal/proto/printable"
)

// sshProgram is looked for nowhere else.
const sshProgram = "/usr/bin/ssh"

// target is an engine that is reached as docker does it: the input and output of
// `docker system dial-stdio` on its host are a connection to it.
type target struct{ user, host, port string }

// DialContext starts an ssh that ends with the connection. Keys, known hosts and
// configuration are those of the user who runs this process (root's); ssh asks
// nobody anything. It has the form that HTTP clients want and ignores its arguments.
func (t *Transport) DialContext(context.Context, string, string) (net.Conn, error) {
	if err := trustedpath.Program(sshProgram); err != nil {
		return nil, err
	}
	args := []string{"-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=20", "-o", "ServerAliveInterval=30"}
	if t.target.user != "" {
		args = append(args, "-l", t.target.user)
	}
	if t.target.port != "" {
		args = append(args, "-p", t.target.port)
	}
	cmd := exec.Command(sshProgram, append(args, "--", t.target.host, "docker", "system", "dial-stdio")...)
	c := &sshConn{cmd: cmd}
	cmd.Dir, cmd.Env, cmd.Stderr = "/", t.Environ(), &c.stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no terminal to ask on
	stdin, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	out, stdout, err := os.Pipe()
	if err != nil {
		_, _ = stdin.Close(), in.Close()
		return nil, err
	}
	cmd.Stdin, cmd.Stdout = stdin, stdout
	c.in, c.out = in, out
	err = cmd.Start()
	_, _ = stdin.Close(), stdout.Close()
	if err != nil {
		_, _ = in.Close(), out.Close()
		return nil, err
	}
	return c, nil
}

// sshConn is the input and output of an ssh as a connection.
type sshConn struct {
	cmd     *exec.Cmd
	in, out *os.File
	stderr  Output
	once    sync.Once
	err     error // of ssh; valid after wait
}

func (c *sshConn) Read(p []byte) (int, error) {
	n, err := c.out.Read(p)
	if errors.Is(err, io.EOF) && n == 0 {
		// Its standard error has the reason why nothing comes: no such host, no key.
		if c.wait(); c.err != nil {
			return 0, fmt.Errorf("ssh: %w: %s", c.err, printable.Line(c.stderr.String()))
		}
	}
	return n, err
}

func (c *sshConn) Write(p []byte) (int, error) { return c.in.Write(p) }

// CloseWrite ends what is sent.
func (c *sshConn) CloseWrite() error { return c.in.Close() }

func (c *sshConn) Close() error {
	_, _ = c.in.Close(), c.out.Close()
	_ = c.cmd.Process.Kill()
	go c.wait()
	return nil
}

func (c *sshConn) wait() { c.once.Do(func() { c.err = c.cmd.Wait() }) }

func (c *sshConn) SetReadDeadline(t time.Time) error  { return c.out.SetReadDeadline(t) }
func (c *sshConn) SetWriteDeadline(t time.Time) error { return c.in.SetWriteDeadline(t) }
func (c *sshConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

func (c *sshConn) LocalAddr() net.Addr  { return sshAddr{} }
func (c *sshConn) RemoteAddr() net.Addr { return sshAddr{} }

type sshAddr struct{}

func (sshAddr) Network() string { return "ssh" }
func (sshAddr) String() string  { return "ssh" }

// maxOutput is how many bytes Output keeps.
const maxOutput = 16 << 10

// Output takes everything that a program writes, and keeps the first 16 KiB.
type Output struct{ kept []byte }

func (o *Output) String() string { return string(o.kept) }

func (o *Output) Write(p []byte) (int, error) {
	o.kept = append(o.kept, p[:min(len(p), maxOutput-len(o.kept))]...)
	return len(p), nil
}
