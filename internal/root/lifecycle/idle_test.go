package lifecycle

import (
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/root/state"
)

// Each of a user's sets of groups has an agent, and the user can stop them all.
func TestOneAgentThatDoesNotAnswerIsEnoughToKnow(t *testing.T) {
	dir := state.ContainerDir(t.TempDir())
	if idle, known := IsIdle(dir); idle || known {
		t.Error("there is no agent")
	}
	for i := range 20 {
		fd, err := seqpacket.Bind(dir.AgentSocket(fmt.Sprintf("self-1001.%d", i)), 0o600, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
	}
	began := time.Now()
	if idle, known := IsIdle(dir); idle || !known {
		t.Errorf("idle %v, known %v", idle, known)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
}
