package account

import (
	"slices"
	"strings"
	"testing"
)

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
