package config

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	gcfg "github.com/go-git/gcfg/v2"
	shellquote "github.com/kballard/go-shellquote"

	"github.com/dockersh/dockersh/internal/rules/syntax"
	"github.com/dockersh/dockersh/internal/rules/template"
	"github.com/dockersh/dockersh/internal/rules/values"
)

// seeds returns the files of testdata. A pattern that matches nothing would pass for ever.
func seeds(f *testing.F) map[string][]byte {
	names, err := filepath.Glob("testdata/files/*.rc")
	if err != nil || len(names) < 5 {
		f.Fatalf("%d seeds in testdata/files, %v", len(names), err)
	}
	out := map[string][]byte{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		out[filepath.Base(name)] = text
	}
	return out
}

// Whatever the bytes, there are settings or errors; each error has a place in the file;
// gcfg reads the same in what is accepted.
func FuzzParse(f *testing.F) {
	right, wrong := 0, 0
	for name, text := range seeds(f) {
		f.Add(text)
		if _, err := Parse(name, text); err == nil {
			right++
		} else {
			wrong++
		}
	}
	if right < 4 || wrong < 1 {
		f.Fatalf("%d right seeds, %d wrong ones", right, wrong)
	}
	f.Add([]byte("[group \"g\"]\nrecord = /%x\n"))
	for _, c := range wrongLines {
		f.Add([]byte("[dockersh]\n" + c.line + "\n"))
	}
	for _, line := range rightLines {
		f.Add([]byte("[group \"g\"]\n" + line + "\n"))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, parse := range []func(string, []byte) (*File, error){Parse, ParseUser} {
			file, err := parse("rc", text)
			if (file == nil) == (err == nil) {
				t.Fatalf("file %v, error %v", file, err)
			}
			if err != nil {
				placed(t, text, err)
				continue
			}
			sameAsGcfg(t, text, file)
			used(t, file)
		}
	})
}

// placed fails unless every error is in order, in one line and inside the file.
func placed(t *testing.T, text []byte, err error) {
	t.Helper()
	es, ok := err.(syntax.Errors)
	if !ok || len(es) == 0 {
		t.Fatalf("error of type %T", err)
	}
	lines := bytes.Split(bytes.ReplaceAll(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), []byte("\r\n"), []byte("\n")), []byte("\n"))
	last := syntax.Origin{}
	for _, e := range es {
		o := e.Origin
		if o.File != "rc" || o.Line < 1 || o.Line > len(lines) || o.Col < 1 || o.Col > len(lines[o.Line-1])+1 {
			t.Fatalf("%+v is not in the file: %s", o, e)
		}
		if o.Line < last.Line || o.Line == last.Line && o.Col < last.Col {
			t.Fatalf("%+v after %+v", o, last)
		}
		last = o
		for _, s := range []string{e.Text, e.Hint} {
			if !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) || len(s) > 500 {
				t.Fatalf("not fit to be shown: %q", s)
			}
		}
		if e.Text == "" {
			t.Fatal("an error without text")
		}
	}
}

// sameAsGcfg reads the file with gcfg and compares the sections. A line end after a
// backslash is the one known difference.
func sameAsGcfg(t *testing.T, text []byte, file *File) {
	t.Helper()
	if bytes.Contains(text, []byte("\\\n")) || bytes.Contains(text, []byte("\\\r\n")) {
		return
	}
	type key struct{ kind, name, key string }
	theirs := map[key][]string{}
	err := gcfg.ReadWithCallback(bytes.NewReader(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))), func(kind, name, k, val string, blank bool) error {
		if k == "" {
			return nil
		}
		r, ok := lookup(syntax.Lower(k))
		if !ok {
			t.Errorf("gcfg reads a setting %q", k)
			return nil
		}
		at := key{syntax.Lower(kind), name, r.key}
		switch {
		case blank:
			theirs[at] = []string{"true"}
		case r.kind() != kindArray:
			theirs[at] = []string{val}
		default:
			theirs[at] = append(theirs[at], val)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("gcfg: %v", err)
	}
	ours := 0
	for _, s := range file.sections {
		for k, e := range s.entries {
			ours++
			r, _ := lookup(k)
			want := theirs[key{s.kind, s.name, k}]
			// To gcfg KEY = and KEY = "" are the same, so arrays are compared from their end.
			if len(want) < len(e.vals) {
				t.Fatalf("%s: %v, gcfg reads %q", k, e.vals, want)
			}
			want = want[len(want)-len(e.vals):]
			for i, v := range e.vals {
				if kept, _ := r.judge(want[i]); kept != v.text {
					t.Fatalf("%s: %q, gcfg reads %q", k, v.text, want[i])
				}
			}
		}
	}
	if ours != len(theirs) {
		t.Fatalf("%d settings, gcfg reads %d", ours, len(theirs))
	}
}

