//go:build e2e

package docker

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine/conformance"
	"github.com/dockersh/dockersh/internal/engine/docker/api"
)

func TestDockerKeepsTheContract(t *testing.T) {
	conformance.Test(t, subject(testEngine(t)))
}

func TestPodmanKeepsTheContract(t *testing.T) {
	e := open(t, podman(t))
	if err := importImage(e); err != nil {
		t.Fatal(err)
	}
	s := subject(e)
	s.HidesLinks = true
	conformance.Test(t, s)
}

func subject(e *Engine) *conformance.Subject {
	return &conformance.Subject{Engine: e, Image: testImage, Name: own, Pause: func(t *testing.T, id string) {
		t.Helper()
		pauseContainer(t, e, id)
	}}
}

func pauseContainer(t *testing.T, e *Engine, id string) {
	t.Helper()
	cli, err := e.conn.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cli.ContainerPause(t.Context(), id, client.ContainerPauseOptions{}); err != nil {
		t.Fatal(err)
	}
}

// importImage makes testImage.
func importImage(e *Engine) error {
	root, err := busyboxRoot()
	if err != nil {
		return err
	}
	return e.conn.Call(context.Background(), api.CallLimit, func(ctx context.Context, cli *client.Client) error {
		r, err := cli.ImageImport(ctx, client.ImageImportSource{Source: root, SourceName: "-"}, testImage,
			client.ImageImportOptions{Changes: []string{`CMD ["/bin/sh"]`}})
		if err != nil {
			return err
		}
		defer r.Close()
		_, err = io.Copy(io.Discard, r)
		return err
	})
}

// podman starts Podman's service for one test and returns its socket.
func podman(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat("/usr/bin/podman"); err != nil {
		t.Skip("podman is not installed (apt-get install podman)")
	}
	const socket = "/run/podman.sock"
	for path, text := range map[string]string{ // as scripts/engine: no systemd, no packet filter
		"/etc/containers/storage.conf":    fmt.Sprintf("[storage]\ndriver = \"overlay\"\ngraphroot = \"%s/podman\"\nrunroot = \"/run/podman-run\"\n", os.Getenv("APART")),
		"/etc/containers/containers.conf": "[containers]\nnetns = \"none\"\n[engine]\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\nruntime = \"runc\"\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	_ = os.Remove(socket) // of an earlier test
	service := exec.Command("podman", "system", "service", "--time=0", "unix://"+socket)
	service.Stderr = os.Stderr
	if err := service.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = service.Process.Kill(), service.Wait() })
	for range 300 {
		if _, err := os.Stat(socket); err == nil {
			return socket
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("podman does not listen")
	return ""
}
