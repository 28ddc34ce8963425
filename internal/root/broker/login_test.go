package broker

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/enginetest"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

func TestWarmLoginAsksNoEngine(t *testing.T) {
	w := newWorld(t)
	w.enters()
	calls := w.engine.Calls("Find") + w.engine.Calls("ImageID") + w.engine.Calls("List")
	w.engine.Fail("Find", engine.ErrDown)
	for range 3 {
		w.enters()
	}
	if now := w.engine.Calls("Find") + w.engine.Calls("ImageID") + w.engine.Calls("List"); now != calls {
		t.Errorf("%d calls", now-calls)
	}
}

// A process 1 that is not dockersh's own finds its user from the beginning.
func TestUserIsKnownBeforeTheFirstSession(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a user's broker has the engine copy all files")
	}
	for settings, before := range map[string]bool{"": false, "entrypoint = /sbin/init\n": true} {
		w := newWorld(t)
		w.set("[dockersh]\n" + settings)
		if before {
			w.mute.Store(w.name(), true) // process 1 is not an agent
		}
		w.engine.OnExec = func(enginetest.Exec) {
			spec, _ := w.engine.Spec(w.name())
			go w.agent(spec)
		}
		w.engine.Fail("Exec", nil) // under its lock, as the broker's calls are
		w.enters()
		for path, password := range map[string]string{"/etc/passwd": ":*:", "/etc/group": ":x:"} {
			if f, ok := w.engine.File(w.name(), path); ok != before || ok && (f.UID != 0 || f.Mode != 0o644) {
				t.Errorf("%q: put in %s: %+v", settings, path, f)
			}
			if b, err := os.ReadFile(w.roots + "/" + w.name() + path); before == (err == nil) || !before && !strings.Contains(string(b), w.me.Name+password) {
				t.Errorf("%q: written %s: %q %v", settings, path, b, err)
			}
		}
	}
}

// A broker that is killed after the start leaves a container without its files.
func TestContainerThatWasStartedWithoutItsFilesIsMadeAgain(t *testing.T) {
	w := newWorld(t)
	w.engine.Fail("Find", nil)
	made, err := w.engine.Create(t.Context(), engine.Spec{Name: w.name(), Image: "busybox", Labels: policy.Owner{UID: w.me.UID, Identity: "u=" + w.me.Name}.Labels()})
	if err != nil {
		t.Fatal(err)
	}
	w.mute.Store(w.name(), true)
	if err := w.engine.Start(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	w.mute.Delete(w.name())
	inventory := state.Inventory(w.broker.Config.Inventory)
	if err := inventory.Set(w.name(), state.Expected{ID: made.ID, Engine: "/var/run/docker.sock", Unfinished: true}); err != nil {
		t.Fatal(err)
	}
	w.enters()
	if now := w.id(); now == made.ID {
		t.Error("the half-made container was entered")
	}
	if s, ok := inventory.Get(w.name()); !ok || s.Unfinished || s.ID != w.id() {
		t.Errorf("then the inventory has %+v", s)
	}
}

// On a full disk an entry cannot be changed, only removed.
func TestContainerThatWasEnteredIsNeverTakenForHalfMade(t *testing.T) {
	w := newWorld(t)
	inventory := w.broker.Config.Inventory
	// The file that an entry is written to is a directory once the container is started.
	began, release := w.engine.Hold("Start")
	go func() {
		<-began
		if err := os.MkdirAll(inventory+"/"+w.name()+"~/full", 0o700); err != nil {
			t.Error(err)
		}
		release()
	}()
	c := w.enters()
	id := w.id()
	if s, ok := state.Inventory(inventory).Get(w.name()); ok {
		t.Errorf("the inventory has %+v", s)
	}
	_ = c.Close()
	w.eventually("it is over", func() bool { return len(w.broker.sessions.Live()) == 0 })
	if err := w.engine.Stop(t.Context(), id, 0); err != nil {
		t.Fatal(err)
	}
	w.enters()
	if now := w.id(); now != id {
		t.Errorf("the container was removed: %s, was %s", now, id)
	}
}

// A container that cannot be noted is not made; one that exists is entered.
func TestInventoryThatCannotBeWrittenStopsOnlyNewContainers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root has an inventory")
	}
	w := newWorld(t)
	inventory := w.broker.Config.Inventory
	if err := os.WriteFile(inventory, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w.refused(&wire.Login{}, "cannot write its inventory of containers")
	if id := w.id(); id != "" {
		t.Errorf("left: %s", id)
	}
	if err := os.Remove(inventory); err != nil {
		t.Fatal(err)
	}
	c := w.enters()
	id := w.id()
	if err := errors.Join(os.RemoveAll(inventory), os.WriteFile(inventory, nil, 0o600), c.Close()); err != nil {
		t.Fatal(err)
	}
	w.eventually("it is over", func() bool { return len(w.broker.sessions.Live()) == 0 })
	_ = w.enters().Close()
	w.eventually("it is over", func() bool { return len(w.broker.sessions.Live()) == 0 })
	if err := w.engine.Stop(t.Context(), id, 0); err != nil {
		t.Fatal(err)
	}
	w.enters()
	if now := w.id(); now != id {
		t.Errorf("another container: %s, was %s", now, id)
	}
}

