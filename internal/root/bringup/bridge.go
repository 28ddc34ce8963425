package bringup

import (
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// maxBridges is how many bridges one user may have. Each is a root process with about
// nine threads, and a user needs no more than a connection to have one started.
const maxBridges = 256

// startBridge starts the process that carries the bytes of one session, and returns the
// end of its socket that is for the front. Pass are the descriptors of the task. The
// bridge is not looked after: it goes on without this process, and ends with its front.
func (b *Bringup) startBridge(l Login, task *wire.Bridge, pass ...int) (conn channel.Conn, err error) {
	user := l.Plan.User.UID
	if !b.bridges.TryAcquire(user) {
		return channel.Conn{}, usererr.New(usererr.Busy, "you have too many sessions that are recorded or go over the engine's exec",
			"end some of your sessions", nil)
	}
	started := false
	defer func() {
		if !started {
			b.bridges.Release(user)
		}
	}()
	if l.Plan.Record != "" {
		file, err := b.createRecording(l)
		if err != nil {
			return channel.Conn{}, err
		}
		defer file.Close()
		task.Record, task.Title = true, l.Plan.User.Name+" in "+l.Plan.Container
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
	if l.Plan.Engine().IsCluster() {
		cmd = exec.Command(b.PodBridge[0], b.PodBridge[1:]...)
	}
	cmd.Stdin, cmd.Stderr = theirs, os.Stderr
	cmd.Dir, cmd.Env = "/", []string{}
	// A session of its own, for the terminal that may become its controlling one.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		_ = conn.Close()
		return channel.Conn{}, err
	}
	started = true
	go func() {
		_ = cmd.Wait() // so that it leaves no zombie; it logs its errors itself
		b.bridges.Release(user)
	}()
	if err := conn.Send(task, pass...); err != nil {
		_ = conn.Close()
		return channel.Conn{}, err
	}
	return conn, nil
}
