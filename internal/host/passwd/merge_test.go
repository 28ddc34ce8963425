package passwd

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

const debianPasswd = "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
const debianGroup = "root:x:0:\nadm:x:4:\nsudo:x:27:bob\nstaff:x:50:\nusers:x:100:\n"

func alice() Identity {
	return Identity{Name: "alice", UID: 1000, GID: 1000, Home: "/home/alice", Shell: "/bin/ash", Gecos: "A",
		Groups: []Group{{"alice", 1000}}}
}

const aliceLine = "alice:*:1000:1000:A:/home/alice:/bin/ash\n"

func TestMergePutsTheUserIntoPasswd(t *testing.T) {
	root := "root:*:0:0:root:/root:/bin/sh\n"
	for what, c := range map[string]struct {
		image, want string
		who         func(*Identity)
	}{
		"an image without the user": {image: debianPasswd, want: debianPasswd + aliceLine},
		"no passwd at all":          {want: root + aliceLine},
		"an end without newline":    {image: strings.TrimSuffix(debianPasswd, "\n"), want: debianPasswd + aliceLine},
		"an entry of the same name, whose place is kept": {
			image: "alice:x:7:7::/:/bin/false\n" + debianPasswd + "alice:x:8:8::/:/bin/false\n",
			want:  aliceLine + debianPasswd,
		},
		"another user of the same number": {
			image: debianPasswd + "node:x:1000:1000::/home/node:/bin/bash\nlast:x:9:9::/:\n",
			want:  debianPasswd + aliceLine + "node:x:1000:1000::/home/node:/bin/bash\nlast:x:9:9::/:\n",
		},
		"another user of the same number, and later one of the same name": {
			image: "node:x:1000:1000::/:\n" + debianPasswd + "alice:x:5:5::/:\n",
			want:  aliceLine + "node:x:1000:1000::/:\n" + debianPasswd,
		},
		"odd lines": {
			image: "# a comment\n\n+@team\nhalf:x:1000\n\xff:::\r\n" + debianPasswd + "+::::::\n",
			want:  "# a comment\n\n+@team\n" + aliceLine + "half:x:1000\n\xff:::\r\n" + debianPasswd + "+::::::\n",
		},
		"an odd line of the same name": {image: debianPasswd + " alice::0\n", want: debianPasswd + aliceLine},
		"root itself": {
			image: "root:*:0:0:The Boss:/:/sbin/nologin\ndaemon:x:1:1::/:\n",
			want:  "root:*:0:0:The Boss:/root:/bin/ash\ndaemon:x:1:1::/:\n",
			who: func(i *Identity) {
				*i = Identity{Name: "root", Home: "/root", Shell: "/bin/ash", Gecos: "host", Groups: []Group{{"root", 0}}}
			},
		},
		"another name of root": {
			image: debianPasswd, want: "toor:*:0:1000:A:/home/alice:/bin/ash\n" + debianPasswd,
			who: func(i *Identity) { i.Name, i.UID = "toor", 0 },
		},
	} {
		who := alice()
		if c.who != nil {
			c.who(&who)
		}
		got, _, err := Merge([]byte(c.image), nil, nil, who)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %v, got\n%swant\n%s", what, err, got, c.want)
		}
	}
}

// PAM takes an x without a line in shadow for a locked account.
func TestPasswordIsInShadowOnlyWhereTheImageHasIt(t *testing.T) {
	for what, c := range map[string]struct{ image, shadow, want string }{
		"an image without the user":            {debianPasswd, "root:*:1::::::\n", "alice:*:"},
		"a line of the user":                   {"alice:x:7:7::/:\n", "root:*:1::::::\nalice:!:1::::::\n", "alice:x:"},
		"a user without a line":                {"alice:x:7:7::/:\n", "root:*:1::::::\nalice2:!:1::::::\n", "alice:*:"},
		"a line that does not count":           {"alice:*:7:7::/:\n", "alice:!:1::::::\n", "alice:*:"},
		"a line without a user":                {debianPasswd, "alice:!:1::::::\n", "alice:*:"},
		"a user who needs no password to come": {"alice::7:7::/:\n", "", "alice:*:"},
	} {
		got, _, err := Merge([]byte(c.image), nil, ShadowNames([]byte(c.shadow)), alice())
		if err != nil || !strings.Contains("\n"+string(got), "\n"+c.want) {
			t.Errorf("%s: %v, got\n%s", what, err, got)
		}
	}
	if names := ShadowNames([]byte("root:$6$secret:1::::::\n\nodd\nalice:!:::::::")); string(names) != "root\nalice\n" {
		t.Errorf("%q", names)
	}
}