func TestManyFirstLoginsMakeOneContainer(t *testing.T) {
	w := newWorld(t)
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() { w.enters() })
	}
	all.Wait()
	if n := w.engine.Calls("Create"); n != 2 { // one is the look into the image
		t.Errorf("%d containers were made", n)
	}
}

func TestLoginInEveryStateOfTheContainer(t *testing.T) {
	for _, c := range []struct {
		state   engine.State
		refused string
		creates int
	}{
		{engine.Exited, "", 0}, {engine.Created, "", 1}, {engine.Dead, "", 1}, {engine.Paused, "is paused", 0},
	} {
		w := newWorld(t)
		w.enters()
		before := w.engine.Calls("Create")
		w.broker.forget(w.name())
		w.engine.SetState(w.name(), c.state)
		if c.refused != "" {
			w.refused(&wire.Login{}, c.refused)
		} else {
			w.enters()
		}
		if n := w.engine.Calls("Create") - before; n != c.creates {
			t.Errorf("%s: %d containers made", c.state, n)
		}
	}
}

func TestNameIsNotProofOfOwnership(t *testing.T) {
	w := newWorld(t)
	w.engine.Add(engine.Container{Name: w.name(), State: engine.Running, ImageID: "sha256:1"})
	w.refused(&wire.Login{}, "is taken by a container that dockersh did not make")

	w = newWorld(t)
	w.engine.Add(engine.Container{Name: w.name(), State: engine.Running, ImageID: "sha256:1", Labels: policy.Owner{UID: 1, Identity: "u=other"}.Labels()})
	w.refused(&wire.Login{}, "belongs to another user")
}

// Whatever step fails, the user sees one line, and nothing half-made is left.
func TestFailureLeavesNothingHalfMade(t *testing.T) {
	for _, c := range []struct {
		call string
		err  error
		told string
	}{
		{"Find", engine.ErrDown, "engine does not answer"},
		{"ImageID", engine.ErrDown, "engine does not answer"},
		{"Create", engine.ErrOption, "refuses an option"},
		{"Create", errors.New("secret of the host"), "cannot be started"},
		{"ReadFile", errors.New("x"), "cannot be started"},
		{"Start", errors.New("x"), "cannot be started"},
	} {
		w := newWorld(t)
		w.engine.Fail(c.call, c.err)
		w.refused(&wire.Login{}, c.told)
		w.engine.Fail(c.call, nil)
		if left, err := w.engine.List(t.Context(), false); err != nil || len(left) != 0 {
			t.Errorf("%s: left %v %v", c.call, left, err)
		}
		w.enters()
	}
}

