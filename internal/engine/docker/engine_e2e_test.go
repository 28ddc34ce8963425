//go:build e2e

package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/docker/api"
)

const testSocket = "/var/run/docker.sock"

// own begins the names of all that one run makes.
var own = "dshtest-eng-" + strings.ToLower(rand.Text()[:8])

// testImage is a busybox that comes from no registry.
var testImage = own + ":latest"

func TestMain(m *testing.M) {
	code, err := withImage(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func withImage(m *testing.M) (code int, err error) {
	opened, err := Open(engine.Address{Host: testSocket})
	if err != nil {
		return 1, err
	}
	e := opened.(*Engine)
	if err := importImage(e); err != nil {
		return 1, fmt.Errorf("these tests want a running engine: %w", err)
	}
	defer func() {
		rerr := e.conn.Call(context.Background(), api.CallLimit, func(ctx context.Context, cli *client.Client) error {
			_, err := cli.ImageRemove(ctx, testImage, client.ImageRemoveOptions{Force: true})
			return err
		})
		if err == nil {
			err = rerr
		}
		_ = e.Close()
	}()
	return m.Run(), nil
}

// busyboxRoot returns the file system of the image: busybox, and links and files to
// read.
func busyboxRoot() (io.Reader, error) {
	busybox, err := os.ReadFile("/bin/busybox")
	if err != nil {
		return nil, fmt.Errorf("these tests want Debian's busybox-static: %w", err)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range []struct {
		tar.Header
		data []byte
	}{
		{Header: tar.Header{Name: "bin/busybox", Mode: 0o755}, data: busybox},
		{Header: tar.Header{Name: "bin/sh", Typeflag: tar.TypeSymlink, Linkname: "busybox"}},
		{Header: tar.Header{Name: "bin/sleep", Typeflag: tar.TypeSymlink, Linkname: "busybox"}},
		{Header: tar.Header{Name: "etc/passwd", Typeflag: tar.TypeSymlink, Linkname: "../lib/./sub/passwd"}},
		{Header: tar.Header{Name: "lib/sub", Typeflag: tar.TypeSymlink, Linkname: "/usr/share"}},
		{Header: tar.Header{Name: "usr/share/passwd", Mode: 0o644}, data: []byte("root:x:0:0::/:/bin/sh\n")},
		{Header: tar.Header{Name: "etc/up", Typeflag: tar.TypeSymlink, Linkname: "../../../../etc/hostname"}},
		{Header: tar.Header{Name: "etc/loop", Typeflag: tar.TypeSymlink, Linkname: "/etc/loop"}},
		{Header: tar.Header{Name: "data/", Typeflag: tar.TypeDir, Mode: 0o755}},
		{Header: tar.Header{Name: "way", Typeflag: tar.TypeSymlink, Linkname: "data"}},
		{Header: tar.Header{Name: "etc/dangling", Typeflag: tar.TypeSymlink, Linkname: "/nothing"}},
		{Header: tar.Header{Name: "etc/big", Mode: 0o644}, data: make([]byte, 1<<20+1)},
		{Header: tar.Header{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777}},
		{Header: tar.Header{Name: "opt/", Typeflag: tar.TypeDir, Mode: 0o750, Uid: 7, Gid: 8}},
	} {
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		h.Size = int64(len(h.data))
		if err := w.WriteHeader(&h.Header); err != nil {
			return nil, err
		}
		if _, err := w.Write(h.data); err != nil {
			return nil, err
		}
	}
	return &b, w.Close()
}

func testEngine(t *testing.T) *Engine {
	t.Helper()
	return open(t, testSocket)
}

// spec describes a container of this test that sleeps.
func spec(t *testing.T) engine.Spec {
	t.Helper()
	name := own + "-" + strings.ToLower(rand.Text()[:6])
	return engine.Spec{
		Name: name, Image: testImage, UID: 1000, GID: 1001, Groups: []uint32{27},
		Labels:     map[string]string{engine.LabelOwner: "1000", engine.LabelUser: "a=b c"},
		Entrypoint: "/bin/sleep", Cmd: []string{"600"}, Network: "none", QuietLog: true,
	}
}

// made creates a container, which is removed when the test ends.
func made(t *testing.T, e *Engine, s engine.Spec) string {
	t.Helper()
	c, err := e.Create(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Remove(context.Background(), c.ID) })
	return c.ID
}

// nothingLeft checks that there are as many containers of this run as before.
func nothingLeft(t *testing.T, e *Engine, before int) {
	t.Helper()
	if after := howMany(t, e); after != before {
		t.Errorf("%d containers before, %d after", before, after)
	}
}

// howMany counts the containers of this run's image, of whatever name.
func howMany(t *testing.T, e *Engine) int {
	t.Helper()
	image, err := e.ImageID(context.Background(), testImage)
	if err != nil {
		t.Fatal(err)
	}
	all, err := e.list(context.Background(), engine.LabelCreate, false)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, c := range all {
		if c.ImageID == image {
			n++
		}
	}
	return n
}

// inside runs a shell script in a running container and returns what it wrote.
func inside(t *testing.T, e *Engine, id, script string) string {
	t.Helper()
	if err := e.Exec(t.Context(), id, engine.As{}, []string{"/bin/sh", "-c", "(" + script + ") >/tmp/out 2>&1; mv /tmp/out /tmp/done"}); err != nil {
		t.Fatal(err)
	}
	root := fmt.Sprintf("/proc/%d/root", pidOf(t, e, id))
	for range 100 {
		if b, err := os.ReadFile(filepath.Join(root, "tmp/done")); err == nil {
			_ = os.Remove(filepath.Join(root, "tmp/done"))
			return string(b)
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("the script did not end within 2 s")
	return ""
}

func pidOf(t *testing.T, e *Engine, id string) int {
	t.Helper()
	r, err := e.conn.Inspect(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return r.State.Pid
}
