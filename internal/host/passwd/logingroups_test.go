package passwd

import (
	"bytes"
	"errors"
	"testing"
)

func TestGroupsOfALoginComeAndGo(t *testing.T) {
	passwd := "root:*:0:0::/root:/bin/sh\nalice:*:1001:1001::/home/alice:/bin/zsh\n"
	group := "root:x:0:\nsudo:x:27:alice\nusers:x:100:bob\n"
	who := Identity{Name: "alice", UID: 1001, GID: 1001, Home: "/home/alice", Shell: "/bin/ash",
		Groups: []Group{{"alice", 1001}, {"users", 100}, {"team", 2000}}}
	login := "_dockersh:*:1001:1001:groups of the login:/:/bin/false\n"
	both := "root:x:0:\nsudo:x:27:alice\nusers:x:100:bob,alice,_dockersh\nalice:x:1001:\nteam:x:2000:alice,_dockersh\n"
	set := func(wantPasswd, wantGroup string) {
		t.Helper()
		p, g, err := SetLoginGroups([]byte(passwd), []byte(group), who)
		if err != nil || string(p) != wantPasswd || string(g) != wantGroup {
			t.Fatalf("%v\n%s%s, want\n%s%s", err, p, g, wantPasswd, wantGroup)
		}
		passwd, group = string(p), string(g)
	}
	plain := passwd
	set(plain+login, both)
	set(plain+login, both)
	// Somebody inside made alice a member of another group: that stays, and is not the login's.
	group += "wheel:x:10:alice\n"
	who.Groups = who.Groups[:2]
	set(plain+login, "root:x:0:\nsudo:x:27:alice\nusers:x:100:bob,alice,_dockersh\nalice:x:1001:\nteam:x:2000:\nwheel:x:10:alice\n")
	who.Groups, who.GID = []Group{{"users", 100}}, 100
	set("root:*:0:0::/root:/bin/sh\nalice:*:1001:100::/home/alice:/bin/zsh\n",
		"root:x:0:\nsudo:x:27:alice\nusers:x:100:bob\nalice:x:1001:\nteam:x:2000:\nwheel:x:10:alice\n")
}

func TestGroupsOfALoginAreNoNamesOfOthers(t *testing.T) {
	who := Identity{Name: "alice", UID: 1001, GID: 1001, Groups: []Group{{"alice", 1001}, {"team", 2000}}}
	if _, _, err := SetLoginGroups(nil, []byte("2000:x:0:\n"), who); err == nil {
		t.Error("a group called 2000 is not group 2000")
	}
	who.Groups[1].Name = "a:b"
	if _, _, err := SetLoginGroups(nil, nil, who); err == nil {
		t.Error("a name breaks the line")
	}
}

func TestFilesThatWouldKeepTheCallerBusyAreRefused(t *testing.T) {
	who := Identity{Name: "alice", UID: 1001, GID: 1001}
	for i := range 50 {
		who.Groups = append(who.Groups, Group{GID: uint32(2000 + i)})
	}
	newlines := bytes.Repeat([]byte("\n"), 1<<20)
	if _, _, err := SetLoginGroups(nil, newlines, who); !errors.Is(err, ErrField) {
		t.Error(err)
	}
	if _, _, err := Merge(nil, newlines, nil, who); !errors.Is(err, ErrField) {
		t.Error(err)
	}
	if _, _, err := SetLoginGroups(nil, newlines[:1<<12], who); err != nil {
		t.Error(err)
	}
}
