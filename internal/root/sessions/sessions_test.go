package sessions

import (
	"context"
	"os"
	"os/exec"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/host/proc"
)

func newDir(t *testing.T) Dir {
	d := Of(t.TempDir())
	if err := d.Make(); err != nil {
		t.Fatal(err)
	}
	return d
}

// front is a process that stands for one.
func front(t *testing.T) (r Record, end func()) {
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s, err := proc.Of(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	end = sync.OnceFunc(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	t.Cleanup(end)
	return Record{ID: NewID(), Pid: s.Pid, Start: s.Start, Since: time.Unix(1800000000, 0)}, end
}

func put(t *testing.T, d Dir, r Record) {
	t.Helper()
	if err := d.Put(r); err != nil {
		t.Fatal(err)
	}
}

func TestARecordIsReadBackAsItWasWritten(t *testing.T) {
	d := newDir(t)
	r, _ := front(t)
	r.UID, r.User, r.Container, r.Address, r.Key = 1<<32-1, `DOM\a b`, "u1_.a.b-c_d", "2001:db8::1", "x-_y"
	put(t, d, r)
	if err := d.SetRecording(&r, "/var/log/dockersh/a b/c.cast"); err != nil || r.Recording == "" {
		t.Errorf("%v", err)
	}
	if all := d.All(); len(all) != 1 || !reflect.DeepEqual(all[0], r) {
		t.Errorf("got %+v, want %+v", all, r)
	}
	d.Remove(r)
	if left, err := os.ReadDir(string(d)); len(left) != 0 || err != nil {
		t.Errorf("left: %v, %v", left, err)
	}
	if err := os.Symlink("x", string(d)+"/lock"); err != nil {
		t.Fatal(err)
	}
	if all := d.All(); len(all) != 0 { // what is no record is none
		t.Errorf("got %+v", all)
	}
}

// Some are in the hands of users, and all are shown to the administrator.
func TestARecordWhoseNameSteersATerminalIsNone(t *testing.T) {
	d := newDir(t)
	r, _ := front(t)
	for _, bad := range []string{"a\x1b[2Jb", "a\nb", "a b", "a\x9b2J", "\u202e"} {
		id, container := r, r
		id.ID, id.Container, container.Container = bad, "c", bad
		put(t, d, id)
		put(t, d, container)
	}
	if all := d.All(); len(all) != 0 {
		t.Errorf("%d records", len(all))
	}
}

func TestASessionLivesAsLongAsItsFront(t *testing.T) {
	d := newDir(t)
	a, endA := front(t)
	b, _ := front(t)
	a.UID, b.UID, a.Container, b.Container = 7, 7, "one", "two"
	put(t, d, a)
	put(t, d, b)
	other := b
	other.ID, other.UID, other.Container = NewID(), 77, "one.two"
	put(t, d, other)
	again := b // the number of a front that has gone, given to another process
	again.ID, again.Start = NewID(), b.Start-1
	put(t, d, again)
	in := func(name string) int { live, _ := d.In(name); return live }
	if d.Count(7) != 2 || in("one") != 1 || in("two") != 1 || in("one.two") != 1 {
		t.Errorf("%d %d %d %d", d.Count(7), in("one"), in("two"), in("one.two"))
	}
	endA()
	if d.Count(7) != 1 || in("one") != 0 || in("two") != 1 {
		t.Errorf("%d %d %d", d.Count(7), in("one"), in("two"))
	}
	dead := d.Dead()
	for _, r := range dead {
		if r.Live() || !r.Since.Equal(a.Since) || !d.Remove(r) || d.Remove(r) {
			t.Errorf("%+v", r)
		}
	}
	left, err := os.ReadDir(string(d))
	if err != nil || len(left) != 2 || len(dead) != 2 {
		t.Errorf("left: %v %v, dead: %+v", left, err, dead)
	}
}

func TestALoginThatWaitsIsInNoContainerYet(t *testing.T) {
	d := newDir(t)
	r, _ := front(t)
	r.UID, r.Container = 7, "one"
	put(t, d, r)
	for _, on := range []bool{true, true, false} {
		if err := d.SetComing(&r, on); err != nil {
			t.Fatal(err)
		}
		live, waiting := d.In("one")
		if on != (waiting == 1) || on != (live == 0) || d.Count(7) != 1 {
			t.Errorf("coming %v: %d live, %d waiting, %d of the user", on, live, waiting, d.Count(7))
		}
	}
	d.Remove(r)
	if err := d.SetComing(&r, true); err == nil {
		t.Error("a record that is gone was changed")
	}
}

func TestIDsAreFitForNamesAndNeverTheSame(t *testing.T) {
	seen := map[string]bool{}
	for range 10000 {
		id := NewID()
		if seen[id] || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz234567") != "" || len(id) != 12 {
			t.Fatalf("id %q", id)
		}
		seen[id] = true
	}
}

// Who counts under the lock before he writes gets no more places than there are.
func TestTheLastPlaceIsGivenOnce(t *testing.T) {
	d := newDir(t)
	r, _ := front(t)
	r.UID, r.Container = 7, "c"
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			unlock, err := d.Lock(context.Background())
			if err != nil {
				t.Error(err)
				return
			}
			defer unlock()
			if d.Count(7) < 5 {
				mine := r
				mine.ID = "id" + strconv.Itoa(i)
				if err := d.Put(mine); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := d.Count(7); n != 5 {
		t.Errorf("%d places", n)
	}
}

func FuzzParseName(f *testing.F) {
	f.Add("1000.77.123456.abc.alice_dockersh")
	f.Add("1000.77.123456.abc.a.b~")
	f.Fuzz(func(t *testing.T, name string) {
		r, ok := parse(name)
		if !ok {
			return
		}
		// What is read is written so that it is read the same again.
		if again, ok := parse(Dir("").path(r)[1:]); !ok || again != r {
			t.Errorf("%q: %+v, again %+v", name, r, again)
		}
	})
}

func BenchmarkPutAndRemove(b *testing.B) {
	d := Of(b.TempDir())
	if err := d.Make(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s, err := proc.Of(os.Getpid())
		if err != nil {
			b.Fatal(err)
		}
		r := Record{ID: NewID(), User: "alice", Container: "alice_dockersh", Pid: s.Pid, Start: s.Start, Since: time.Now()}
		if err := d.Put(r); err != nil {
			b.Fatal(err)
		}
		d.Remove(r)
	}
}
