package broker

import (
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// meet gives the agent of a container that runs, as warm does. Where the session is
// recorded a bridge stands before it.
func (b *Broker) meet(f *front, plan *policy.Plan) (channel.Conn, error) {
	agent, err := b.warm(plan)
	if err != nil || plan.Record == "" {
		return agent, err
	}
	defer agent.Close()
	u := plan.User
	return b.bridge(f, plan, &wire.Bridge{Container: plan.Container, UID: u.UID, GID: u.GID, User: u.Name, Agent: true}, agent.Fd())
}

// bridge starts the process that carries one session whose bytes must pass through
// a program of ours, and gives the end of its socket that is for the front. It is no
// child to be looked after: it goes on without us, and ends with its front.
func (b *Broker) bridge(f *front, plan *policy.Plan, task *wire.Bridge, pass ...int) (conn channel.Conn, err error) {
	if plan.Record != "" {
		file, err := b.record(f, plan)
		if err != nil {
			return channel.Conn{}, err
		}
		defer file.Close()
		task.Record, task.Title = true, plan.User.Name+" in "+plan.Container
		pass = append(pass, int(file.Fd()))
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return channel.Conn{}, err
	}
	theirs := os.NewFile(uintptr(pair[1]), "socket")
	defer theirs.Close()
	if conn, err = channel.NewSync(pair[0]); err != nil {
		return channel.Conn{}, err
	}
	cmd := exec.Command(b.Bridge)
	cmd.Stdin, cmd.Stderr = theirs, os.Stderr
	cmd.Dir, cmd.Env = "/", []string{}
	// A session of its own, for the terminal that may become its controlling one.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		_ = conn.Close()
		return channel.Conn{}, err
	}
	go func() { _ = cmd.Wait() }() // so that it leaves no zombie; it says itself what is wrong
	if err := conn.Send(task, pass...); err != nil {
		_ = conn.Close()
		return channel.Conn{}, err
	}
	return conn, nil
}
