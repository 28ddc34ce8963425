package passwd

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestOnlyWholeEntriesAreUsers(t *testing.T) {
	want := User{Name: `DOM\al ice`, UID: 1000, GID: 100, Gecos: "Älice,,,", Home: "/home/a", Shell: ""}
	if got, ok := ParseUser(`DOM\al ice:x:1000:100:Älice,,,:/home/a:`); !ok || got != want {
		t.Errorf("got %+v %v", got, ok)
	}
	for _, l := range []string{
		"", "a", "a:x:1:1::/:/bin/sh:", "a:x:1:1:/:/bin/sh", ":x:1:1::/:/bin/sh", "a:x:-1:1::/:/bin/sh", "a:x:+1:1::/:/bin/sh",
		"a:x: 1:1::/:/bin/sh", "a:x:0x1:1::/:/bin/sh", "a:x:1_0:1::/:/bin/sh", "a:x:4294967295:1::/:/bin/sh", "a:x:1:4294967295::/:/bin/sh",
		"a:x:4294967296:1::/:/bin/sh", "a:x::1::/:/bin/sh", "a\x1b:x:1:1::/:/bin/sh", "a:x:1:1::/\r:/bin/sh", "a:x:1:1::/:/bin/sh\r",
		"a:x:1:1:\x00:/:/bin/sh", "a:x:1:1::/:/bin/sh\nroot:x:0:0::/:/bin/sh", "+::::::", "#a:x:1:1::/:",
	} {
		if u, ok := ParseUser(l); ok {
			t.Errorf("%q was read as %+v", l, u)
		}
	}
}

func TestOnlyWholeEntriesAreGroups(t *testing.T) {
	g, members, ok := parseGroup("domain users:x:513:a,b")
	if !ok || g != (Group{"domain users", 513}) || !slices.Equal(members, []string{"a", "b"}) {
		t.Errorf("got %+v %q %v", g, members, ok)
	}
	for _, l := range []string{"", "a:x:1", "a:x:1:b:c", ":x:1:", "a:x:-1:", "a:x:4294967295:", "a:x:1:b\r", "a:x:1:b\n"} {
		if g, _, ok := parseGroup(l); ok {
			t.Errorf("%q was read as %+v", l, g)
		}
	}
}

func FuzzUserIsReadBack(f *testing.F) {
	for _, l := range []string{"root:x:0:0:root:/root:/bin/bash", "a:x:00012:100::/:", "::::::", "a:x:1:1::/:/bin/sh\n"} {
		f.Add(l)
	}
	f.Fuzz(func(t *testing.T, line string) {
		u, ok := ParseUser(line)
		if !ok {
			return
		}
		fields := strings.Split(line, ":")
		again, ok := ParseUser(Identity{Name: u.Name, UID: u.UID, GID: u.GID, Gecos: u.Gecos, Home: u.Home, Shell: u.Shell}.entry(inShadow))
		if !ok || again != u || u.Name != fields[0] || u.UID == math.MaxUint32 || strings.Contains(line, "\n") {
			t.Errorf("%q: %+v, again %+v %v", line, u, again, ok)
		}
	})
}
