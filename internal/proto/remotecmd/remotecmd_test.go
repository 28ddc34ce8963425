package remotecmd

import (
	"slices"
	"strings"
	"testing"
)

func TestCommandsOfFileClientsAreKnown(t *testing.T) {
	for command, want := range map[string]struct{ name, first, rest string }{
		"/usr/lib/openssh/sftp-server":             {"sftp-server", "/usr/lib/openssh/sftp-server", ""},
		"/usr/libexec/sftp-server -R -u 027":       {"sftp-server", "/usr/libexec/sftp-server", " -R -u 027"},
		"/opt/x/sftp-server":                       {"sftp-server", "/opt/x/sftp-server", ""},
		"internal-sftp -f AUTH -l INFO":            {"sftp-server", "/usr/lib/openssh/sftp-server", " -f AUTH -l INFO"},
		"scp -t .":                                 {"scp", "scp", " -t ."},
		"scp -v -r -p -d -f -- a 'b c' *":          {"scp", "scp", " -v -r -p -d -f -- a 'b c' *"},
		"/usr/bin/scp -qrt x":                      {"scp", "/usr/bin/scp", " -qrt x"},
		"scp -r -t /tmp/$(id)":                     {"scp", "scp", " -r -t /tmp/$(id)"},
		"rsync --server -vlogDtpre.iLsfxC . /tmp/": {"rsync", "", " --server -vlogDtpre.iLsfxC . /tmp/"},
		"git-upload-pack '/srv/a b.git'":           {"git-upload-pack", "", " '/srv/a b.git'"},
		"borg serve":                               {"borg", "", " serve"},
	} {
		c, ok := Parse(command)
		first := ""
		if len(c.Places) > 0 {
			first = c.Places[0]
		}
		if !ok || c.Name != want.name || c.Asked+c.Rest != command || first != want.first || c.Rest != want.rest {
			t.Errorf("%s: %+v, %v", command, c, ok)
		}
		if last := len(c.Places) - 1; first != "" && c.Places[last] != Files+" "+c.Name {
			t.Errorf("%s: %q", command, c.Places)
		}
	}
}

func TestOtherCommandsAreLeftAlone(t *testing.T) {
	for _, command := range []string{
		"", " ", "ls", "scp", "scp a b:", "scp -r a b:", "scp -o x -t a", "scp -- -t", "scp -S/bin/sh -t a", "'scp' -t a", "scp\t-t a", "scp;id -t", "$(scp) -t",
		"sftp-server", "./sftp-server", "x/scp -t a", "/bin/rsync --server", "scp-t", "/usr/lib/openssh/sftp-server;id", "/usr/lib/openssh/sftp-server\nid",
		"internal-sftp;id", "sudo /usr/lib/openssh/sftp-server", "exec scp -t a", "-c",
	} {
		if c, ok := Parse(command); ok {
			t.Errorf("%q: %+v", command, c)
		}
	}
}

// What takes a program's place changes nothing but the first word of the command.
func FuzzParse(f *testing.F) {
	for _, command := range []string{"scp -t .", "internal-sftp -R", "/a/sftp-server x", "rsync --server"} {
		f.Add(command)
	}
	f.Fuzz(func(t *testing.T, command string) {
		c, ok := Parse(command)
		if !ok {
			return
		}
		word, found := strings.CutSuffix(command, c.Rest)
		if !found || strings.Trim(word, plain) != "" || c.Rest != "" && c.Rest[0] != ' ' {
			t.Errorf("%q: %+v", command, c)
		}
		if slices.ContainsFunc(c.Places, func(p string) bool { return strings.Trim(p, plain+" ") != "" }) {
			t.Errorf("%q: %q", command, c.Places)
		}
	})
}
