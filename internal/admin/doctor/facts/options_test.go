package facts

import (
	"slices"
	"strings"
	"testing"
)

const front = "/usr/local/bin/dockersh"

func TestOptionsOfSSHDAreParsed(t *testing.T) {
	o := ParseOptions("port 22\nacceptenv LANG\nacceptenv LC_*\nforcecommand none\nNoise 1\n\nsubsystem sftp internal-sftp -l INFO\r\n")
	if o.Get("port") != "22" || !slices.Equal(o.Words("acceptenv"), []string{"LANG", "LC_*"}) || o.Get("subsystem") != "sftp internal-sftp -l INFO" || len(o) != 4 {
		t.Errorf("%q", o)
	}
	if o.Forces("/usr/local/bin/dockersh") || !ParseOptions("forcecommand /x -y").Forces("/x") {
		t.Error("forcecommand")
	}
}

// Whatever sshd prints, each name and value is part of it, and parsing the result again
// changes nothing.
func FuzzOptions(f *testing.F) {
	for _, seed := range []string{"port 22\nacceptenv LANG LC_*\nforcecommand " + front + "\n", "", "a", "a b\na c\n", "A b\n", " x\n", "x  y \r\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		o := ParseOptions(text)
		var again strings.Builder
		for name, values := range o {
			if name == "" || strings.ContainsFunc(name, notPrintable) {
				t.Errorf("name %q", name)
			}
			for _, v := range values {
				if strings.ContainsAny(v, "\n") || !strings.Contains(text, name) || !strings.Contains(text, v) {
					t.Errorf("%q %q is not in %q", name, v, text)
				}
				again.WriteString(name + " " + v + "\n")
			}
		}
		second := ParseOptions(again.String())
		if len(second) != len(o) {
			t.Errorf("%q, then %q", o, second)
		}
		for name, values := range o {
			if !slices.Equal(values, second[name]) {
				t.Errorf("%s: %q, then %q", name, values, second[name])
			}
		}
	})
}
