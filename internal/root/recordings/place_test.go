package recordings

import (
	"slices"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/root/state"
)

func TestTemplateIsSplitBeforeWhatDependsOnTheLogin(t *testing.T) {
	id := strings.Repeat("[a-z2-7]", 12)
	for _, c := range []struct {
		template, dir string
		patterns      []string
	}{
		{"/var/log/dockersh/%u/%x.cast", "/var/log/dockersh", []string{"*", id + ".cast"}},
		{"/rec/%u-%%-[a]*%i", "/rec", []string{`*-%-\[a]\**`}},
		{"/rec/one.cast", "/rec", []string{"one.cast"}},
		{"/%u/x.cast", "", nil},
		{"/x.cast", "", nil},
		{"%h/x.cast", "", nil},
		{"/rec/%", "/rec", []string{"%"}},
	} {
		if p, ok := PlaceOf(c.template); p.Dir != c.dir || !slices.Equal(p.patterns, c.patterns) || ok != (c.dir != "") {
			t.Errorf("%s: %q %q", c.template, p.Dir, p.patterns)
		}
	}
}

func TestNamesOfRecordingsAreThoseOfTheTemplate(t *testing.T) {
	id := state.NewSessionID()
	for name, want := range map[string]bool{
		id + ".cast": true, id + ".2.cast": true, id + ".9999.cast": true,
		id + "x.cast": false, id[1:] + ".cast": false, id + ".cast.gz": false, "." + id + ".cast": false, id + ".2.3.cast": false,
		id + "..cast": false, id + ".x.cast": false, "notes": false, "": false,
	} {
		if p, _ := PlaceOf("/r/%u/%x.cast"); p.Named(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
	for name, want := range map[string]bool{"a": true, "a.2": true, "a.b": false, "b": false} {
		if p, _ := PlaceOf("/r/%u/a"); p.Named(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}

func TestOtherTemplatesHaveWhatTheyCanName(t *testing.T) {
	x := id(0) + ".cast"
	for _, c := range []struct {
		other string
		want  bool
	}{
		{"/r/%u/%x.cast", true}, {"/r/alice/%x.cast", true}, {"/r/%U/%u.cast", true}, {"/%u/alice/%x.cast", true}, {"/%u/%u/" + x, true},
		{"/r/bob/%x.cast", false}, {"/r/%u/%x", false}, {"/r/%u/%u/%x.cast", false}, {"/r/%x.cast", false}, {"/%x.cast", false}, {"/r/alice", false},
		{"/r/alice/deep/%x.cast", false}, {"/ra/%u/%x.cast", false}, {"/r/al/%x.cast", false},
		{"/%h", true}, {"/r%h/%x", true}, {"/r/%h/%x", true}, {"/r/%u/%h", true}, {"/r/%u/%h/%x", true}, {"/r/a%s", true}, {"/%u%h", true},
		{"/r/b%h", false}, {"/s/%h", false}, {"/r/%u/b%h", false}, {"/r/%u/%%h", false}, {"/r/alice/aa%h", true}, {"/r/%u/%u/%h", false},
	} {
		p, _ := PlaceOf("/r/%u/%x.cast")
		others := p.Except([]string{c.other}).othersIn("/r/alice")
		if got := len(others) == 1 && others[0].has(x); got != c.want {
			t.Errorf("%s: %v", c.other, got)
		}
	}
}

// What New names is found again, whatever a user is called.
func FuzzNames(f *testing.F) {
	f.Add("alice", 1)
	f.Add("[a]*?\\.3", 2)
	f.Add("a.cast", 9999)
	f.Add("\xff%", 17)
	f.Fuzz(func(t *testing.T, user string, n int) {
		if n < 1 || n > maxOfOneName || user == "" || strings.Contains(user, "/") {
			return
		}
		id := state.NewSessionID()
		for template, name := range map[string]string{
			"/r/%u/%u":         user,
			"/r/%u/%u-%x.cast": user + "-" + id + ".cast",
			"/r/" + strings.ReplaceAll(user, "%", "%%") + "/" + strings.ReplaceAll(user, "%", "%%"): user,
		} {
			if p, ok := PlaceOf(template); ok && !p.Named(numbered(name, n)) {
				t.Errorf("%q does not have %q", template, numbered(name, n))
			}
		}
	})
}