// used makes settings from an accepted file.
func used(t *testing.T, file *File) {
	t.Helper()
	s, err := file.Merge("alice", func(string) bool { return true }, nil)
	if err != nil {
		return // cmd without an entrypoint
	}
	s.All()
	login := alice()
	login.Session = "s1"
	e, err := s.Expand(login)
	if err != nil {
		t.Fatalf("accepted, but not for a plain user: %v", err)
	}
	if !validName(e.ContainerName) {
		t.Fatalf("container name %q", e.ContainerName)
	}
	e.Hash()
}

// No value of the host's name service turns a setting into something that would not be
// accepted from a file, nor one word into two.
func FuzzExpand(f *testing.F) {
	for _, seed := range [][4]string{
		{"--label a=%u", "alice", "/home/alice", "/bin/sh"}, {"-v '%h x:%h'", "a b", "/a b", "/bin/sh"},
		{"-e%u=%%h", "%h", "/%s", "%u"}, {"--a %s", "'\"\\", "/'", "/$(id)"}, {"-l %u", "", "", ""}, {"-l %u", "\x00", "/\xff", "\n"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	f.Fuzz(func(t *testing.T, opt, user, home, shell string) {
		r, _ := lookup("dockeropt")
		kept, bad := r.judge(opt)
		if bad != nil {
			return
		}
		before, bad := values.SplitDockerOpt(kept)
		if bad != nil {
			t.Fatalf("%q passed the check: %v", opt, bad)
		}
		file := &File{sections: []*section{{kind: sectionAll, entries: map[string]*entry{
			"dockeropt": {vals: []value{{text: kept}}},
			"banner":    {vals: []value{{text: "%u %h"}}},
		}}}}
		s, err := file.Merge("x", nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		e, err := s.Expand(template.Vars{User: user, Home: home, Shell: shell})
		if err != nil {
			if _, ok := err.(syntax.Errors); !ok {
				t.Fatalf("error of type %T", err)
			}
			return
		}
		if len(e.DockerOpt) != 1 || len(e.DockerOpt[0]) != len(before) || e.DockerOpt[0][0][0] != '-' {
			t.Fatalf("%q for %q became %q", opt, user, e.DockerOpt)
		}
		if e.Banner != user+" "+home {
			t.Fatalf("banner %q", e.Banner)
		}
		if !validName(e.ContainerName) || !strings.HasPrefix(e.UserCwd, "/") || e.Identity() == "" {
			t.Fatalf("name %q, directory %q, identity %q", e.ContainerName, e.UserCwd, e.Identity())
		}
		if strings.ContainsFunc(strings.Join(e.DockerOpt[0], ""), func(r rune) bool { return unicode.IsControl(r) && r != '\t' }) {
			t.Fatalf("control characters in %q", e.DockerOpt)
		}
	})
}

// An option has one or two words, the first of which is the option; to quote them and
// split them again changes nothing.
func FuzzDockerOpt(f *testing.F) {
	for _, seed := range []string{`-v /a:/b`, `--label 'a b'`, `-e "A=\"$B\""`, `-it x`, `--x=y z`, `\-v x`, `''`, "-v\t\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, opt string) {
		words, bad := values.SplitDockerOpt(opt)
		if bad != nil {
			return
		}
		if len(words) < 1 || len(words) > 2 || len(words[0]) < 2 || words[0][0] != '-' || strings.HasPrefix(words[0], "--=") {
			t.Fatalf("%q becomes %q", opt, words)
		}
		if !utf8.ValidString(opt) {
			return
		}
		again, bad := values.SplitDockerOpt(shellquote.Join(words...))
		if bad != nil || strings.Join(again, "\x00") != strings.Join(words, "\x00") {
			t.Fatalf("%q becomes %q, and again %q, %v", opt, words, again, bad)
		}
	})
}
