//go:build e2e && bench && kubernetes

package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/url"
	"os/exec"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/remotecommand"

	"github.com/dockersh/dockersh/test/e2e"
)

// TestPodBudgets compares sessions in pods of a whole cluster with exec of client-go in one process
// and with kubectl: WHOLE=PROGRAM go test -tags 'e2e bench kubernetes' -run TestPodBudgets.
func TestPodBudgets(t *testing.T) {
	e2e.Run(t, e2e.Bench)
	if !e2e.InPods() {
		t.Skip("it takes a whole cluster: make bench-kubernetes")
	}
	u := e2e.NewUser(t)
	e2e.CanLogIn(t, u)
	pod := u.Container(t)
	config, err := clientcmd.BuildConfigFromFlags("", string(e2e.Whole)+"/host.kubeconfig")
	if err != nil {
		t.Fatal(err)
	}
	const n = 50e6
	library := func(in io.Reader, argv ...string) func() time.Duration {
		return func() time.Duration { return streamed(t, config, pod, in, argv...) }
	}
	ours := func(in func() io.Reader, command string) func() time.Duration {
		return func() time.Duration {
			cmd := asUser(u, e2e.Front, "-c", command)
			cmd.Stdin = in()
			return timed(t, cmd)
		}
	}
	none := func() io.Reader { return bytes.NewReader(nil) }
	zeros := func() io.Reader { return io.LimitReader(zero{}, n) }
	warm := race(40, ours(none, "true"), library(bytes.NewReader(nil), "/bin/ash", "-c", "true"), func() time.Duration {
		return timed(t, kubectl("exec", "-i", pod, "--", "/bin/ash", "-c", "true"))
	})
	rows := []row{
		costRow("pods: warm dockersh -c true vs client-go's exec in process", warm[0], warm[1], 1.1),
		costRow("pods: warm dockersh -c true vs kubectl exec", warm[0], warm[2], 0.6),
	}
	out := fmt.Sprintf("head -c %d /dev/zero", int(n))
	got := race(9, ours(none, out), library(bytes.NewReader(nil), "/bin/ash", "-c", out))
	rows = append(rows, throughputRow("pods: 50 MB of output, throughput vs client-go's exec", got[0], got[1], 0.9))
	const counts = "[ $(wc -c) = 50000000 ]" // all of it came
	sent := race(9, ours(zeros, counts), func() time.Duration {
		return streamed(t, config, pod, zeros(), "/bin/ash", "-c", counts)
	})
	rows = append(rows, throughputRow("pods: 50 MB of input, throughput vs client-go's exec", sent[0], sent[1], 0.9), firstRow(t, u))
	fmt.Print(table(rows))
	for _, r := range rows {
		if r.verdict() == "FAIL" {
			t.Errorf("%s: %.3f to %.3f, bound %.3f", r.what, r.ratio.low, r.ratio.high, r.bound)
		}
	}
}

// firstRow compares a first login with the making of a pod by kubectl.
func firstRow(t *testing.T, u *e2e.Account) row {
	m := race(7, func() time.Duration {
		u.Discard(t)
		return timed(t, asUser(u, e2e.Front, "-c", "true"))
	}, func() time.Duration {
		defer timed(t, kubectl("delete", "pod", "x", "--now", "--ignore-not-found"))
		start := time.Now()
		timed(t, kubectl("run", "x", "--image=busybox", "--image-pull-policy=IfNotPresent", "--", "/bin/sleep", "1000"))
		timed(t, kubectl("wait", "--for=condition=Ready", "pod/x"))
		return time.Since(start)
	})
	return costRow("pods: first login vs kubectl run and wait", m[0], m[1], 1.25)
}

func kubectl(args ...string) *exec.Cmd {
	return exec.Command("kubectl", append([]string{"--kubeconfig", string(e2e.Whole) + "/admin.kubeconfig", "--namespace", e2e.Namespace}, args...)...)
}

// streamed runs a program in a pod by client-go alone.
func streamed(t *testing.T, config *rest.Config, pod string, in io.Reader, argv ...string) time.Duration {
	t.Helper()
	query := url.Values{"container": {"main"}, "command": argv, "stdin": {"true"}, "stdout": {"true"}, "stderr": {"true"}}
	start := time.Now()
	run, err := remotecommand.NewWebSocketExecutor(config, "GET", config.Host+e2e.PodsAt+pod+"/exec?"+query.Encode())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := run.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: in, Stdout: io.Discard, Stderr: io.Discard}); err != nil {
		t.Fatal(err)
	}
	return time.Since(start)
}

// zero is an endless input.
type zero struct{}

func (zero) Read(p []byte) (int, error) { clear(p); return len(p), nil }
