package broker

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/proto/wire"
)

// needsRoot skips a test in which the container's files must be root's.
func needsRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can make files that belong to root")
	}
}

// The image has the very lines that dockersh would write; its files may be the user's.
func TestForeignImageGetsPasswdAndGroupOfItsOwn(t *testing.T) {
	needsRoot(t)
	w := newWorld(t)
	passwd := fmt.Sprintf("root:x:0:0:root:/root:/bin/sh\n%s:*:%d:%d:%s:%s:/bin/ash\n", w.me.Name, w.me.UID, w.me.GID, w.me.Gecos, w.me.Home)
	group := fmt.Sprintf("%s:x:%d:\n", w.me.Name, w.me.GID)
	if w.me.UID == 0 {
		passwd = fmt.Sprintf("root:*:0:0:%s:%s:/bin/ash\n", w.me.Gecos, w.me.Home)
	}
	for i, c := range []struct {
		own  string
		want bool
	}{{"", false}, {"[dockersh]\nimagename = theirs\n", true}} {
		w.set(fmt.Sprintf("[dockersh]\nimagename = ours\ncontainername = %%u-%d\nmounthometo = %s\nenableuserconfig\nenableuserimagename\n", i, w.me.Home))
		for _, name := range []string{"ours", "theirs"} {
			w.engine.AddImage(name, "sha256:"+name, map[string][]byte{"/etc/passwd": []byte(passwd), "/etc/group": []byte(group)})
		}
		if m, _ := w.login(&wire.Login{UserFile: []byte(c.own)}); m.Kind() != wire.KindReady {
			t.Fatalf("%q: %+v", c.own, m)
		}
		name := fmt.Sprintf("%s-%d", w.me.Name, i)
		for path, mode := range map[string]os.FileMode{"/etc": 0o755 | os.ModeDir, "/etc/passwd": 0o644, "/etc/group": 0o644} {
			st, err := os.Lstat(w.roots + "/" + name + path)
			if (err == nil) != c.want || err == nil && st.Mode() != mode {
				t.Errorf("%q, %s: %v %v", c.own, path, st, err)
			}
		}
	}
}

func TestUserGetsNoImageOfAnothersContainer(t *testing.T) {
	needsRoot(t)
	w := newWorld(t)
	w.set("[dockersh]\nenableuserconfig\nenableuserimagename\n")
	if m, _ := w.login(&wire.Login{}); m.Kind() != wire.KindReady {
		t.Fatalf("%+v", m)
	}
	found, err := w.engine.Find(t.Context(), w.name())
	if err != nil {
		t.Fatal(err)
	}
	id, err := w.engine.Commit(t.Context(), found.ID, "backup")
	if err != nil {
		t.Fatal(err)
	}
	w.engine.Remote["remote"] = "sha256:remote"
	for i, c := range []struct{ allow, own, refusal string }{
		{"", "backup", "the image backup was made from a container"},
		{"", id, "was made from a container"},
		{"", "busybox", ""},
		{"", "sha256:1", ""},
		{"allowimage = busybox", "backup", "is not one that you may use"},
		{"allowimage = busybox", "none", "is not one that you may use"},
		{"allowimage = busybox", "remote", "is not one that you may use"},
		{"allowimage = busybox", "sha256:1", ""},
		{"allowimage = backup:*", id, ""},
		{"allowimage = rem*", "remote", ""},
	} {
		w.set(fmt.Sprintf("[dockersh]\nimagename = busybox\ncontainername = %%u-%d\nenableuserconfig\nenableuserimagename\n%s\n", i, c.allow))
		m, _ := w.login(&wire.Login{UserFile: []byte("[dockersh]\nimagename = " + c.own)})
		ready, ok := m.(*wire.Ready)
		if !ok || (len(ready.Notice) > 0) != (c.refusal != "") || !strings.Contains(strings.Join(ready.Notice, ""), c.refusal) {
			t.Errorf("%s, %s: %+v", c.allow, c.own, m)
		}
	}
	if n := w.engine.Calls("Pull"); n != 1 {
		t.Errorf("%d images were pulled, want the one that is allowed", n)
	}
}

// An older version made the container, or somebody who was root inside changed it.
func TestForeignImageWhoseUserCanChangeTheGroupsIsNotEntered(t *testing.T) {
	needsRoot(t)
	for what, spoil := range map[string]func(etc string) error{
		"the directory": func(etc string) error { return os.Chmod(etc, 0o777) },
		"the file":      func(etc string) error { return os.Chown(etc+"/group", 1001, 0) },
		"a link": func(etc string) error {
			return errors.Join(os.Rename(etc, etc+"0"), os.Symlink("/etc0", etc), os.Chown(etc+"0", 1001, 0))
		},
	} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(t)
			w.engine.AddImage("theirs", "sha256:2", nil)
			w.set("[dockersh]\nenableuserconfig\nenableuserimagename\n")
			theirs := &wire.Login{UserFile: []byte("[dockersh]\nimagename = theirs")}
			m, c := w.login(theirs)
			if m.Kind() != wire.KindReady {
				t.Fatalf("got %+v", m)
			}
			_ = c.Close()
			w.eventually("it is over", func() bool { return len(w.broker.sessions.Live()) == 0 })
			id := w.id()
			if err := w.engine.Stop(t.Context(), id, 0); err != nil {
				t.Fatal(err)
			}
			for _, agent := range w.broker.state.Container(w.name()).AgentSockets() { // which ends with the container
				_ = os.Remove(agent)
			}
			if err := spoil(filepath.Join(w.roots, w.name(), "etc")); err != nil {
				t.Fatal(err)
			}
			w.mute.Store(w.name(), true)
			w.refused(theirs, "has an /etc/group that its user can change")
			w.mute.Delete(w.name())
			if err := w.engine.Remove(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			// The administrator's image is as the administrator wants it.
			_ = w.enters().Close()
		})
	}
}

// On another host the engine's copy mounts along a path that processes of containers with the
// outer mount may be changing.
func TestEngineElsewhereIsNotAskedAboutMountsBehindALinkInAnother(t *testing.T) {
	for lines, refused := range map[string]bool{
		"volume = data:/data\nvolume = more:/more":   false,
		"volume = data:/data":                        false,
		"volume = data:/data\nvolume = more:/l/more": true,
	} {
		w := newWorld(t)
		w.engine.AddLink("busybox", "/l", "/data/in")
		w.mute.Store(w.name(), true) // its sessions go over the engine's exec
		w.set("[dockersh]\ndockersocket = ssh://elsewhere\n" + lines + "\n")
		m, _ := w.login(&wire.Login{})
		e, isError := m.(*wire.Error)
		if !isError || strings.Contains(e.Text, "lies in another") != refused || (w.engine.Calls("PutFiles") == 0) != refused {
			t.Errorf("%s: %+v, %d copies", lines, m, w.engine.Calls("PutFiles"))
		}
		for _, c := range []string{w.name(), "dockersh-probe-" + strconv.Itoa(os.Geteuid()) + "-1"} {
			if _, err := w.engine.Find(t.Context(), c); refused && err == nil {
				t.Errorf("%s: %s is left", lines, c)
			}
		}
	}
}
