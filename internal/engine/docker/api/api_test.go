package api

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/docker/dialect"
	"github.com/dockersh/dockersh/internal/engine/docker/transport"
)

// TestMain serves the versions of an engine with one component, where serve runs the test
// program again.
func TestMain(m *testing.M) {
	socket, component := os.Getenv("DSH_ENGINE"), os.Getenv("DSH_COMPONENT")
	if socket == "" {
		os.Exit(m.Run())
	}
	l, err := net.Listen("unix", socket)
	if err == nil {
		fmt.Println("up")
		err = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Api-Version", "1.41")
			_ = json.NewEncoder(w).Encode(map[string]any{"Components": []map[string]string{{"Name": component}}})
		}))
	}
	fmt.Println(err)
	os.Exit(1)
}

// serve returns a connection to an engine with one component, at whose socket uid listens.
func serve(t *testing.T, uid uint32, component string) *Conn {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "dsh-engine-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chown(dir, int(uid), -1); err != nil {
		t.Fatal(err)
	}
	socket := dir + "/engine.sock"
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{"DSH_ENGINE=" + socket, "DSH_COMPONENT=" + component}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "up\n" {
		t.Fatal(line, err)
	}
	way, err := transport.Of(engine.Address{Host: socket})
	if err != nil {
		t.Fatal(err)
	}
	return New(way)
}

func TestRootlessPodmanIsKnownByWhoListens(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	for _, c := range []struct {
		uid       uint32
		component string
		want      *dialect.Dialect
	}{
		{0, "Podman Engine", &dialect.Podman},
		{65534, "Podman Engine", &dialect.RootlessPodman},
		{65534, "Engine", &dialect.Docker},
	} {
		conn := serve(t, c.uid, c.component)
		got, err := conn.SettledDialect(t.Context())
		if err != nil || got != c.want {
			t.Errorf("uid %d, %s: %+v, %v", c.uid, c.component, got, err)
		}
		_ = conn.Close()
	}
}
