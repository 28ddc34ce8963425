package docker

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/dockersh/dockersh/internal/proto/printable"
)

// sshProgram is looked for nowhere else.
const sshProgram = "/usr/bin/ssh"

// dial starts an ssh that ends with the connection. Keys, known hosts and
// configuration are those of who runs us (root's); nobody is asked anything.
func (s *overSSH) dial() (net.Conn, error) {
	if err := trusted(sshProgram); err != nil {
		return nil, err
	}
	args := []string{"-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=20", "-o", "ServerAliveInterval=30"}
	if s.user != "" {
		args = append(args, "-l", s.user)
	}
	if s.port != "" {
		args = append(args, "-p", s.port)
	}
	cmd := exec.Command(sshProgram, append(args, "--", s.host, "docker", "system", "dial-stdio")...)
	c := &sshConn{cmd: cmd}
	cmd.Dir, cmd.Env, cmd.Stderr = "/", s.environ(), &c.words
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no terminal to ask on
	in, theirIn, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	theirOut, out, err := os.Pipe()
	if err != nil {
		_, _ = in.Close(), theirIn.Close()
		return nil, err
	}
	cmd.Stdin, cmd.Stdout = in, out
	c.in, c.out = theirIn, theirOut
	err = cmd.Start()
	_, _ = in.Close(), out.Close()
	if err != nil {
		_, _ = theirIn.Close(), theirOut.Close()
		return nil, err
	}
	return c, nil
}

// sshConn is the input and output of an ssh as a connection.
type sshConn struct {
	cmd   *exec.Cmd
	in    *os.File
	out   *os.File
	words capped
	once  sync.Once
	err   error // of ssh; valid once it was waited for
}

func (c *sshConn) Read(p []byte) (int, error) {
	n, err := c.out.Read(p)
	if errors.Is(err, io.EOF) && n == 0 {
		// Its words say why there is nothing: no such host, no key.
		if c.wait(); c.err != nil {
			return 0, fmt.Errorf("ssh: %w: %s", c.err, printable.Line(c.words.String()))
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