func TestMergePutsTheGroupsIntoGroup(t *testing.T) {
	for what, c := range map[string]struct {
		image, want string
		gid         uint32
		groups      []Group
	}{
		"the user's own group":           {image: debianGroup, want: debianGroup + "alice:x:1000:\n"},
		"no group at all":                {want: "root:x:0:\nalice:x:1000:\n"},
		"a group without name":           {image: debianGroup, gid: 1234, groups: []Group{{"1234", 1234}}, want: debianGroup + "1234:x:1234:\n"},
		"a group that the image has too": {image: debianGroup, gid: 100, groups: []Group{{"users", 100}}, want: debianGroup},
		"the primary group has its own name": {
			image: debianGroup, gid: 50, groups: []Group{{"people", 50}},
			want: strings.Replace(debianGroup, "staff", "people:x:50:\nstaff", 1),
		},
		"its name belongs to another group": {
			image: debianGroup, gid: 1000, groups: []Group{{"staff", 1000}},
			want: debianGroup + "staff-1000:x:1000:\n",
		},
		"and so does the longer name": {
			image: debianGroup + "staff-1000:x:9:\n", gid: 1000, groups: []Group{{"staff", 1000}},
			want: debianGroup + "staff-1000:x:9:\nstaff-1000-1000:x:1000:\n",
		},
		"members": {
			image:  debianGroup,
			groups: []Group{{"alice", 1000}, {"admins", 4}, {"wheel", 27}, {"domain users", 513}, {"users", 20000}, {"again", 513}},
			want: "root:x:0:\nadm:x:4:alice\nsudo:x:27:bob,alice\nstaff:x:50:\nusers:x:100:\n" +
				"alice:x:1000:\ndomain users:x:513:alice\nusers-20000:x:20000:alice\n",
		},
		"a member already": {
			image: "root:x:0:\nsudo:x:27:alice2,alice\n", groups: []Group{{"alice", 1000}, {"sudo", 27}},
			want: "root:x:0:\nsudo:x:27:alice2,alice\nalice:x:1000:\n",
		},
		"an odd line": {
			image: "root:x:0:\nhalf:x:27\n", groups: []Group{{"alice", 1000}, {"sudo", 27}},
			want: "root:x:0:\nsudo:x:27:alice\nhalf:x:27\nalice:x:1000:\n",
		},
	} {
		who := alice()
		if c.gid != 0 {
			who.GID = c.gid
		}
		if c.groups != nil {
			who.Groups = c.groups
		}
		_, got, err := Merge(nil, []byte(c.image), nil, who)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %v, got\n%swant\n%s", what, err, got, c.want)
		}
	}
}

func TestValueNeverBecomesAnotherFieldOrUser(t *testing.T) {
	for what, change := range map[string]func(*Identity){
		"no name":                  func(i *Identity) { i.Name = "" },
		"a colon in the name":      func(i *Identity) { i.Name = "a:b" },
		"a comma in the name":      func(i *Identity) { i.Name = "a,b" },
		"a newline in the home":    func(i *Identity) { i.Home = "/\nx:x:0:0::/:" },
		"a colon in the home":      func(i *Identity) { i.Home = "/a:b" },
		"a colon in the shell":     func(i *Identity) { i.Shell = "/bin/sh:" },
		"a newline in the comment": func(i *Identity) { i.Gecos = "\n" },
		"a colon in a group":       func(i *Identity) { i.Groups[0].Name = "a:b" },
		"a newline in a group":     func(i *Identity) { i.Groups[0].Name = "a\nb" },
		"root with a number":       func(i *Identity) { i.Name = "root" },
		"a number for a name":      func(i *Identity) { i.Name = "0" },
		"a group called 0":         func(i *Identity) { i.Groups[0].Name = "0" },
	} {
		who := alice()
		change(&who)
		if p, g, err := Merge([]byte(debianPasswd), []byte(debianGroup), nil, who); !errors.Is(err, ErrField) || p != nil || g != nil {
			t.Errorf("%s: %v %q %q", what, err, p, g)
		}
	}
}

// The engine looks for a name before it takes --user=1000:1000 for numbers.
func TestImageWithOurNumberAsANameIsRefused(t *testing.T) {
	for _, l := range []string{"1000:x:0:0::/:/bin/sh\n", " 1000:x:0\n", "1000\n", "1000:x:abc:0::/:\n"} {
		if _, _, err := Merge([]byte(debianPasswd+l), nil, nil, alice()); !errors.Is(err, ErrField) {
			t.Errorf("user %q: %v", l, err)
		}
		if _, _, err := Merge(nil, []byte(debianGroup+l), nil, alice()); !errors.Is(err, ErrField) {
			t.Errorf("group %q: %v", l, err)
		}
	}
	if _, _, err := Merge([]byte("1000:x:1000:1000::/:\n1001:x:0:0::/:\n"), []byte("1000:x:1000:\n"), nil, alice()); err != nil {
		t.Errorf("the same number: %v", err)
	}
}

