package broker

import (
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/bringup"
	"github.com/dockersh/dockersh/internal/root/history"
	"github.com/dockersh/dockersh/internal/root/state"
)

// journal keeps the history of a world.
type journal struct {
	mu  sync.Mutex
	all []history.Event
}

func (j *journal) put(r history.Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.all = append(j.all, r)
}

func (j *journal) events() []history.Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.all)
}

func (j *journal) of(e history.Kind) []history.Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(j.all), func(r history.Event) bool { return r.Kind != e })
}

// one waits for the only event of its kind.
func (w *world) one(e history.Kind) history.Event {
	w.Helper()
	w.eventually("there is a record of "+string(e), func() bool { return len(w.past.of(e)) > 0 })
	all := w.past.of(e)
	if len(all) != 1 {
		w.Fatalf("%d events of kind %s", len(all), e)
	}
	return all[0]
}

func TestSessionHasAStartAndAnEndInTheHistory(t *testing.T) {
	for _, c := range []struct {
		status uint32
		exit   int
		signal string
	}{{7 << 8, 7, ""}, {uint32(unix.SIGTERM), 0, "TERM"}, {uint32(unix.SIGSEGV) | 0x80, 0, "SEGV"}, {36, 0, "36"}, {0xffffffff, 0, "KILL"}} {
		w := newWorld(t)
		front := w.enters()
		start := w.one(history.Start)
		if start.User != w.me.Name || start.UID != w.me.UID || start.Container != w.name() || start.Image != "sha256:1" || start.Door != "service" ||
			start.Pid != os.Getpid() || start.ID == "" || time.Since(start.Time) > time.Minute {
			t.Errorf("%+v", start)
		}
		if err := front.Send(&wire.Ended{Status: c.status}); err != nil {
			t.Fatal(err)
		}
		_ = front.Close()
		end := w.one(history.End)
		if end.ID != start.ID || end.User != start.User || !end.Since.Equal(start.Time) || end.Signal != c.signal || (end.Exit == nil) != (c.signal != "") {
			t.Errorf("%+v after %+v", end, start)
		}
		if end.Exit != nil && *end.Exit != c.exit {
			t.Errorf("exit %d", *end.Exit)
		}
	}
}

func TestSilentFrontHasNoStatusInTheHistory(t *testing.T) {
	w := newWorld(t)
	_ = w.enters().Close()
	if end := w.one(history.End); end.Exit != nil || end.Signal != "" || end.Lost != "" {
		t.Errorf("%+v", end)
	}
}

func TestLostSessionIsLostInTheHistory(t *testing.T) {
	w := newWorld(t)
	c := w.enters()
	w.engine.SetState(w.name(), engine.Exited)
	if err := c.Send(&wire.Why{}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Recv(); err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if end := w.one(history.End); end.Lost != "the container was stopped" {
		t.Errorf("%+v", end)
	}
}

func TestFrontReportsItsEndOnce(t *testing.T) {
	w := newWorld(t)
	c := w.enters()
	for range 2 {
		if err := c.Send(&wire.Ended{}); err != nil {
			t.Fatal(err)
		}
	}
	w.ends("a second end", c)
	if end := w.one(history.End); end.Exit == nil || *end.Exit != 0 {
		t.Errorf("%+v", end)
	}
}

func TestCommandIsKeptOnlyWhereTheSettingsSaySo(t *testing.T) {
	w := newWorld(t)
	in := func() history.Event {
		m, c := w.login(&wire.Login{HasCommand: true, Words: []byte("echo a\n\x1b[2J"), Cut: true})
		if m.Kind() != wire.KindReady {
			t.Fatalf("got %#v", m)
		}
		before := len(w.past.of(history.End))
		_ = c.Close()
		w.eventually("it has ended", func() bool { return len(w.past.of(history.End)) > before })
		return w.past.of(history.Start)[before]
	}
	if r := in(); r.Command != "" || r.Cut {
		t.Errorf("%+v", r)
	}
	w.set("[dockersh]\nauditcommand\n")
	if r := in(); r.Command != "echo a\n\x1b[2J" || !r.Cut {
		t.Errorf("%+v", r)
	}
	w.set("[dockersh]\nenableuserconfig\n")
	w.ignored(&wire.Login{UserFile: []byte("[dockersh]\nauditcommand = false\n")}, "auditcommand")
}

func TestRefusalIsInTheHistory(t *testing.T) {
	w := newWorld(t)
	w.engine.Fail("Find", engine.ErrDown)
	w.refused(&wire.Login{}, "engine does not answer")
	r := w.one(history.Refused)
	if r.User != w.me.Name || r.UID != w.me.UID || !contains(r.Reason, "engine does not answer") || r.ID != "" {
		t.Errorf("%+v", r)
	}
	if n := len(w.past.of(history.Start)) + len(w.past.of(history.End)); n != 0 {
		t.Errorf("a login that was refused has %d events of a session", n)
	}
}

func TestHostShellIsInTheHistory(t *testing.T) {
	w := newWorld(t)
	w.set("[user \"" + w.me.Name + "\"]\nhostshell = /bin/sh\n")
	_, c := w.login(&wire.Login{})
	if r := w.one(history.HostShell); r.User != w.me.Name || r.Shell != "/bin/sh" {
		t.Errorf("%+v", r)
	}
	_ = c.Send(&wire.Ended{})
	_ = c.Close()
	w.set("[dockersh]\n")
	w.enters()
}

// Every broker that finds a session over may write its end, and only one does.
func TestSessionThatLostItsBrokerHasOneEnd(t *testing.T) {
	w := newWorld(t)
	r, end := w.child()
	r.ID, r.UID, r.User, r.Container, r.Since = "lost", 7, "alice", "c", time.Unix(1800000000, 0)
	coming := r
	coming.ID, coming.Waiting = "waits", true
	for _, r := range []state.Session{r, coming} {
		if err := w.broker.sessions.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	w.broker.lifecycle.Sweep()
	if n := len(w.past.of(history.End)); n != 0 {
		t.Fatalf("%d ends of a session that goes on", n)
	}
	end()
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() { w.broker.lifecycle.Sweep() })
	}
	all.Wait()
	got := w.one(history.End)
	if got.ID != "lost" || got.User != "alice" || got.UID != 7 || got.Container != "c" || !got.Since.Equal(r.Since) || got.Exit != nil || got.Signal != "" {
		t.Errorf("%+v", got)
	}
	if left := w.broker.sessions.Dead(); len(left) != 0 {
		t.Errorf("left %+v", left)
	}
}

