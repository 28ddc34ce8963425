package look

import (
	"slices"
	"strings"
	"testing"
)

const front = "/usr/local/bin/dockersh"

func TestUsersOfForceCommandAreFound(t *testing.T) {
	text := "# ForceCommand " + front + `
Match User carol
	ForceCommand /bin/other
Match Group students,staff User alice,b*,!x
	X11Forwarding no
	ForceCommand "` + front + `"
match user=dave
	forcecommand=` + front + `
`
	f := forcedIn(text, front)
	if !slices.Equal(f.users, []string{"alice", "dave"}) || !slices.Equal(f.groups, []string{"students", "staff"}) || f.everybody {
		t.Errorf("%+v", f)
	}
	if !forcedIn("ForceCommand "+front+"\n", front).everybody || !forcedIn("Match User a\nMatch all\nForceCommand "+front+"\n", front).everybody {
		t.Error("everybody")
	}
}

// Every name that is found is in the file, and none is a pattern.
func FuzzForced(f *testing.F) {
	for _, seed := range []string{"Match User a,b\nForceCommand " + front + "\n", "Match", "Match all\nForceCommand=" + front, "match group \"x y\"\nforcecommand " + front} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := forcedIn(text, front)
		for _, n := range append(got.users, got.groups...) {
			if n == "" || !strings.Contains(text, n) || strings.ContainsAny(n, "*?!, \n") {
				t.Errorf("%q out of %q", n, text)
			}
		}
		if (len(got.users) > 0 || len(got.groups) > 0 || got.everybody) && !strings.Contains(text, front) {
			t.Errorf("%+v out of %q", got, text)
		}
	})
}
