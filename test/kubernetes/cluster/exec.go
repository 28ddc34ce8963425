package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	crc "k8s.io/apimachinery/pkg/util/remotecommand"
	"k8s.io/client-go/tools/remotecommand"
	streaming "k8s.io/kubelet/pkg/cri/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"
)

// serveExec is the exec of a kubelet: /exec/NAMESPACE/POD/CONTAINER.
func (n *node) serveExec(w http.ResponseWriter, r *http.Request) {
	p := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(p) != 4 || p[0] != "exec" {
		http.NotFound(w, r)
		return
	}
	o, err := streaming.NewOptions(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	streaming.ServeExec(w, r, executor{n, p[1]}, p[2], "", p[3], r.URL.Query()["command"], o, time.Hour, 30*time.Second, crc.SupportedStreamingProtocols)
}

type executor struct {
	n         *node
	namespace string
}

// ExecInContainer runs a program in the namespaces of a container.
func (e executor) ExecInContainer(ctx context.Context, pod string, _ types.UID, container string, argv []string,
	in io.Reader, out, errs io.WriteCloser, tty bool, sizes <-chan remotecommand.TerminalSize, _ time.Duration) error {
	var b *box
	e.n.mu.Lock()
	for _, one := range e.n.running {
		if one.pod.Name == pod && one.pod.Namespace == e.namespace {
			b = one
		}
	}
	e.n.mu.Unlock()
	if b == nil {
		return fmt.Errorf("pod %s is not on the node", pod)
	}
	b.mu.Lock()
	pid := b.pids[container]
	b.mu.Unlock()
	if pid == 0 {
		return fmt.Errorf("container %s of %s does not run", container, pod)
	}
	who := credentialOf(b.pod)
	cmd := exec.CommandContext(ctx, "nsenter", append([]string{"--target", strconv.Itoa(pid), "--mount", "--pid", "--root", "--wd",
		"--setgid", strconv.Itoa(int(who.Gid)), "--setuid", strconv.Itoa(int(who.Uid)), "--"}, argv...)...)
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin"}
	if tty {
		return errors.New("this node has no terminals")
	}
	cmd.Stdout, cmd.Stderr = out, errs
	if in != nil {
		w, err := cmd.StdinPipe()
		if err != nil {
			return err
		}
		go func() { _, _ = io.Copy(w, in); _ = w.Close() }()
	}
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return utilexec.CodeExitError{Err: err, Code: exitCode(exit.ProcessState)}
	}
	return err
}
