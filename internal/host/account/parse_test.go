package account

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestOnlyWholeEntriesAreUsers(t *testing.T) {
	want := User{Name: `DOM\al ice`, UID: 1000, GID: 100, Gecos: "Älice,,,", Home: "/home/a", Shell: ""}
	if got, ok := parseUser(`DOM\al ice:x:1000:100:Älice,,,:/home/a:`); !ok || got != want {
		t.Errorf("got %+v %v", got, ok)
	}
	for _, l := range []string{
		"", "a", "a:x:1:1::/:/bin/sh:", "a:x:1:1:/:/bin/sh", ":x:1:1::/:/bin/sh", "a:x:-1:1::/:/bin/sh", "a:x:+1:1::/:/bin/sh",
		"a:x: 1:1::/:/bin/sh", "a:x:0x1:1::/:/bin/sh", "a:x:1_0:1::/:/bin/sh", "a:x:4294967295:1::/:/bin/sh", "a:x:1:4294967295::/:/bin/sh",
		"a:x:4294967296:1::/:/bin/sh", "a:x::1::/:/bin/sh", "a\x1b:x:1:1::/:/bin/sh", "a:x:1:1::/\r:/bin/sh", "a:x:1:1::/:/bin/sh\r",
		"a:x:1:1:\x00:/:/bin/sh", "a:x:1:1::/:/bin/sh\nroot:x:0:0::/:/bin/sh", "+::::::", "#a:x:1:1::/:",
	} {
		if u, ok := parseUser(l); ok {
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

func TestListOfGroupsMustBeForTheUser(t *testing.T) {
	for out, want := range map[string][]uint32{
		"":                        {},
		"alice                \n": {},
		"alice                 4 27 4294967294\n": {4, 27, 4294967294},
	} {
		if got, ok := parseInitgroups(out, "alice"); !ok || !slices.Equal(got, want) {
			t.Errorf("%q: got %v %v", out, got, ok)
		}
	}
	if got, ok := parseInitgroups("al ice 7               4\n", "al ice 7"); !ok || !slices.Equal(got, []uint32{4}) {
		t.Errorf("a name with a number in it: got %v %v", got, ok)
	}
	for _, out := range []string{"bob   4\n", "alice2   4\n", "alice  4 x\n", "alice  -1\n", "alice 4\nalice 0\n", "\n"} {
		if got, ok := parseInitgroups(out, "alice"); ok {
			t.Errorf("%q was read as %v", out, got)
		}
	}
}

func FuzzUserIsReadBack(f *testing.F) {
	for _, l := range []string{"root:x:0:0:root:/root:/bin/bash", "a:x:00012:100::/:", "::::::", "a:x:1:1::/:/bin/sh\n"} {
		f.Add(l)
	}
	f.Fuzz(func(t *testing.T, line string) {
		u, ok := parseUser(line)
		if !ok {
			return
		}
		fields := strings.Split(line, ":")
		again, ok := parseUser(Identity{Name: u.Name, UID: u.UID, GID: u.GID, Gecos: u.Gecos, Home: u.Home, Shell: u.Shell}.entry(inShadow))
		if !ok || again != u || u.Name != fields[0] || u.UID == math.MaxUint32 || strings.Contains(line, "\n") {
			t.Errorf("%q: %+v, again %+v %v", line, u, again, ok)
		}
	})
}

func FuzzListOfGroups(f *testing.F) {
	f.Add("alice                 4 27\n", "alice")
	f.Add("a 1 2 3\n", "a 1")
	f.Fuzz(func(t *testing.T, out, name string) {
		gids, ok := parseInitgroups(out, name)
		if ok && (!strings.HasPrefix(out, name) && out != "" || len(gids) > len(out)) {
			t.Errorf("%q of %q: %v", out, name, gids)
		}
	})
}
