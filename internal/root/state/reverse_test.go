package state

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/host/proc"
)

func acquireReverse(t *testing.T, l LastStart, one proc.Stat) (*os.File, []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	file, carried, err := l.AcquireReverse(ctx, one)
	if err != nil {
		t.Fatal(err)
	}
	return file, carried
}

func TestReverseForwardsOfOneStartAreCarriedOnce(t *testing.T) {
	l, one := ContainerDir(t.TempDir()).LastStart(), proc.Stat{Pid: 12, Start: 34}
	file, _ := acquireReverse(t, l, one)
	if file == nil {
		t.Fatal("nobody carries, and it is not ours")
	}
	if err := l.WriteReverse(file, one, []string{"8080:80", "5432:5432"}); err != nil {
		t.Fatal(err)
	}
	if again, carried := acquireReverse(t, l, one); again != nil || !slices.Equal(carried, []string{"8080:80", "5432:5432"}) {
		t.Errorf("again: %v %q", again, carried)
	}
	// The process that carries has the lock, whatever becomes of the broker.
	carrier := exec.Command("cat")
	stdin, err := carrier.StdinPipe()
	carrier.ExtraFiles = []*os.File{file}
	if err := errors.Join(err, carrier.Start(), file.Close()); err != nil {
		t.Fatal(err)
	}
	if again, _ := acquireReverse(t, l, one); again != nil {
		t.Error("carried twice")
	}
	// The container was started again, and the process is about to end.
	next := proc.Stat{Pid: 12, Start: 35}
	ended := make(chan error, 1)
	time.AfterFunc(20*time.Millisecond, func() { ended <- errors.Join(stdin.Close(), carrier.Wait()) })
	if file, _ = acquireReverse(t, l, next); file == nil {
		t.Fatal("the forwards of an earlier start count")
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if err := l.WriteReverse(file, next, []string{"1:1"}); err != nil {
		t.Fatal(err)
	}
	if again, carried := acquireReverse(t, l, next); again != nil || !slices.Equal(carried, []string{"1:1"}) {
		t.Errorf("after the restart: %v %q", again, carried)
	}
	_ = file.Close()
}

func TestCarrierThatDoesNotEndIsWaitedForWithALimit(t *testing.T) {
	l := ContainerDir(t.TempDir()).LastStart()
	file, _ := acquireReverse(t, l, proc.Stat{Pid: 1, Start: 1})
	defer file.Close()
	for _, text := range []string{"", "1:1", "1:1 80:8", "1:2 \n", "\x00"} {
		if err := errors.Join(file.Truncate(0), os.WriteFile(file.Name(), []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if _, _, err := l.AcquireReverse(ctx, proc.Stat{Pid: 1, Start: 1}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%q: %v", text, err)
		}
		cancel()
	}
}

func TestRemovedContainerLeavesNoReverseForward(t *testing.T) {
	c, one := ContainerDir(t.TempDir()), proc.Stat{Pid: 1, Start: 1}
	file, _ := acquireReverse(t, c.LastStart(), one)
	defer file.Close()
	if err := c.Clear(); err != nil {
		t.Fatal(err)
	}
	next, _ := acquireReverse(t, c.LastStart(), one)
	if next == nil {
		t.Fatal("the forwards of the container that was removed count")
	}
	_ = next.Close()
}