func TestImageIsPulledAsTheSettingSays(t *testing.T) {
	w := newWorld(t)
	w.engine.Remote["far:1"] = "sha256:2"
	w.set("[dockersh]\nimagename = far:1\npull = never\n")
	w.refused(&wire.Login{}, "no image far:1")
	w.set("[dockersh]\nimagename = far:1\n")
	w.enters()
	if n := w.engine.Calls("Pull"); n != 1 {
		t.Errorf("%d pulls", n)
	}
	w = newWorld(t)
	w.set("[dockersh]\nimagename = none:1\n")
	w.refused(&wire.Login{}, "no image none:1")
}

func TestUserFileCountsOnlyWhereOpened(t *testing.T) {
	w := newWorld(t)
	own := &wire.Login{UserFile: []byte("[dockersh]\nusercwd = /tmp\nnonsense = 1\n")}
	if m, _ := w.login(own); m.Kind() != wire.KindReady {
		t.Errorf("a file that is not to be read counted: %#v", m)
	}
	w.set("[dockersh]\nenableuserconfig\n")
	w.ignored(own, "~/.dockersh:3:1: unknown setting")
	w.ignored(&wire.Login{UserErr: "is a symbolic link"}, "is a symbolic link")
	w.set("[dockersh]\nenableuserconfig\nenableusermounthome\nenableuserimagename\ncontainername = room\n")
	w.ignored(&wire.Login{UserFile: []byte("[dockersh]\nmounthome\n")}, "would decide for others")
	w.set("[dockersh]\nenableuserconfig\nenableuserimagename\ncontainername = %u-new\n")
	w.ignored(&wire.Login{UserFile: []byte("[dockersh]\nimagename = none:1\n")}, "there is no image none:1")
	w.set("[dockersh]\nenableuserconfig\nenableusercontainerusername\ncontainername = %u-user\n")
	w.ignored(&wire.Login{UserFile: []byte("[dockersh]\ncontainerusername = nosuchuser\n")}, "the container user nosuchuser")
	w.set("[dockersh]\nenableuserconfig\nenableuserusercwd\n")
	m, _ := w.login(&wire.Login{UserFile: []byte("[dockersh]\nusercwd = /tmp\n")})
	if r, ok := m.(*wire.Ready); !ok || r.Cwd != "/tmp" {
		t.Errorf("got %#v", m)
	}
}

func TestContainerOfAnIgnoredUserFileLeavesNothing(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nenableuserconfig\nenableusercontainername\nenableuserimagename\nmaxsessions = 1\n")
	w.ignored(&wire.Login{UserFile: []byte("[dockersh]\ncontainername = other\nimagename = none:1\n")}, "there is no image none:1")
	w.eventually("only the container that is entered has a directory", func() bool {
		return slices.Equal(w.broker.state.Containers(), []string{w.name()}) && len(w.broker.sessions.Live()) == 0
	})
}

// The image that ~/.dockersh names is not there, and two logins wait for it: one that read the
// file before the user removed it, and one that did not.
func TestLoginWithoutTheUserFileDoesNotFailByIt(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nenableuserconfig\nenableuserimagename\n")
	began, release := w.engine.Hold("Pull")
	defer release()
	answers := make(chan wire.Message, 2)
	for _, file := range []string{"[dockersh]\nimagename = none:1\n", ""} {
		go func() { m, _ := w.login(&wire.Login{UserFile: []byte(file)}); answers <- m }()
		if file != "" {
			<-began
		}
	}
	waits := func() bool {
		_, waiting := w.broker.sessions.In(w.name())
		return waiting == 2
	}
	for end := time.Now().Add(10 * time.Second); !waits(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the second login does not wait")
		}
	}
	time.Sleep(20 * time.Millisecond) // it waits for the work from here on
	release()
	for range 2 {
		if m := <-answers; m.Kind() != wire.KindReady {
			t.Errorf("got %#v", m)
		}
	}
}

func TestHostShellNeedsNoEngine(t *testing.T) {
	w := newWorld(t)
	w.set("[user \"" + w.me.Name + "\"]\nhostshell = /bin/sh\n")
	w.engine.Fail("Find", engine.ErrDown)
	if m, _ := w.login(&wire.Login{}); m.Kind() != wire.KindHostShell {
		t.Errorf("got %#v", m)
	}
}

