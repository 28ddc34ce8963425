// Package door lets a broker of one session, which a front has started (front/door.c), go on as
// one that has an engine.
package door

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/host/trustedpath"
	"github.com/dockersh/dockersh/internal/proto/usererr"
)

// environ is the environment of the broker, as the front sets it.
var environ = [...]string{"GOMAXPROCS=1"}

// The tasks of a dockershd that continues for a dockershd-session, which has no engine.
const (
	OneShot   = "--one-shot"  // serve the connection on standard input
	Reconcile = "--reconcile" // do what is due for containers that nobody is in
)

// ExecBroker replaces this program with dockershd, which has an engine. execve(2) ends all
// threads first, and would wait for one that hangs: then dockershd is started with this
// program's standard input, and this program must end when ExecBroker returns nil.
func ExecBroker(task string, hangs bool) error {
	path := paths.Broker()
	if err := CheckProgram(path); err != nil {
		return err
	}
	if !hangs {
		return unix.Exec(path, []string{path, task}, environ[:])
	}
	_, err := syscall.ForkExec(path, []string{path, task}, &syscall.ProcAttr{
		Dir: "/", Env: environ[:], Files: []uintptr{0, 1, 2}, Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return startFailed(err)
	}
	_ = unix.Close(0) // the thread would keep it open
	return nil
}

// CheckProgram is trustedpath.Program for a program of ours; the user may read its error.
func CheckProgram(path string) error {
	err := trustedpath.Program(path)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.ENOENT):
		return usererr.New(usererr.Unavailable, "the dockersh service is not installed: there is no "+path, usererr.RunDoctor, err)
	}
	return badInstall(err.Error(), err)
}

func badInstall(what string, cause error) error {
	return usererr.New(usererr.Internal, "dockersh is not installed correctly: "+what, usererr.RunDoctor, cause)
}

func startFailed(err error) error {
	return usererr.New(usererr.Unavailable, "cannot start the dockersh service: "+err.Error(),
		"end some of your processes, or "+usererr.RunDoctor, err)
}
