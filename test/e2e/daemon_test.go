//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// daemon is a process of ours that serves something.
type daemon struct {
	name  string
	argv  []string
	ready func() bool
	cmd   *exec.Cmd
	done  chan struct{}
}

var broker = &daemon{
	name:  "dockershd",
	argv:  []string{prefix + "/sbin/dockershd"},
	ready: func() bool { return dial(runDir + "/dockershd.sock") },
}

// start runs the daemon, its log in scratch, and waits until it answers.
func (d *daemon) start() error {
	if d == broker && door != "service" {
		return errors.New("a service would open another door than " + door)
	}
	log, err := os.OpenFile(scratch+"/"+d.name+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	d.cmd = exec.Command(d.argv[0], d.argv[1:]...)
	d.cmd.Dir, d.cmd.Env = "/", []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	d.cmd.Stdout, d.cmd.Stderr = log, log
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := d.cmd.Start(); err != nil {
		return err
	}
	d.done = make(chan struct{})
	go func(cmd *exec.Cmd, done chan struct{}) { _ = cmd.Wait(); close(done) }(d.cmd, d.done)
	if !within(limit, d.ready) {
		return fmt.Errorf("%s does not answer", d.name)
	}
	return nil
}

// signal sends sig and waits for the end of the daemon.
func (d *daemon) signal(sig syscall.Signal) bool {
	if d.cmd == nil || d.cmd.Process == nil {
		return true
	}
	_ = d.cmd.Process.Signal(sig)
	select {
	case <-d.done:
		return true
	case <-time.After(limit):
		return false
	}
}

func (d *daemon) stop() { d.signal(syscall.SIGTERM) }

// log is what the daemon wrote so far.
func (d *daemon) log() string {
	data, _ := os.ReadFile(scratch + "/" + d.name + ".log")
	return string(data)
}

// dial says whether somebody listens on the socket.
func dial(path string) bool {
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer syscall.Close(fd)
	return syscall.Connect(fd, &syscall.SockaddrUnix{Name: path}) == nil
}
