package state

import (
	"context"
	"errors"
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

func newSessions(t *testing.T) Sessions {
	dir := RunDir(t.TempDir())
	if err := dir.Make(); err != nil {
		t.Fatal(err)
	}
	return dir.Sessions()
}

// front starts a process in place of a front, and returns an entry for it.
func front(t *testing.T) (r Session, end func()) {
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
	return Session{ID: NewSessionID(), Pid: s.Pid, Start: s.Start, Since: time.Unix(1800000000, 0)}, end
}

func add(t *testing.T, d Sessions, r Session) {
	t.Helper()
	if err := d.Add(r); err != nil {
		t.Fatal(err)
	}
}

func TestSessionIsReadBackAsWritten(t *testing.T) {
	d := newSessions(t)
	r, _ := front(t)
	r.UID, r.User, r.Container, r.Address, r.Key = 1<<32-1, `DOM\a b`, "u1_.a.b-c_d", "2001:db8::1", "x-_y"
	add(t, d, r)
	if err := d.SetRecording(&r, "/var/log/dockersh/a b/c.cast"); err != nil || r.Recording == "" {
		t.Errorf("%v", err)
	}
	if all := d.Live(); len(all) != 1 || !reflect.DeepEqual(all[0], r) {
		t.Errorf("got %+v, want %+v", all, r)
	}
	d.Remove(r)
	if left, err := os.ReadDir(string(d)); len(left) != 0 || err != nil {
		t.Errorf("left: %v, %v", left, err)
	}
	if err := os.Symlink("x", string(d)+"/lock"); err != nil {
		t.Fatal(err)
	}
	if all := d.Live(); len(all) != 0 { // other files are not entries
		t.Errorf("got %+v", all)
	}
}

// Users can write some of the entries, and the administrator sees them all.
func TestNameThatSteersATerminalIsNotASession(t *testing.T) {
	d := newSessions(t)
	r, _ := front(t)
	for _, bad := range []string{"a\x1b[2Jb", "a\nb", "a b", "a\x9b2J", "\u202e"} {
		id, container := r, r
		id.ID, id.Container, container.Container = bad, "c", bad
		add(t, d, id)
		add(t, d, container)
	}
	if all := d.Live(); len(all) != 0 {
		t.Errorf("%d entries", len(all))
	}
}

func TestSessionIsLiveAsLongAsItsFront(t *testing.T) {
	d := newSessions(t)
	a, endA := front(t)
	b, _ := front(t)
	a.UID, b.UID, a.Container, b.Container = 7, 7, "one", "two"
	add(t, d, a)
	add(t, d, b)
	other := b
	other.ID, other.UID, other.Container = NewSessionID(), 77, "one.two"
	add(t, d, other)
	again := b // the pid of a front that is gone, given to another process
	again.ID, again.Start = NewSessionID(), b.Start-1
	add(t, d, again)
	in := func(name string) int { live, _ := d.In(name); return live }
	if d.CountUser(7) != 2 || in("one") != 1 || in("two") != 1 || in("one.two") != 1 {
		t.Errorf("%d %d %d %d", d.CountUser(7), in("one"), in("two"), in("one.two"))
	}
	endA()
	if d.CountUser(7) != 1 || in("one") != 0 || in("two") != 1 {
		t.Errorf("%d %d %d", d.CountUser(7), in("one"), in("two"))
	}
	dead := d.Dead()
	for _, r := range dead {
		if r.IsLive() || !r.Since.Equal(a.Since) || !d.Remove(r) || d.Remove(r) {
			t.Errorf("%+v", r)
		}
	}
	left, err := os.ReadDir(string(d))
	if err != nil || len(left) != 2 || len(dead) != 2 {
		t.Errorf("left: %v %v, dead: %+v", left, err, dead)
	}
}

func TestWaitingLoginIsInNoContainerYet(t *testing.T) {
	d := newSessions(t)
	r, _ := front(t)
	r.UID, r.Container = 7, "one"
	add(t, d, r)
	for _, on := range []bool{true, true, false} {
		if err := d.SetWaiting(&r, on); err != nil {
			t.Fatal(err)
		}
		live, waiting := d.In("one")
		if on != (waiting == 1) || on != (live == 0) || d.CountUser(7) != 1 {
			t.Errorf("waiting %v: %d live, %d waiting, %d of the user", on, live, waiting, d.CountUser(7))
		}
	}
	d.Remove(r)
	if err := d.SetWaiting(&r, true); err == nil {
		t.Error("an entry that is gone was changed")
	}
}

func TestSessionIDsAreUniqueAndFitForNames(t *testing.T) {
	seen := map[string]bool{}
	for range 10000 {
		id := NewSessionID()
		if seen[id] || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz234567") != "" || len(id) != 12 {
			t.Fatalf("id %q", id)
		}
		seen[id] = true
	}
}

