package broker

import (
	"fmt"
	"testing"

	"github.com/dockersh/dockersh/internal/proto/wire"
)

// The image has the very lines that dockersh would write; its files may be the user's.
func TestForeignImageGetsPasswdAndGroupOfItsOwn(t *testing.T) {
	w := newWorld(t)
	passwd := fmt.Sprintf("root:x:0:0:root:/root:/bin/sh\n%s:x:%d:%d:%s:%s:/bin/ash\n", w.me.Name, w.me.UID, w.me.GID, w.me.Gecos, w.me.Home)
	group := fmt.Sprintf("%s:x:%d:\n", w.me.Name, w.me.GID)
	if w.me.UID == 0 {
		passwd = fmt.Sprintf("root:x:0:0:%s:%s:/bin/ash\n", w.me.Gecos, w.me.Home)
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
		for _, path := range []string{"/etc", "/etc/passwd", "/etc/group"} {
			f, ok := w.engine.File(name, path)
			if ok != c.want || f.UID != 0 || f.Mode&0o022 != 0 || f.Dir != f.Reset {
				t.Errorf("%q, %s: %v %+v", c.own, path, ok, f)
			}
		}
	}
}
