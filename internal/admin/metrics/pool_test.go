package metrics

import (
	"os"
	"os/exec"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

func TestPoolIsThatOfTheBridge(t *testing.T) {
	if p := readPool("lo"); p != (pool{all: 1<<24 - taken}) {
		t.Errorf("%+v", p)
	}
	if p := readPool("none0"); p != (pool{}) {
		t.Errorf("%+v", p)
	}
	if os.Geteuid() != 0 {
		return
	}
	// In a network of this thread alone, which ends with it.
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			t.Error(err)
			return
		}
		const setup = "ip link add br7 type bridge && ip addr add 192.0.2.1/28 dev br7 && " +
			"ip link add a0 type veth peer name a1 && ip link add b0 type veth peer name b1 && " +
			"ip link set a0 master br7 && ip link set b0 master br7"
		if out, err := exec.Command("sh", "-c", setup).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
			return
		}
		if p := readPool("br7"); p != (pool{all: 13, used: 2}) {
			t.Errorf("%+v", p)
		}
	}()
	<-done
}
