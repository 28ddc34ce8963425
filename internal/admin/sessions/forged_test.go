package sessions

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/root/state"
)

// link writes an entry as a user may write it, who has no broker for that.
func (u *user) link(id, container, text string) {
	u.Helper()
	name := fmt.Sprintf("%d.%d.%d.%s.%s", u.uid, u.process.Pid, u.process.Start, id, container)
	if err := os.Symlink(text, string(u.entries())+"/"+name); err != nil {
		u.Fatal(err)
	}
}

func TestEntryThatNoBrokerWroteIsLeftOutAndReported(t *testing.T) {
	now := time.Now()
	text := func(since time.Time, key string) string {
		return fmt.Sprintf("%d\tx\t192.0.2.7\t%s", since.Unix(), key)
	}
	for what, c := range map[string]struct{ id, container, text string }{
		"the name of a container as id": {"victim_dockersh", "c1", text(now, "")},
		"a short id":                    {"a", "c1", text(now, "")},
		"a long id":                     {"abcdefghijklm", "c1", text(now, "")},
		"an id in capitals":             {"ABCDEFGHIJKL", "c1", text(now, "")},
		"a name that begins with a dash": {
			id1, "-rf", text(now, ""),
		},
		"a long name":                {id1, strings.Repeat("c", 200), text(now, "")},
		"a time beyond the calendar": {id1, "c1", "999999999999\tx\t\t"},
		"a time to come":             {id1, "c1", text(now.AddDate(1, 0, 0), "")},
		"a time before Unix":         {id1, "c1", "-1\tx\t\t"},
		"no time":                    {id1, "c1", "x"},
		"a key that steers":          {id1, "c1", text(now, "\u009b31m\u202e")},
		"a long key":                 {id1, "c1", text(now, strings.Repeat("k", 200))},
		"more fields":                {id1, "c1", text(now, "k\tmore")},
	} {
		t.Run(what, func(t *testing.T) {
			u := newUser(t)
			u.link(c.id, c.container, c.text)
			all, out := Entries(t.Context(), nil)
			if len(all) != 0 || out.Forged[fmt.Sprint(u.uid)] != 1 {
				t.Errorf("%+v, left out %+v", all, out)
			}
			if line := out.String(); strings.Count(line, "\n") != 0 || !strings.Contains(line, fmt.Sprint(u.uid)) {
				t.Errorf("%q", line)
			}
		})
	}
}

// A word on the command line of dockershctl is an id or the name of a container.
func TestIDThatIsTheNameOfAContainerIsNotTheUsers(t *testing.T) {
	const name = "workstations" // could be an id
	made := func(context.Context) map[string][]string { return map[string][]string{name: {"mark"}} }
	u := newUser(t)
	u.link(name, "c1", "1700000000\tx\t\t")
	if all, err := selectSessions(t.Context(), made, &cli.Selection{Names: []string{name}}); err == nil {
		t.Errorf("selected: %+v", all)
	}
	// The engine does not answer, and a session is in the container.
	me, err := proc.Of(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	in := state.Session{ID: id2, Container: name, Pid: me.Pid, Start: me.Start, Since: time.Now()}
	if err := state.RunDir(paths.Run).Sessions().Add(in); err != nil {
		t.Fatal(err)
	}
	all, err := selectSessions(t.Context(), nil, &cli.Selection{Names: []string{name}})
	if err != nil || len(all) != 1 || all[0].ID != id2 {
		t.Errorf("%+v %v", all, err)
	}
}

func TestIDThatTwoUsersClaimIsNobodys(t *testing.T) {
	e := func(uid uint32, id string) Entry {
		return Entry{Session: state.Session{ID: id, UID: uid, User: fmt.Sprint(uid)}}
	}
	out := LeftOut{Forged: map[string]int{}}
	kept := out.dropForged([]Entry{e(7, id1), e(8, id1), e(8, id2)}, func(string) bool { return false })
	if len(kept) != 1 || kept[0].ID != id2 || out.Forged["7"] != 1 || out.Forged["8"] != 1 {
		t.Errorf("%+v %+v", kept, out)
	}
}

func TestListIsJSONThatATerminalMayShow(t *testing.T) {
	u := newUser(t)
	u.link(id1, "c1", "1700000000\tx\t\tkey")
	u.link(id2, "c1", "999999999999\tx\t\t\u009b31m\u202e")
	var out strings.Builder
	if err := List(t.Context(), cli.Env{Out: &out}, []string{"--json"}); err != nil {
		t.Fatal(err)
	}
	var got []Session
	if err := json.Unmarshal([]byte(out.String()), &got); err != nil || len(got) != 1 || got[0].ID != id1 {
		t.Errorf("%q: %v", out.String(), err)
	}
}

func TestUsersWithForgedEntriesAreNamedUpToALimit(t *testing.T) {
	out := LeftOut{Forged: map[string]int{}}
	for i := range 100 {
		out.Forged[fmt.Sprint("user", i)] = 3
	}
	if line := out.String(); len(line) > 200 || !strings.Contains(line, "300") || !slices.Contains(strings.Fields(line), "user0,") {
		t.Errorf("%q", line)
	}
}
