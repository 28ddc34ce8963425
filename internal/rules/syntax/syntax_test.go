package syntax

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	gcfg "github.com/go-git/gcfg/v2"
)

func TestEveryByteOfAValueHasItsPlace(t *testing.T) {
	sections, errs := Parse("rc", []byte("# x\n[dockersh]\n  a = \"b\\\"c\" d\nbare\n[user \"al\\\"ice\"]\nempty =\nimage_name = x\n"), Limits{}, "")
	if len(errs) > 0 || len(sections) != 2 || len(sections[0].Lines) != 2 || len(sections[1].Lines) != 2 {
		t.Fatalf("%+v %v", sections, errs)
	}
	a, bare, empty, odd := sections[0].Lines[0], sections[0].Lines[1], sections[1].Lines[0], sections[1].Lines[1]
	if a.Key != "a" || a.Value != `b"c d` || a.Origin() != (Origin{"rc", 3, 3}) {
		t.Errorf("%+v", a)
	}
	for i, col := range []int{8, 9, 11, 13, 14, 15} {
		if got := a.ValueOrigin(i); got != (Origin{"rc", 3, col}) {
			t.Errorf("byte %d: %+v, want column %d", i, got, col)
		}
	}
	if !bare.Bare || bare.ValueOrigin(0) != bare.Origin() || empty.Bare || empty.Quoted || empty.ValueOrigin(0).Line != 6 || odd.Key != "image_name" {
		t.Errorf("%+v %+v %+v", bare, empty, odd)
	}
	if s := sections[1]; s.Kind != "user" || s.Name != `al"ice` || !s.Named || s.NameAt != (Origin{"rc", 5, 7}) {
		t.Errorf("%+v", s)
	}
}

func TestErrorsAreSortedByTheirPlaces(t *testing.T) {
	es := Errors{{Origin{"b", 1, 1}, "4", ""}, {Origin{"a", 2, 1}, "3", ""}, {Origin{"a", 1, 9}, "2", ""}, {Origin{}, "1", ""}}
	if err := es.Err(); err.Error() != "default settings: 1 (and 3 more)" || es[3].Text != "4" || Errors(nil).Err() != nil {
		t.Error(err)
	}
}

// Whatever is accepted has the same sections, keys and values as for gcfg, apart from a
// line end after a backslash.
func FuzzParseAgreesWithGcfg(f *testing.F) {
	names, err := filepath.Glob("../config/testdata/files/*.rc")
	if err != nil || len(names) < 5 {
		f.Fatalf("%d seeds, %v", len(names), err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		sections, errs := Parse("rc", text, Limits{}, "")
		if len(errs) > 0 || bytes.Contains(text, []byte("\\\n")) || bytes.Contains(text, []byte("\\\r\n")) {
			return
		}
		var ours, theirs []string
		odd := false
		for _, s := range sections {
			for i := range s.Lines {
				l := &s.Lines[i]
				l.Origin()
				l.ValueOrigin(len(l.Value))
				odd = odd || l.Bare && strings.Trim(Lower(l.Key), "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || l.Key == ""
				ours = append(ours, strings.Join([]string{s.Kind, s.Name, l.Key, l.Value}, "\x00"))
			}
		}
		err := gcfg.ReadWithCallback(bytes.NewReader(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))), func(kind, name, key, val string, _ bool) error {
			if key != "" {
				theirs = append(theirs, strings.Join([]string{kind, name, key, val}, "\x00"))
			}
			return nil
		})
		if odd { // a key that no setting has; gcfg refuses it
			return
		}
		if err != nil || strings.Join(ours, "\n") != strings.Join(theirs, "\n") {
			t.Errorf("got %q, gcfg %q, %v", ours, theirs, err)
		}
	})
}