func TestManySessionsHaveAStartAndAnEndEach(t *testing.T) {
	w := newWorld(t)
	w.enters()
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() { _ = w.enters().Close() })
	}
	all.Wait()
	w.eventually("all have ended", func() bool { return len(w.past.of(history.End)) == 200 })
	starts, ends := map[string]bool{}, map[string]bool{}
	for _, r := range w.past.of(history.Start) {
		starts[r.ID] = true
	}
	for _, r := range w.past.of(history.End) {
		if ends[r.ID] = true; !starts[r.ID] {
			t.Errorf("an end before its start: %+v", r)
		}
	}
	if len(starts) != 201 || len(ends) != 200 {
		t.Errorf("%d starts, %d ends", len(starts), len(ends))
	}
}

func TestHistorySaysWhyALoginWasCold(t *testing.T) {
	w := newWorld(t)
	cold := func() string {
		t.Helper()
		before := len(w.past.of(history.Start))
		_ = w.enters().Close()
		w.eventually("the start is written", func() bool { return len(w.past.of(history.Start)) > before })
		w.eventually("the session is over", func() bool { return len(w.broker.sessions.Live()) == 0 })
		return w.past.of(history.Start)[before].Cold
	}
	for i, step := range []struct {
		before func()
		want   bringup.ColdReason
	}{
		{func() {}, bringup.NotCreated},
		{func() {}, bringup.Warm},
		{func() { w.stop() }, bringup.NotRunning},
		{func() { w.set("[dockersh]\nonchange = recreate\n") }, bringup.MayRecreate},
		{func() { w.set("[dockersh]\nonchange = recreate\nmemory = 1g\n") }, bringup.NewSettings},
		{func() { w.engine.AddImage("busybox", "sha256:new", nil) }, bringup.NewImage},
	} {
		step.before()
		if got := cold(); got != string(step.want) {
			t.Errorf("step %d: cold is %q, want %q", i, got, step.want)
		}
	}
}

// stop stops the container of the world's user, as an administrator would.
func (w *world) stop() {
	w.Helper()
	w.engine.SetState(w.name(), engine.Exited)
	if err := w.broker.state.Container(w.name()).Clear(); err != nil { // its agent has ended
		w.Fatal(err)
	}
}

// A client that opens a session for each file must not fill the log.
func TestSessionsAreInTheLogWhereTheSettingsWantThem(t *testing.T) {
	for settings, want := range map[string]int32{"": 1, "log = sessions\n": 1, "log = refusals\n": 0} {
		w := newWorld(t)
		w.set("[dockersh]\n" + settings)
		w.loginOnce(&wire.Login{})
		w.eventually("the history has it", func() bool { return len(w.past.of(history.End)) > 0 })
		for _, line := range []string{"session start", "session end"} {
			if n := w.log.count(line); n != want {
				t.Errorf("%q: %d lines %s", settings, n, line)
			}
		}
	}
}

func TestManySessionsOfAUserAreNotAllInTheLog(t *testing.T) {
	w := newWorld(t)
	w.broker.events.lines.Max = 5
	for range 4 {
		w.loginOnce(&wire.Login{})
	}
	w.eventually("the history has them", func() bool { return len(w.past.of(history.End)) == 4 })
	if n := w.log.count("session start") + w.log.count("session end"); n != 5 {
		t.Errorf("%d lines", n)
	}
	w.broker.events.close()
	if n := w.log.count("lines about sessions left out"); n != 1 {
		t.Errorf("%d lines about those that were left out", n)
	}
}
