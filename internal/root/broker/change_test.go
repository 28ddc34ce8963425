package broker

import (
	"os"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// loginOnce logs in and out again, and reports whether the container was made for it.
func (w *world) loginOnce(m *wire.Login) (fresh bool) {
	w.Helper()
	before := w.id()
	answer, c := w.login(m)
	if answer.Kind() != wire.KindReady {
		w.Fatalf("got %#v", answer)
	}
	_ = c.Close()
	w.eventually("it is over", func() bool { return len(w.broker.sessions.Live()) == 0 })
	return w.id() != before
}

func (w *world) id() string {
	found, err := w.engine.Find(w.Context(), w.name())
	if err != nil {
		return ""
	}
	return found.ID
}

func TestChangedSettingsRecreateTheContainer(t *testing.T) {
	w := newWorld(t)
	const rc = "[dockersh]\nonchange = recreate\n"
	w.set(rc)
	if !w.loginOnce(&wire.Login{}) || w.loginOnce(&wire.Login{}) {
		t.Fatal("the first and the second login")
	}
	w.set(rc + "banner = x\nmaxsessions = 5\n") // nothing that it is made of
	if w.loginOnce(&wire.Login{}) {
		t.Error("recreated for a banner")
	}
	w.set(rc + "memory = 1g\n")
	c := w.enters()
	id := w.id()
	w.set(rc + "memory = 2g\n")
	w.enters()
	if w.id() != id {
		t.Fatal("removed under a session")
	}
	_ = c.Close()
	w.set(rc + "memory = 2g\n")
	if spec, _ := w.engine.Spec(w.name()); spec.Memory != "1g" {
		t.Errorf("memory %s", spec.Memory)
	}
}

func TestChangedImageRecreatesTheContainer(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nonchange = recreate\n")
	w.loginOnce(&wire.Login{})
	w.engine.AddImage("busybox", "sha256:new", nil)
	if !w.loginOnce(&wire.Login{}) {
		t.Error("it was kept")
	}
	if w.loginOnce(&wire.Login{}) {
		t.Error("once more")
	}
}

func TestUserCannotRecreateAContainer(t *testing.T) {
	w := newWorld(t)
	const rc = "[dockersh]\nonchange = recreate\nenableuserconfig\nenableuserimagename\n"
	w.set(rc)
	w.engine.AddImage("other", "sha256:other", nil)
	own := func(text string) *wire.Login { return &wire.Login{UserFile: []byte(text)} }
	w.loginOnce(own(""))
	for _, text := range []string{"[dockersh]\nimagename = other\n", "", "[dockersh]\nimagename = busybox\n"} {
		if w.loginOnce(own(text)) {
			t.Errorf("%q removed the user's container", text)
		}
	}
	w.ignored(own("[dockersh]\nonchange = recreate\n"), "only the administrator")
	w.eventually("it is over", func() bool { return len(w.broker.sessions.Live()) == 0 })
	w.set(rc + "memory = 1g\n")
	if !w.loginOnce(own("[dockersh]\nimagename = other\n")) || w.loginOnce(own("")) {
		t.Error("the administrator's change, and then the user's")
	}
}

// plan returns the plan of a login of the user who runs the test.
func (w *world) plan() *policy.Plan {
	w.Helper()
	e, err := w.broker.settings.ofLogin(w.Context(), w.me, &front{}, &wire.Login{}, "id")
	if err != nil {
		w.Fatal(err)
	}
	plan, err := policy.Decide(w.me, e.Settings, policy.Request{})
	if err != nil {
		w.Fatal(err)
	}
	return plan
}

func TestContainerIsKeptWhileTheEngineIsDown(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nonchange = recreate\n")
	w.loginOnce(&wire.Login{})
	w.set("[dockersh]\nonchange = recreate\nmemory = 1g\n")
	w.engine.Fail("Find", engine.ErrDown)
	if w.loginOnce(&wire.Login{}) { // it is warm
		t.Error("recreated without the engine")
	}
	w.engine.Fail("Find", nil)
}

func TestChangedContainerIsKeptWithANotice(t *testing.T) {
	w := newWorld(t)
	people := &wire.Login{Terminal: true}
	notice := func(m *wire.Login) string {
		answer, c := w.login(m)
		defer c.Close()
		return strings.Join(answer.(*wire.Ready).Notice, "|")
	}
	if got := notice(people); got != "" {
		t.Errorf("at the first login %q", got)
	}
	w.set("[dockersh]\nmemory = 1g\nbanner = hello\n")
	calls := w.engine.Calls("Find")
	if got := notice(people); !strings.HasPrefix(got, "hello|dockersh: this container was made with other settings, and stays so") {
		t.Errorf("got %q", got)
	}
	for _, m := range []*wire.Login{{}, {Terminal: true, HasCommand: true}} {
		if got := notice(m); strings.Contains(got, "made") {
			t.Errorf("%+v: %q", m, got)
		}
	}
	if w.engine.Calls("Find") != calls {
		t.Error("the engine was asked")
	}
	if w.containers() != 1 {
		t.Error("it was not kept")
	}
}

// The engine is asked in the background.
func TestOlderImageIsReportedOnceItIsKnown(t *testing.T) {
	w := newWorld(t)
	_, c := w.login(&wire.Login{})
	_ = c.Close()
	w.engine.AddImage("busybox", "sha256:new", nil)
	w.eventually("no notice of the older image", func() bool {
		answer, c := w.login(&wire.Login{Terminal: true})
		defer c.Close()
		return strings.Contains(strings.Join(answer.(*wire.Ready).Notice, "|"), "made from an older image")
	})
	if w.containers() != 1 {
		t.Error("it was not kept")
	}
}

// The container of a test is in the network of the test.
func TestReverseForwardThatIsOffCostsNoLogin(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nreverseforward = 8080:80\nreverseforward = 8081:81\n")
	reason := "the container is in the network of the host"
	if os.Geteuid() != 0 {
		reason = "dockershd does not run as root"
	}
	for m, want := range map[*wire.Login]string{
		{Terminal: true}: "dockersh: reverseforward 8080:80 8081:81 is off: " + reason, {}: "", {Terminal: true, HasCommand: true}: "",
	} {
		answer, c := w.login(m)
		if got := strings.Join(answer.(*wire.Ready).Notice, "|"); got != want {
			t.Errorf("%+v: %q", m, got)
		}
		_ = c.Close()
	}
	if n := w.log.count("reverse forward is off"); n != 6 {
		t.Errorf("%d lines in the log", n)
	}
}

func TestReplacedDirectoryIsReportedBesideASession(t *testing.T) {
	w := newWorld(t)
	notice := func() (string, channel.Conn) {
		answer, c := w.login(&wire.Login{HasCommand: true})
		return strings.Join(answer.(*wire.Ready).Notice, "|"), c
	}
	_, first := notice()
	dir := t.TempDir()
	if err := w.broker.state.Container(w.name()).LastStart().SetSources([]state.MountSource{{Path: dir, Dev: 1, Ino: 1}}); err != nil {
		t.Fatal(err)
	}
	got, second := notice()
	if want := "dockersh: " + dir + " was replaced on the host; "; !strings.HasPrefix(got, want) {
		t.Errorf("beside a session %q", got)
	}
	if w.engine.Calls("Stop") != 0 {
		t.Error("stopped under a session")
	}
	_, _ = first.Close(), second.Close()
	w.eventually("they are over", func() bool { return len(w.broker.sessions.Live()) == 0 })
	notice()
	if w.engine.Calls("Stop") != 1 {
		t.Error("not restarted after the sessions")
	}
}

// Somebody paused it on purpose.
func TestPausedContainerIsNotRecreated(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nonchange = recreate\n")
	w.loginOnce(&wire.Login{})
	id := w.id()
	w.set("[dockersh]\nonchange = recreate\nmemory = 1g\n")
	w.engine.SetState(w.name(), engine.Paused)
	if err := w.broker.state.Container(w.name()).Clear(); err != nil { // its agent does not answer
		t.Fatal(err)
	}
	w.refused(&wire.Login{}, "is paused")
	if w.id() != id {
		t.Error("it was removed")
	}
}

// limits returns what the engine was made to change.
func (w *world) limits() engine.Limits {
	w.Helper()
	found, err := w.engine.Find(w.Context(), w.name())
	if err != nil {
		w.Fatal(err)
	}
	return found.Limits
}

func TestLimitsChangeUnderASession(t *testing.T) {
	w := newWorld(t)
	interactive := &wire.Login{Terminal: true}
	w.set("[dockersh]\nonchange = apply\nmemory = 1g\ncpus = 1.5\n")
	w.enters()
	id, calls := w.id(), func() int { return w.engine.Calls("SetLimits") }
	w.set("[dockersh]\nonchange = apply\nmemory = 2g\ncpus = 0.5\npidslimit = 0\n")
	if answer, _ := w.login(interactive); len(answer.(*wire.Ready).Notice) > 0 {
		t.Errorf("%#v", answer)
	}
	if got := w.limits(); got != (engine.Limits{Memory: 2 << 30, CPUs: 5e8, Pids: engine.NoPidsLimit}) || w.id() != id {
		t.Errorf("%+v", got)
	}
	if finds := w.engine.Calls("Find"); true {
		w.enters()
		if calls() != 1 || w.engine.Calls("Find") != finds {
			t.Errorf("%d changes, and the engine is asked", calls())
		}
	}
	w.set("[dockersh]\nonchange = apply\nmemory = 2g\npidslimit = 0\nenv = A=b\n") // and no cpus
	for range 2 {
		answer, _ := w.login(interactive)
		if n := answer.(*wire.Ready).Notice; len(n) != 1 || !strings.Contains(n[0], "with other settings") {
			t.Errorf("%q", n)
		}
	}
	if w.limits().CPUs != 5e8 || w.id() != id {
		t.Errorf("%+v", w.limits())
	}
}

func TestLimitsAreKeptWithoutApply(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nmemory = 1g\n")
	w.enters()
	w.set("[dockersh]\nmemory = 2g\n")
	answer, _ := w.login(&wire.Login{Terminal: true})
	if n := answer.(*wire.Ready).Notice; len(n) != 1 || w.engine.Calls("SetLimits") > 0 {
		t.Errorf("%q, %d changes", n, w.engine.Calls("SetLimits"))
	}
}

func TestLimitsThatTheEngineRefusesKeepNobodyOut(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nonchange = apply\nmemory = 1g\n")
	w.enters()
	w.engine.Fail("SetLimits", engine.ErrNoSetLimits)
	w.set("[dockersh]\nonchange = apply\nmemory = 2g\n")
	for range 2 {
		answer, _ := w.login(&wire.Login{Terminal: true})
		if n := answer.(*wire.Ready).Notice; len(n) != 1 {
			t.Errorf("%q", n)
		}
	}
	if n := w.engine.Calls("SetLimits"); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// The engine is away for a moment, and so is what is known after a restart of the host.
func TestLimitsChangeAtTheNextLoginThatCan(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nonchange = apply\nmemory = 1g\n")
	w.loginOnce(&wire.Login{})
	w.engine.Fail("SetLimits", engine.ErrDown)
	w.set("[dockersh]\nonchange = apply\nmemory = 2g\n")
	w.loginOnce(&wire.Login{})
	w.engine.Fail("SetLimits", nil)
	w.loginOnce(&wire.Login{})
	if got := w.limits().Memory; got != 2<<30 {
		t.Errorf("memory %d", got)
	}
	w.engine.SetState(w.name(), engine.Exited)
	if err := w.broker.state.Container(w.name()).Clear(); err != nil {
		t.Fatal(err)
	}
	w.set("[dockersh]\nonchange = apply\nmemory = 3g\n")
	w.loginOnce(&wire.Login{})
	if got := w.limits().Memory; got != 3<<30 {
		t.Errorf("after a restart memory %d", got)
	}
}
