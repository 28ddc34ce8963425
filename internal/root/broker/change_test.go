package broker

import (
	"errors"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/rundir"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// visit logs in and out again, and tells whether the container was made for it.
func (w *world) visit(m *wire.Login) (fresh bool) {
	w.Helper()
	before := w.id()
	answer, c := w.login(m)
	if answer.Kind() != wire.KindReady {
		w.Fatalf("got %#v", answer)
	}
	_ = c.Close()
	w.eventually("it is over", func() bool { return len(w.broker.sessions.All()) == 0 })
	return w.id() != before
}

func (w *world) id() string {
	found, err := w.engine.Find(w.Context(), w.name())
	if err != nil {
		return ""
	}
	return found.ID
}

func TestRecreateMakesItAnewWhenTheSettingsChanged(t *testing.T) {
	w := newWorld(t)
	const rc = "[dockersh]\nonchange = recreate\n"
	w.set(rc)
	if !w.visit(&wire.Login{}) || w.visit(&wire.Login{}) {
		t.Fatal("the first and the second login")
	}
	w.set(rc + "banner = x\nmaxsessions = 5\n") // nothing that it is made of
	if w.visit(&wire.Login{}) {
		t.Error("it was made anew for a banner")
	}
	w.set(rc + "memory = 1g\n")
	c := w.enters()
	id := w.id()
	w.set(rc + "memory = 2g\n")
	w.enters()
	if w.renew(); w.id() != id {
		t.Fatal("it was removed under a session")
	}
	_ = c.Close()
	w.set(rc + "memory = 2g\n")
	if spec, _ := w.engine.Spec(w.name()); spec.Memory != "1g" {
		t.Errorf("memory %s", spec.Memory)
	}
}

func TestRecreateFollowsTheImageBehindTheTag(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nonchange = recreate\n")
	w.visit(&wire.Login{})
	w.engine.AddImage("busybox", "sha256:new", nil)
	if !w.visit(&wire.Login{}) {
		t.Error("it was kept")
	}
	if w.visit(&wire.Login{}) {
		t.Error("once more")
	}
}

func TestRecreateIsNoWordOfTheUsers(t *testing.T) {
	w := newWorld(t)
	const rc = "[dockersh]\nonchange = recreate\nenableuserconfig\nenableuserimagename\n"
	w.set(rc)
	w.engine.AddImage("other", "sha256:other", nil)
	own := func(text string) *wire.Login { return &wire.Login{UserFile: []byte(text)} }
	w.visit(own(""))
	for _, text := range []string{"[dockersh]\nimagename = other\n", "", "[dockersh]\nimagename = busybox\n"} {
		if w.visit(own(text)) {
			t.Errorf("%q threw his container away", text)
		}
	}
	w.refused(own("[dockersh]\nonchange = recreate\n"), "only the administrator")
	w.set(rc + "memory = 1g\n")
	if !w.visit(own("[dockersh]\nimagename = other\n")) || w.visit(own("")) {
		t.Error("the administrator's change, and then the user's")
	}
}

// Users of one container may have different settings: what counts is whether the
// one who made it would make it so again.
func TestRecreateAsksForTheSettingsOfWhoMadeIt(t *testing.T) {
	w := newWorld(t)
	const rc = "[dockersh]\nonchange = recreate\ncontainername = class\n"
	w.set(rc + "[user \"daemon\"]\nmemory = 7g\n")
	theirs := w.broker.adminsOf(t.Context(), 1)
	if theirs == nil || theirs.Memory != "7g" {
		t.Skip("uid 1 of this host is not daemon")
	}
	class := func() engine.Container {
		labels := policy.Owner{UID: 1}.Labels()
		labels[engine.LabelAdmins] = theirs.Hash()
		return engine.Container{Name: "class", State: engine.Exited, Image: "busybox", ImageID: "sha256:1", Labels: labels}
	}
	id := func() string {
		found, err := w.engine.Find(t.Context(), "class")
		if err != nil {
			return ""
		}
		return found.ID
	}
	w.engine.Add(class())
	before := id()
	w.renew()
	if id() != before {
		t.Error("mine are others, and it was removed")
	}
	w.set(rc + "[user \"daemon\"]\nmemory = 8g\n")
	w.renew()
	if id() != "" {
		t.Error("his are others, and it was kept")
	}
}

// renew does that step of a cold login.
func (w *world) renew() {
	w.Helper()
	plan := w.planned()
	c := &cold{Broker: w.broker, plan: plan, dir: rundir.Of(w.broker.Run, plan.Container), engine: w.engine, show: func(string) {}}
	if err := errors.Join(c.dir.Make(), c.renew(w.Context())); err != nil {
		w.Error(err)
	}
}

// planned is the plan of whoever runs the test.
func (w *world) planned() *policy.Plan {
	w.Helper()
	plan, err := w.broker.plan(w.Context(), w.me, &wire.Login{Version: wire.Version}, source{id: "id"})
	if err != nil {
		w.Fatal(err)
	}
	return plan
}

func TestRecreateLeavesAloneWhatItCannotJudge(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nonchange = recreate\n")
	w.visit(&wire.Login{})
	w.set("[dockersh]\nonchange = recreate\nmemory = 1g\n")
	w.engine.Fail("Find", engine.ErrDown)
	if w.visit(&wire.Login{}) { // it is warm
		t.Error("made anew without the engine")
	}
	w.engine.Fail("Find", nil)
	// One of an older version, which did not write of what it was made.
	w = newWorld(t)
	w.set("[dockersh]\nonchange = recreate\nmemory = 1g\n")
	labels := policy.Owner{UID: w.me.UID, Identity: "u=" + w.me.Name}.Labels()
	w.engine.Add(engine.Container{Name: w.name(), State: engine.Exited, Image: "gone:1", ImageID: "sha256:1", Labels: labels})
	before := w.id()
	if w.renew(); w.id() != before {
		t.Error("it was removed")
	}
}

func TestKeepKeepsAndSaysSoToPeople(t *testing.T) {
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
	for _, m := range []*wire.Login{{}, {Terminal: true, Command: true}} {
		if got := notice(m); strings.Contains(got, "made") {
			t.Errorf("%+v: %q", m, got)
		}
	}
	if w.engine.Calls("Find") != calls {
		t.Error("the engine was asked")
	}
	w.set("")
	w.engine.AddImage("busybox", "sha256:new", nil)
	for key := range w.broker.tags.all { // five minutes later
		w.broker.tags.ask(w.broker, key)
	}
	if got := notice(people); !strings.Contains(got, "made from an older image") {
		t.Errorf("got %q", got)
	}
	if w.containers() != 1 {
		t.Error("it was not kept")
	}
}

// Somebody paused it on purpose.
func TestRecreateLeavesAPausedContainerAlone(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nonchange = recreate\n")
	w.visit(&wire.Login{})
	id := w.id()
	w.set("[dockersh]\nonchange = recreate\nmemory = 1g\n")
	w.engine.SetState(w.name(), engine.Paused)
	if err := rundir.Of(w.broker.Run, w.name()).Clear(); err != nil { // its agent does not answer
		t.Fatal(err)
	}
	w.refused(&wire.Login{}, "is paused")
	if w.id() != id {
		t.Error("it was removed")
	}
}
