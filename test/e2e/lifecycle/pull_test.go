//go:build e2e

package lifecycle

import (
	"crypto/rand"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

// registry is a real registry on the loopback interface, behind a line of limited speed.
type registry struct {
	direct, slow string       // host:port
	speed        atomic.Int64 // bytes per second; 0: the line is cut
}

func newRegistry(t *testing.T) *registry {
	t.Helper()
	program, err := exec.LookPath("docker-registry")
	if err != nil {
		t.Fatal(err)
	}
	r := &registry{direct: freePort(t)}
	dir := t.TempDir()
	config := filepath.Join(dir, "config.yml")
	text := "version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: " + dir + "}}\nhttp: {addr: " + r.direct + "}\n"
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "serve", config)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	e2e.Eventually(t, "the registry listens", func() bool { return e2e.Listens(r.direct) })
	line, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { line.Close() })
	r.slow = line.Addr().String()
	r.speed.Store(1 << 30)
	go func() {
		for {
			c, err := line.Accept()
			if err != nil {
				return
			}
			go r.carry(c)
		}
	}()
	return r
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (r *registry) carry(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", r.direct)
	if err != nil {
		return
	}
	defer server.Close()
	go func() { _, _ = io.Copy(server, client); server.Close() }()
	buf := make([]byte, 64<<10)
	for {
		n, err := server.Read(buf)
		speed := r.speed.Load()
		if n == 0 || err != nil || speed == 0 {
			return
		}
		time.Sleep(time.Duration(n) * time.Second / time.Duration(speed))
		if _, err := client.Write(buf[:n]); err != nil {
			return
		}
	}
}

// offer puts an image with busybox and that many random bytes into the registry, and
// returns its name. The host does not have it.
func (r *registry) offer(t *testing.T, name, mark string, size int64) string {
	t.Helper()
	dir := t.TempDir()
	e2e.OnHost(t, "tar", "-xf", os.Getenv("REPO")+"/build/images/busybox.tar", "-C", dir)
	f, err := os.Create(dir + "/random")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.CopyN(f, rand.Reader, size); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/mark", []byte(mark+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	tag := r.direct + "/" + name
	e2e.OnHost(t, "sh", "-c", `tar -C "$0" -c . | docker import - "$1"`, dir, tag)
	e2e.OnHost(t, "docker", "push", "-q", tag)
	e2e.OnHost(t, "docker", "rmi", tag)
	t.Cleanup(func() { _ = e2e.TryDocker("rmi", "-f", r.slow+"/"+name) })
	return r.slow + "/" + name
}

func TestPullShowsProgressOnATerminalOnly(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	r := newRegistry(t)
	r.speed.Store(4 << 20)
	u := e2e.NewUser(t, "imagename = "+r.offer(t, "slow:1", "first", 16<<20))
	c := e2e.SSHConsole(t, u)
	c.Expect(`pulling \S+/slow:1: [0-9.]+ of [0-9.]+ MB`)
	c.FirstPrompt()
	if got := c.Run("cat /mark"); got != "first" {
		t.Errorf("%q", got)
	}
	if strings.Contains(c.Shown(), "error") {
		t.Errorf("%q", c.Shown())
	}

	r.speed.Store(1 << 30)
	u = e2e.NewUser(t, "imagename = "+r.offer(t, "plain:1", "second", 1<<20))
	e2e.SSH(t, u, "cat /mark; exit 3").Want(t, "second\n", "", 3)
}

func TestManyLoginsWaitForOnePull(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	r := newRegistry(t)
	r.speed.Store(8 << 20)
	image := r.offer(t, "shared:1", "same", 8<<20)
	var all []<-chan e2e.Result
	for range 5 {
		u := e2e.NewUser(t, "imagename = "+image)
		got := make(chan e2e.Result, 1)
		go func() { got <- e2e.SSH(t, u, "cat /mark") }()
		all = append(all, got)
	}
	for _, got := range all {
		(<-got).Want(t, "same\n", "", 0)
	}
}

func TestPullAlwaysTakesWhatTheRegistryHasNow(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	r := newRegistry(t)
	image := r.offer(t, "daily:1", "monday", 1<<10)
	u := e2e.NewUser(t, "imagename = "+image, "pull = always", "containername = %u-%x", "ephemeral")
	e2e.SSH(t, u, "cat /mark").Want(t, "monday\n", "", 0)
	r.offer(t, "daily:1", "tuesday", 1<<10)
	e2e.SSH(t, u, "cat /mark").Want(t, "tuesday\n", "", 0)
	// The image that the host has is better than none.
	r.speed.Store(0)
	e2e.SSH(t, u, "cat /mark").Want(t, "tuesday\n", "dockersh: the image "+image+" cannot be pulled now, so the one that is here is used\n", 0)
	if err := u.Set("imagename = "+image, "pull = missing", "containername = %u-%x", "ephemeral"); err != nil {
		t.Fatal(err)
	}
	e2e.SSH(t, u, "cat /mark").Want(t, "tuesday\n", "", 0)
}

func TestPullIsCancelledWithItsLoginAndTriedAgainByTheNext(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	r := newRegistry(t)
	r.speed.Store(1 << 20)
	image := r.offer(t, "left:1", "whole", 8<<20)
	u := e2e.NewUser(t, "imagename = "+image)
	c := e2e.SSHConsole(t, u)
	c.Expect(`pulling \S+/left:1: [0-9.]+ of [0-9.]+ MB`)
	_ = c.Cmd.Process.Kill()
	e2e.Eventually(t, "no session entry is left", func() bool {
		records, _ := filepath.Glob(e2e.RunDir + "/s/*." + u.Name + "_*")
		return len(records) == 0
	})
	if exec.Command("docker", "image", "inspect", image).Run() == nil || len(u.Containers(t)) != 0 {
		t.Errorf("the image was pulled, or a container made: %q", u.Containers(t))
	}
	r.speed.Store(1 << 30)
	e2e.SSH(t, u, "cat /mark").Want(t, "whole\n", "", 0)
}
