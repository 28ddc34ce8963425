//go:build e2e && kubernetes

package kubernetes

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

// loginHost is a host that users log in to: a broker and an sshd with a run-time directory and an inventory
// of their own. The first is that of all tests. Another one is a mount namespace, with accounts,
// settings and homes of the first.
type loginHost struct {
	port   string
	broker *e2e.Daemon
	sshd   *e2e.Daemon

	holder *exec.Cmd // keeps the namespace of another one
}

var first = &loginHost{port: e2e.Port, broker: e2e.Broker, sshd: e2e.SSHD}

const secondPort = "2223"

// inPlace runs in the namespace of another host, and keeps it.
const inPlace = `set -e
for dir in ` + e2e.RunDir + ` /var/lib/dockersh /var/log/dockersh; do mkdir -p $dir; mount -t tmpfs -o mode=755 none $dir; done
chmod 700 /var/log/dockersh /var/lib/dockersh
echo ready
exec sleep infinity`

// secondHost starts another login host, which lives until the test ends.
func secondHost(t *testing.T) *loginHost {
	t.Helper()
	h := &loginHost{port: secondPort}
	config, err := os.ReadFile(e2e.Scratch + "/sshd_config")
	if err != nil {
		t.Fatal(err)
	}
	config = bytes.Replace(config, []byte("Port "+e2e.Port), []byte("Port "+secondPort), 1)
	if err := os.WriteFile(e2e.Scratch+"/sshd2_config", config, 0o600); err != nil {
		t.Fatal(err)
	}
	h.start(t)
	t.Cleanup(h.kill)
	return h
}

// start starts another host.
func (h *loginHost) start(t *testing.T) {
	t.Helper()
	h.holder = exec.Command("unshare", "--mount", "--propagation", "private", "sh", "-c", inPlace)
	out, err := h.holder.StdoutPipe()
	if err == nil {
		err = h.holder.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 6)); err != nil {
		t.Fatalf("another host does not start: %v", err)
	}
	enter := []string{"/usr/bin/nsenter", fmt.Sprintf("--mount=/proc/%d/ns/mnt", h.holder.Process.Pid)}
	h.broker = &e2e.Daemon{Name: "dockershd2", Argv: append(slices.Clone(enter), e2e.Broker.Argv...), Line: "msg=ready",
		Ready: func() bool { return true }}
	h.sshd = &e2e.Daemon{Name: "sshd2", Argv: append(slices.Clone(enter), "/usr/sbin/sshd", "-D", "-e", "-f", e2e.Scratch+"/sshd2_config"),
		Ready: func() bool { return e2e.Listens("127.0.0.1:" + secondPort) }}
	for _, d := range []*e2e.Daemon{h.broker, h.sshd} {
		if err := d.Start(); err != nil {
			t.Fatal(err)
		}
	}
}

// kill kills all that runs on another host, as when its power is cut.
func (h *loginHost) kill() {
	if h.holder == nil {
		return
	}
	space, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/mnt", h.holder.Process.Pid))
	if err != nil {
		return // killed already
	}
	e2e.Within(e2e.Limit, func() bool { // some may be starting others
		left := false
		all, _ := filepath.Glob("/proc/[0-9]*/ns/mnt")
		for _, link := range all {
			if in, err := os.Readlink(link); err == nil && in == space {
				left = true
				var pid int
				if _, err := fmt.Sscanf(link, "/proc/%d/", &pid); err == nil && pid != h.holder.Process.Pid {
					_ = syscall.Kill(pid, syscall.SIGKILL)
				}
			}
		}
		_ = h.holder.Process.Kill()
		_, _ = h.holder.Process.Wait()
		return !left
	})
	h.holder = nil
}

// argv is a command line of a login through the host.
func (h *loginHost) argv(u *e2e.Account, command string) []string {
	argv := e2e.SSHArgv(u, "127.0.0.1", command)
	if i := slices.Index(argv, "-p"); i >= 0 {
		argv[i+1] = h.port
	}
	return argv
}

// ssh runs a command through the host.
func (h *loginHost) ssh(u *e2e.Account, command string) (e2e.Result, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 4*e2e.Limit)
	defer cancel()
	argv := h.argv(u, command)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	r := e2e.Result{Stdout: out.String(), Stderr: errs.String(), Status: cmd.ProcessState.ExitCode()}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = ctx.Err()
	}
	return r, err
}

// opened is a session that lasts.
type opened struct {
	host *loginHost
	cmd  *exec.Cmd
	in   io.Closer
	over chan struct{} // closed at its end
	pod  string        // which pod it is in: the first session in one gives it a name
}

// open begins a session that lasts until end or cut.
func (h *loginHost) open(u *e2e.Account) (*opened, error) {
	name := rand.Text()
	argv := h.argv(u, "echo "+name+" >/tmp/"+name+"; ln /tmp/"+name+" /tmp/pod 2>/dev/null; cat /tmp/pod; cat")
	o := &opened{host: h, cmd: exec.Command(argv[0], argv[1:]...), over: make(chan struct{})}
	var errs bytes.Buffer
	o.cmd.Stderr = &errs
	in, err := o.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	o.in = in
	out, err := o.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := o.cmd.Start(); err != nil {
		return nil, err
	}
	limit := time.AfterFunc(4*e2e.Limit, func() { _ = o.cmd.Process.Kill() })
	o.pod, err = bufio.NewReader(out).ReadString('\n')
	limit.Stop()
	if err != nil {
		_ = o.cmd.Wait()
		return nil, fmt.Errorf("no session: %w: %s", err, errs.String())
	}
	go func() { _ = o.cmd.Wait(); close(o.over) }()
	return o, nil
}

// isOver reports whether a session has ended.
func (o *opened) isOver() bool {
	select {
	case <-o.over:
		return true
	default:
		return false
	}
}

// end ends a session by the end of its input, and returns its exit code.
func (o *opened) end() int {
	_ = o.in.Close()
	<-o.over
	return o.cmd.ProcessState.ExitCode()
}

// cut kills the client.
func (o *opened) cut() {
	_ = o.cmd.Process.Kill()
	<-o.over
}
