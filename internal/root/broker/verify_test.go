package broker

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/enginetest"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// cover lets containers have other files than the mounted ones from now on, and the user's
// container no agent that connects.
func (w *world) cover(inside ...string) {
	w.looks.Lock()
	defer w.looks.Unlock()
	w.covered = inside
	if w.mute.Delete(w.name()); len(inside) > 0 {
		w.mute.Store(w.name(), true)
	}
}

// state returns the state of the container; empty if there is none.
func (w *world) state() engine.State {
	found, err := w.engine.Find(w.Context(), w.name())
	if err != nil {
		return ""
	}
	return found.State
}

func TestContainerWithAnotherHelperIsNotEntered(t *testing.T) {
	for _, inside := range []string{policy.InitInside, policy.RunInside + "/start.sock"} {
		w := newWorld(t)
		w.cover(inside)
		w.refused(&wire.Login{}, inside)
		if now := w.state(); now != "" {
			t.Errorf("%s: a new container is %s", inside, now)
		}
		w.cover()
		_ = w.enters().Close()
		w.eventually("it is over", func() bool { return len(w.broker.sessions.Live()) == 0 })
		if err := w.engine.Stop(t.Context(), w.name(), 0); err != nil {
			t.Fatal(err)
		}
		w.broker.forget(w.name())
		w.cover(inside)
		w.refused(&wire.Login{}, inside)
		if now := w.state(); now != engine.Exited {
			t.Errorf("%s: a container that users worked in is %s", inside, now)
		}
		w.cover()
		w.enters()
	}
}

// asAnother lets further logins have another container user, of the same number.
func (w *world) asAnother() {
	w.set("[dockersh]\ncontainerusername = " + strconv.Itoa(os.Geteuid()) + ":" + strconv.Itoa(os.Getegid()) + "\n")
}

func TestNoFurtherAgentIsStartedByAnotherHelper(t *testing.T) {
	w := newWorld(t)
	ran := false
	w.engine.OnExec = func(enginetest.Exec) { ran = true }
	c := w.enters()
	w.cover(policy.InitInside)
	w.asAnother()
	w.refused(&wire.Login{}, policy.InitInside)
	if now := w.state(); now != engine.Running {
		t.Errorf("a container with a session in it is %s", now)
	}
	_ = c.Close()
	w.eventually("it is over", func() bool { return len(w.broker.sessions.Live()) == 0 })
	w.refused(&wire.Login{}, policy.InitInside)
	if now := w.state(); now != engine.Exited {
		t.Errorf("a container that nobody is in is %s", now)
	}
	if ran {
		t.Error("a program was started in it")
	}
}

