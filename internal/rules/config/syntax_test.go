package config

import (
	"strings"
	"testing"
)

// banner takes nearly everything, so it shows what the syntax makes of a value.
func TestValueIsReadAsGcfgReadsIt(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{`banner = plain words`, "plain words"},
		{`banner=tight`, "tight"},
		{"banner \t=\t  spaces around  \t", "spaces around"},
		{`banner = "  kept  "`, "  kept  "},
		{`banner = a "b  ; # c" d`, "a b  ; # c d"},
		{`banner = text ; comment`, "text"},
		{`banner = text # comment`, "text"},
		{`banner = text# comment`, "text"},
		{`banner = "say \"hi\""`, `say "hi"`},
		{`banner = back\\slash`, `back\slash`},
		{`banner = one\ntwo\tthree`, "one\ntwo\tthree"},
		{"banner = one\\\n  two", "one  two"},
		{"banner = \"one\\\ntwo\"", "onetwo"},
		{"banner = one\\\r\ntwo\r\n", "onetwo"},
		{`banner = `, ""},
		{`banner = ""`, ""},
		{`banner = # nothing`, ""},
		{`banner = [x] = y`, "[x] = y"},
		{`BANNER = Case`, "Case"},
		{"banner = crlf\r", "crlf"},
		{`banner = Grüße`, "Grüße"},
		{"banner = a\n# x\n\n  ; y\n banner = b", "b"},
	} {
		f := parsed(t, "[dockersh]\n"+c.line+"\n")
		if got := effective(t, f, nil).Banner; got != c.want {
			t.Errorf("%q: got %q, want %q", c.line, got, c.want)
		}
	}
}

func TestFileMayComeFromOtherSystems(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":          "",
		"comments":         "# a\n; b\n",
		"byte order mark":  "\xef\xbb\xbf[dockersh]\npull = never\n",
		"CR LF":            "[dockersh]\r\npull = never\r\n",
		"no end":           "[dockersh]\npull = never",
		"indented section": "  [ dockersh ] # all\n\tpull = never",
		"capitals":         "[DockerSH]\nPull = never\n",
	} {
		f := parsed(t, text)
		if got := effective(t, f, nil).Pull; strings.Contains(text, "never") && got != "never" {
			t.Errorf("%s: pull = %q", name, got)
		}
	}
}

func TestNamesOfSectionsAreCaseSensitiveAndQuoted(t *testing.T) {
	f := parsed(t, "[group \"B\"]\n[group \"b\"]\n[user \"DOM\\\\alice\"]\n[group \"say \\\"x\\\"\"]\n[group \"B\"]\n")
	if got := strings.Join(f.Groups(), "|"); got != `B|b|say "x"` {
		t.Errorf("groups %s", got)
	}
	if f.section(sectionUser, `DOM\alice`) == nil {
		t.Error("no section for DOM\\alice")
	}
	if (*File)(nil).Groups() != nil {
		t.Error("no file, but groups")
	}
}

func TestSectionMayHaveSeveralParts(t *testing.T) {
	f := parsed(t, "[dockersh]\nenv = A=1\npull = never\n[group \"g\"]\n[dockersh]\nenv = B=2\npull = always\n")
	s := effective(t, f, nil)
	if got := list(s, "env"); got != "A=1|B=2" {
		t.Errorf("env %s: the second half should go on where the first ended", got)
	}
	if s.Pull != "always" {
		t.Errorf("pull %s: the later line should win", s.Pull)
	}
}

func TestEveryFormOfBooleanIsRead(t *testing.T) {
	for text, want := range map[string]bool{
		"mounttmp": true, "mounttmp = true": true, "mounttmp = yes": true, "mounttmp = ON": true, "mounttmp = 1": true,
		"mounttmp = false": false, "mounttmp = No": false, "mounttmp = off": false, "mounttmp = 0": false,
		"mounttmp # all": true, "mounttmp\nmounttmp = off": false,
	} {
		s := effective(t, parsed(t, "[dockersh]\n"+text), nil)
		if s.MountTmp != want {
			t.Errorf("%q becomes %v", text, s.MountTmp)
		}
		if got := value1(t, s, "mounttmp"); got != map[bool]string{true: "true", false: "false"}[want] {
			t.Errorf("%q is shown as %q", text, got)
		}
	}
}