// Brokers that count under the lock before they add take no more places than there are.
func TestLastPlaceIsGivenOnce(t *testing.T) {
	d := newSessions(t)
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
			if d.CountUser(7) < 5 {
				s := r
				s.ID = "id" + strconv.Itoa(i)
				if err := d.Add(s); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := d.CountUser(7); n != 5 {
		t.Errorf("%d places", n)
	}
}

func FuzzParseSession(f *testing.F) {
	f.Add("1000.77.123456.abc.alice_dockersh")
	f.Add("1000.77.123456.abc.a.b~")
	f.Fuzz(func(t *testing.T, name string) {
		r, ok := parseSession(name)
		if !ok {
			return
		}
		// Written again, it is read the same.
		if again, ok := parseSession(Sessions("").path(r)[1:]); !ok || again != r {
			t.Errorf("%q: %+v, again %+v", name, r, again)
		}
	})
}

func BenchmarkAddAndRemoveSession(b *testing.B) {
	dir := RunDir(b.TempDir())
	if err := dir.Make(); err != nil {
		b.Fatal(err)
	}
	d := dir.Sessions()
	for b.Loop() {
		s, err := proc.Of(os.Getpid())
		if err != nil {
			b.Fatal(err)
		}
		r := Session{ID: NewSessionID(), User: "alice", Container: "alice_dockersh", Pid: s.Pid, Start: s.Start, Since: time.Now()}
		if err := d.Add(r); err != nil {
			b.Fatal(err)
		}
		d.Remove(r)
	}
}

func TestConnectionIsFoundByItsProcessAndIsNoSession(t *testing.T) {
	d := RunDir(t.TempDir())
	if err := d.Make(); err != nil {
		t.Fatal(err)
	}
	me, err := proc.Of(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	all := d.Sessions()
	s := Session{ID: NewSessionID(), UID: 7, User: "alice", Container: "c", Pid: me.Pid, Start: me.Start, Key: "key", Connection: true}
	if err := all.Add(s); err != nil {
		t.Fatal(err)
	}
	if err := all.SetWaiting(&s, true); err != nil {
		t.Fatal(err)
	}
	if inside, waiting := all.In("c"); inside != 0 || waiting != 1 {
		t.Errorf("%d inside, %d waiting", inside, waiting)
	}
	if err := all.SetWaiting(&s, false); err != nil {
		t.Fatal(err)
	}
	if inside, _ := all.In("c"); inside != 1 || !all.IsOccupied("c") {
		t.Errorf("%d inside", inside)
	}
	if n := all.CountUser(7); n != 0 {
		t.Errorf("%d sessions", n)
	}
	other := me
	other.Start++
	for _, c := range []struct {
		uid  uint32
		of   []proc.Stat
		want bool
	}{{7, []proc.Stat{other, me}, true}, {7, []proc.Stat{other}, false}, {8, []proc.Stat{me}, false}, {7, nil, false}} {
		if got, ok := all.ConnectionOf(c.uid, c.of); ok != c.want || ok && (got.Key != "key" || got.ID != s.ID) {
			t.Errorf("%+v: %+v %v", c, got, ok)
		}
	}
	if live, forged := all.LiveOf(7, -1); len(live) != 0 || forged != 1 {
		t.Errorf("a user's own broker has no connections: %+v %d", live, forged)
	}
	if !all.Remove(s) {
		t.Error("the entry is not removed")
	}
}

func TestLastStartReturnsItsProcess(t *testing.T) {
	d := RunDir(t.TempDir()).Container("c")
	if err := d.Make(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.LastStart().Process(); !errors.Is(err, proc.ErrGone) {
		t.Errorf("before the first: %v", err)
	}
	if err := d.LastStart().SetVerified(proc.Stat{Pid: 12, Start: 34}); err != nil {
		t.Fatal(err)
	}
	if p, err := d.LastStart().Process(); err != nil || p.Pid != 12 || p.Start != 34 {
		t.Errorf("%+v %v", p, err)
	}
}