func TestFrontOfALostSessionLearnsWhy(t *testing.T) {
	for state, want := range map[engine.State]string{engine.Exited: "was stopped", engine.Paused: "is paused", "": "was removed"} {
		w := newWorld(t)
		c := w.enters()
		if state == "" {
			found, err := w.engine.Find(t.Context(), w.name())
			if err != nil || w.engine.Remove(t.Context(), found.ID) != nil {
				t.Fatal(err)
			}
		} else {
			w.engine.SetState(w.name(), state)
		}
		if err := c.Send(&wire.Why{}); err != nil {
			t.Fatal(err)
		}
		m, _, err := c.Recv()
		if r, ok := m.(*wire.Reason); !ok || !contains(r.Text, want) {
			t.Errorf("%s: got %#v %v", state, m, err)
		}
	}
}

func TestLoginUnderWayOutlivesTheShutdown(t *testing.T) {
	w := newWorld(t)
	w.mute.Store(w.name(), true)
	answer := make(chan wire.Message, 1)
	go func() {
		defer close(answer) // login may end the test
		m, _ := w.login(&wire.Login{})
		answer <- m
	}()
	start := w.broker.state.Container(w.name()).StartSocket()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(start); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal("no agent is awaited")
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		w.broker.Shutdown(ctx, w.listener)
	}()
	for !w.broker.closing.Load() {
		time.Sleep(time.Millisecond)
	}
	spec, _ := w.engine.Spec(w.name())
	go w.agent(spec)
	if m, ok := <-answer; !ok || m.Kind() != wire.KindReady {
		t.Errorf("got %#v", m)
	}
	<-done
}

func TestTagThatMovesMeanwhileIsNoticed(t *testing.T) {
	w := newWorld(t)
	w.enters() // looks into the image, too
	w.set("[dockersh]\ncontainername = other\n")
	began, release := w.engine.Hold("Create")
	go func() {
		<-began
		w.engine.AddImage("busybox", "sha256:2", nil)
		release()
	}()
	w.refused(&wire.Login{}, "cannot be started")
	if left, err := w.engine.List(t.Context(), false); err != nil || len(left) != 1 {
		t.Errorf("left %v %v", left, err)
	}
}

func TestUserFileOfTheHomeInsideIsReadByTheFront(t *testing.T) {
	needsRoot(t)
	home, err := os.MkdirTemp("/run", "dockersh-test-") // only root can change what is above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(home) })
	w := newWorld(t)
	w.set("[dockersh]\nenableuserconfig\nenableuserusercwd\nmounthome\nmounthomefrom = " + home + "\nmounthometo = /home/x\n")
	for _, c := range []struct {
		answer      wire.Message
		cwd, notice string
	}{
		{&wire.UserFile{UserFile: []byte("[dockersh]\nusercwd = /tmp\n")}, "/tmp", ""},
		{&wire.UserFile{UserErr: "is a symbolic link\x1b"}, "", "dockersh: ~/.dockersh is ignored: it is a symbolic link"},
		{&wire.UserFile{}, "", ""},
		{&wire.Why{}, "refused", ""},
		{nil, "gone", ""},
	} {
		m, front := w.login(&wire.Login{UserFile: []byte("[dockersh]\nusercwd = /elsewhere\n")})
		if asked, ok := m.(*wire.ReadFile); !ok || asked.Dir != home {
			t.Fatalf("%#v", m)
		}
		if c.answer == nil {
			_ = front.Close()
			continue
		}
		if err := front.Send(c.answer); err != nil {
			t.Fatal(err)
		}
		m, _ = w.answer(front)
		switch m := m.(type) {
		case *wire.Ready:
			if m.Cwd != c.cwd || strings.Join(m.Notice, "") != c.notice {
				t.Errorf("%#v: %#v", c.answer, m)
			}
		case *wire.Error:
			if c.cwd != "refused" || m.Code != uint8(usererr.Protocol) {
				t.Errorf("%#v: %#v", c.answer, m)
			}
		}
		_ = front.Close()
	}
	w.eventually("all is over", func() bool { return len(w.broker.sessions.Live()) == 0 })
}
