package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A Daemon is a server that the tests start.
type Daemon struct {
	Name  string
	Argv  []string
	Ready func() bool
	Line  string // in its log at each start, once it listens; another process may hold the last one's socket
	Cmd   *exec.Cmd
	done  chan struct{}
}

// Broker is the service behind the service door.
var Broker = &Daemon{
	Name:  "dockershd",
	Argv:  []string{Prefix + "/sbin/dockershd"},
	Ready: func() bool { return listensUnix(RunDir + "/dockershd.sock") },
	Line:  "msg=ready",
}

// Start starts the daemon, with its log in Scratch, and waits until it answers.
func (d *Daemon) Start() error {
	if d == Broker && Door != "service" {
		return errors.New("the service is not this run's door, which is " + Door)
	}
	log, err := os.OpenFile(Scratch+"/"+d.Name+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	before := strings.Count(d.Log(), d.Line)
	d.Cmd = exec.Command(d.Argv[0], d.Argv[1:]...)
	path := "/usr/sbin:/usr/bin:/sbin:/bin"
	if engine := os.Getenv("DOCKERD"); engine != "" { // of scripts/engine
		path = filepath.Dir(engine) + ":" + path
	}
	d.Cmd.Dir, d.Cmd.Env = "/", []string{"PATH=" + path}
	d.Cmd.Stdout, d.Cmd.Stderr = log, log
	d.Cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := d.Cmd.Start(); err != nil {
		return err
	}
	began := func() bool { return d.Line == "" || strings.Count(d.Log(), d.Line) > before }
	d.done = make(chan struct{})
	go func(cmd *exec.Cmd, done chan struct{}) { _ = cmd.Wait(); close(done) }(d.Cmd, d.done)
	if !Within(Limit, func() bool { return began() && d.Ready() }) {
		return fmt.Errorf("%s does not answer", d.Name)
	}
	return nil
}

// Signal sends sig and reports whether the daemon ended.
func (d *Daemon) Signal(sig syscall.Signal) bool {
	if d.Cmd == nil || d.Cmd.Process == nil {
		return true
	}
	_ = d.Cmd.Process.Signal(sig)
	select {
	case <-d.done:
		return true
	case <-time.After(Limit):
		return false
	}
}

// Stop ends the daemon, if it was started.
func (d *Daemon) Stop() { d.Signal(syscall.SIGTERM) }

// Alive reports whether the daemon runs.
func (d *Daemon) Alive() bool {
	select {
	case <-d.done:
		return false
	default:
		return true
	}
}

// Log returns what the daemon has written so far.
func (d *Daemon) Log() string {
	data, _ := os.ReadFile(Scratch + "/" + d.Name + ".log")
	return string(data)
}

// listensUnix reports whether something accepts connections at a socket.
func listensUnix(path string) bool {
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer syscall.Close(fd)
	return syscall.Connect(fd, &syscall.SockaddrUnix{Name: path}) == nil
}