func FuzzMergeAddsTheUserAndLosesNobody(f *testing.F) {
	f.Add([]byte(debianPasswd), []byte(debianGroup), "alice", uint32(1000), uint32(100), uint32(27), "staff")
	f.Add([]byte(nil), []byte(nil), "root", uint32(0), uint32(0), uint32(0), "root")
	f.Add([]byte("a:x:1000:1::/:\n\n#\nx"), []byte("a:x:27\nb:x:27:c"), "x", uint32(1000), uint32(27), uint32(5), "a")
	f.Fuzz(func(t *testing.T, passwd, group []byte, name string, uid, gid, more uint32, moreName string) {
		who := Identity{Name: name, UID: uid, GID: gid, Home: "/h", Shell: "/s",
			Groups: []Group{{Name: "g" + FormatID(gid), GID: gid}, {Name: moreName, GID: more}}}
		if _, ok := ParseID(FormatID(uid)); !ok || uid == 1<<32-1 || gid == 1<<32-1 || more == 1<<32-1 {
			return
		}
		p, g, err := Merge(passwd, group, nil, who)
		if err != nil {
			if !errors.Is(err, ErrField) {
				t.Fatalf("an error without a kind: %v", err)
			}
			return
		}
		checkPasswd(t, lines(passwd), p, who)
		checkGroup(t, lines(group), g, who)
		if p2, g2, err := Merge(p, g, nil, who); err != nil || !bytes.Equal(p, p2) || !bytes.Equal(g, g2) {
			t.Errorf("merged once more: %v\n%q\n%q\n%q\n%q", err, p, p2, g, g2)
		}
	})
}

func TestEntriesAreThoseOfMerge(t *testing.T) {
	for _, who := range []Identity{
		alice(),
		{Name: "bob", UID: 1001, GID: 50, Groups: []Group{{"other", 7}, {"staff", 50}}},
		{Name: "carol", UID: 1002, GID: 1002, Home: "/c"},
	} {
		p, g, err := Entries(who)
		passwd, group, err2 := Merge(nil, nil, nil, who)
		if err != nil || err2 != nil || !slices.Contains(lines(passwd), p) || !slices.Contains(lines(group), g) {
			t.Errorf("%q %q %v; %q %q %v", p, g, err, passwd, group, err2)
		}
	}
}

func FuzzEntriesAreReadBackAsTheUser(f *testing.F) {
	f.Add("alice", uint32(1000), uint32(100), "A", "/home/alice", "/bin/sh", "users")
	f.Add("root", uint32(0), uint32(0), "", "", "", "")
	f.Add("a:b", uint32(1), uint32(1<<32-1), "x\ny", "/:", "\x00", "#g")
	f.Fuzz(func(t *testing.T, name string, uid, gid uint32, gecos, home, shell, group string) {
		who := Identity{Name: name, UID: uid, GID: gid, Gecos: gecos, Home: home, Shell: shell, Groups: []Group{{group, gid}}}
		p, g, err := Entries(who)
		if err != nil {
			if !errors.Is(err, ErrField) || p != "" || g != "" {
				t.Fatalf("%q %q %v", p, g, err)
			}
			return
		}
		if home == "" {
			home = "/"
		}
		if u := Users([]byte(p)); len(u) != 1 || u[0] != (User{Name: name, UID: uid, GID: gid, Home: home, Shell: shell, Gecos: gecos}) {
			t.Errorf("%q is read as %+v", p, u)
		}
		if gs := Groups([]byte(g)); len(gs) != 1 || gs[0].GID != gid || group != "" && gs[0].Name != group {
			t.Errorf("%q is read as %+v", g, gs)
		}
	})
}

func checkPasswd(t *testing.T, image []string, merged []byte, who Identity) {
	t.Helper()
	users := Users(merged)
	byName := slices.IndexFunc(users, func(u User) bool { return u.Name == who.Name })
	byUID := slices.IndexFunc(users, func(u User) bool { return u.UID == who.UID })
	if byName < 0 || byName != byUID || users[byName].GID != who.GID || users[byName].Home != who.Home || users[byName].Shell != who.Shell {
		t.Fatalf("%+v is not found in %q", who, merged)
	}
	if !slices.ContainsFunc(users, func(u User) bool { return u.UID == 0 }) && !slices.ContainsFunc(image, func(l string) bool { return hasID(l, 0) }) {
		t.Errorf("no root in %q", merged)
	}
	rest := lines(merged)
	for _, l := range image {
		if nameOf(l) == who.Name && strings.Contains(l, ":") {
			continue
		}
		at := slices.Index(rest, l)
		if at < 0 {
			t.Fatalf("%q is lost in %q", l, merged)
		}
		rest = rest[at+1:]
	}
}

func checkGroup(t *testing.T, image []string, merged []byte, who Identity) {
	t.Helper()
	for _, want := range who.Groups {
		if !slices.ContainsFunc(lines(merged), func(l string) bool { return hasID(l, want.GID) }) {
			t.Errorf("group %+v is not in %q", want, merged)
		}
		if want.GID != who.GID && !slices.Contains(GroupsOf(merged, who.Name), firstGroup(merged, want.GID)) {
			t.Errorf("the user is not a member of %+v in %q", want, merged)
		}
	}
	rest := lines(merged)
	for _, l := range image {
		at := slices.IndexFunc(rest, func(m string) bool { return m == l || m == l+who.Name || m == l+","+who.Name })
		if at < 0 {
			t.Fatalf("%q is lost in %q", l, merged)
		}
		rest = rest[at+1:]
	}
}

func firstGroup(group []byte, gid uint32) Group {
	all := Groups(group)
	if i := slices.IndexFunc(all, func(g Group) bool { return g.GID == gid }); i >= 0 {
		return all[i]
	}
	return Group{}
}
