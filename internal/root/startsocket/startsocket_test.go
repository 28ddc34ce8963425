package startsocket

import (
	"os"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/host/passwd"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/state"
)

// Another engine may have a container of the same name, with an agent that asks for its socket.
func TestAgentOfAnotherContainerIsNotAnswered(t *testing.T) {
	for path, want := range map[string]bool{"/proc/self/ns/pid": true, "/proc/self/ns/net": false} { // a namespace that is not ours
		pids, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Open(state.RunDir(t.TempDir()).Container("c"), "one", "one", passwd.Identity{Name: "alice"})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		s.Await(uint32(os.Geteuid()), pids, nil)
		raw, err := seqpacket.Dial(s.dir.StartSocket())
		if err != nil {
			t.Fatal(err)
		}
		c := channel.Conn{Socket: raw}
		defer c.Close()
		c.Within(5 * time.Second)
		_ = c.Send(&wire.Hello{Version: wire.AgentVersion}) // the broker may have hung up
		m, fds, err := c.Recv()
		seqpacket.CloseAll(fds)
		if answered := err == nil && m.Kind() == wire.KindServe; answered != want {
			t.Errorf("%s: answered: %t (%v)", path, answered, err)
		}
	}
}
