package proc

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestNameOfAProgramDoesNotMislead(t *testing.T) {
	s, err := parse("77 (a) S 1 (b c) Z 12 77 77 34816 88 4194560 1 2 3 4 5 6 7 8 20 0 1 0 123456 9 10 11")
	if want := (Stat{77, 12, "a) S 1 (b c", 'Z', 34816, 123456}); err != nil || s != want {
		t.Errorf("%+v %v", s, err)
	}
	for _, bad := range []string{"", "77", "77 (a", "77 (a) S 1 2", "x (a) S 12 77 77 34816 88 4194560 1 2 3 4 5 6 7 8 20 0 1 0 123456 9"} {
		if _, err := parse(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestProcessIsDistinguishedFromTheNextWithItsNumber(t *testing.T) {
	me, err := Of(os.Getpid())
	if err != nil || me.Pid != os.Getpid() || me.Parent != os.Getppid() || me.Start == 0 {
		t.Fatalf("%+v %v", me, err)
	}
	cmd := exec.Command("sleep", "100")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	child, err := Of(cmd.Process.Pid)
	if err != nil || child.Parent != os.Getpid() || child.Start < me.Start {
		t.Errorf("%+v %v", child, err)
	}
	_ = cmd.Process.Kill()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if _, err = Of(cmd.Process.Pid); err != nil || time.Now().After(end) {
			break
		}
	}
	if err != ErrGone { // nobody has waited for it yet
		t.Errorf("dead and not waited for: %v", err)
	}
	_ = cmd.Wait()
	if _, err := Of(cmd.Process.Pid); err != ErrGone {
		t.Errorf("gone: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("77 (a) S 12 77 77 34816 88 4194560 1 2 3 4 5 6 7 8 20 0 1 0 123456 9 10 11")
	f.Fuzz(func(t *testing.T, line string) {
		if s, err := parse(line); err == nil && s.State == 0 && !strings.Contains(line, "\x00") {
			t.Errorf("%q: %+v", line, s)
		}
	})
}

func TestUIDIsThatOfTheProcess(t *testing.T) {
	if uid, err := UID(os.Getpid()); err != nil || int(uid) != os.Getuid() {
		t.Errorf("%d %v", uid, err)
	}
	if _, err := UID(1 << 30); err != ErrGone {
		t.Errorf("%v", err)
	}
}