func TestFurtherUserIsAddedWithoutAProgramOfRoot(t *testing.T) {
	w := newWorld(t)
	w.engine.OnExec = func(e enginetest.Exec) {
		if e.As.UID != w.me.UID || len(e.Argv) != 1 {
			t.Errorf("as %d: %q", e.As.UID, e.Argv)
		}
		spec, _ := w.engine.Spec(w.name())
		go w.agent(spec)
	}
	w.enters()
	etc := filepath.Join(w.roots, w.name(), "etc")
	if err := os.MkdirAll(etc, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"passwd", "group"} {
		if err := os.WriteFile(filepath.Join(etc, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	w.asAnother()
	w.enters()
	if b, err := os.ReadFile(filepath.Join(etc, "passwd")); err != nil || !strings.HasPrefix(string(b), w.me.Name+":*:"+strconv.Itoa(os.Geteuid())+":") {
		t.Errorf("passwd: %q %v", b, err)
	}
}

// No broker can look into a container on another host.
func TestRootRunsTheHelperElsewhereOnlyWhereNothingCanHaveReplacedIt(t *testing.T) {
	labels := func(settings, admins string) map[string]string {
		return map[string]string{engine.LabelOwner: "4000000000", engine.LabelIdentity: "", engine.LabelSettings: settings, engine.LabelAdmins: admins}
	}
	for what, c := range map[string]struct {
		container engine.Container
		want      int
	}{
		"the administrator's own":                 {engine.Container{Labels: labels("a", "a")}, 1},
		"with a volume":                           {engine.Container{Labels: labels("a", "a"), Mounts: []engine.Mount{{Target: "/data"}}}, 0},
		"from settings of the user who made it":   {engine.Container{Labels: labels("b", "a")}, 0},
		"from settings that nobody knows anymore": {engine.Container{Labels: labels("", "")}, 0},
	} {
		w := newWorld(t)
		ran := make(chan engine.Program, 8)
		w.engine.OnStream = func(in enginetest.Inside) int { ran <- in.Program; return 1 }
		w.set("[dockersh]\ncontainername = room\ndockersocket = ssh://elsewhere\n")
		c.container.Name, c.container.State, c.container.ImageID = "room", engine.Running, "sha256:1"
		w.engine.Add(c.container)
		w.login(&wire.Login{}) // ends where the bridge would be started
		if len(ran) != c.want {
			t.Errorf("%s: %d programs ran", what, len(ran))
		}
		for range len(ran) {
			if e := <-ran; e.UID != 0 || e.Argv[1] != "adduser" {
				t.Errorf("%s: ran %+v", what, e)
			}
		}
	}
}

// A link would count before anybody can look.
func TestMountThatUsersMayMoveIsNotStartedWhereRightsMayGrow(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("whoever comes without root's broker may ask the engine for root")
	}
	w := newWorld(t)
	w.engine.AddImage("busybox", "sha256:1", map[string][]byte{"/etc/passwd": []byte("root:x:0:0::/root:\nstudent:x:1234:1234::/home/student:/bin/sh\n")})
	w.engine.Fail("Start", errors.New("it was to be started"))
	for line, want := range map[string]bool{
		"volume = /usr:/home/student/x":                  true,
		"volume = /usr:/mnt":                             false,
		"volume = /usr:/mnt\nvolume = /usr:/mnt/share/a": false, // only root can change /usr
		"volume = /tmp:/mnt\nvolume = /usr:/mnt/a":       true,
	} {
		for _, rights := range []bool{true, false} {
			text := "[dockersh]\ncontainerusername = student\n" + line + "\n"
			if rights {
				text += "nonewprivileges = false\n"
			}
			w.set(text)
			m, c := w.login(&wire.Login{})
			e, refused := m.(*wire.Error)
			if !refused || strings.Contains(e.Text, "users can make a link") != (want && rights) {
				t.Errorf("rights %v, %s: %+v", rights, line, m)
			}
			if now := w.state(); now != "" {
				t.Errorf("%s: a container is %s", line, now)
			}
			_ = c.Close()
		}
	}
}

// The settings have changed since it was made, and it was kept.
func TestRightsOfAContainerAreThoseItWasMadeWith(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("whoever comes without root's broker may ask the engine for root")
	}
	w := newWorld(t)
	w.set("[dockersh]\ncontainerusername = 1234\n")
	w.engine.Add(engine.Container{
		Name: w.name(), State: engine.Exited, Image: "busybox", ImageID: "sha256:1", MayGain: true,
		Labels: policy.Owner{UID: w.me.UID, Identity: "u=" + w.me.Name}.Labels(),
		Mounts: []engine.Mount{{Source: "/tmp", Target: "/mnt"}, {Source: "/usr", Target: "/mnt/a"}},
	})
	w.refused(&wire.Login{}, "users can make a link")
	if w.engine.Calls("Start") > 0 {
		t.Error("it was started")
	}
}

func TestMountsAreLookedAtOnceForEachStart(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nvolume = /usr:/open/data\n")
	open := func() {
		w.Helper()
		dir := filepath.Join(w.roots, w.name(), "open") // without anything mounted in it
		if err := os.MkdirAll(filepath.Join(dir, "data"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	open()
	w.mute.Store(w.name(), true)
	w.refused(&wire.Login{}, "does not have at /open/data what was to be mounted there")
	if now := w.state(); now != "" {
		t.Errorf("a new container is %s", now)
	}
	w.mute.Delete(w.name())
	if err := os.RemoveAll(filepath.Join(w.roots, w.name())); err != nil {
		t.Fatal(err)
	}
	w.enters()
	open() // users may rename what is above a mount
	w.engine.OnExec = func(enginetest.Exec) {
		spec, _ := w.engine.Spec(w.name())
		go w.agent(spec)
	}
	w.set("[dockersh]\nvolume = /usr:/open/data\ncontainerusername = " + strconv.Itoa(os.Geteuid()) + ":" + strconv.Itoa(os.Getegid()) + "\n")
	w.enters()
}
