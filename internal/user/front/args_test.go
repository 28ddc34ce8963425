package front

import (
	"slices"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/proto/wire"
)

func TestArgumentsMeanWhatTheyMeanToAShell(t *testing.T) {
	self := func(w string) bool { return w == "dockersh" || w == "/usr/local/bin/dockersh" }
	for _, c := range []struct {
		what     string
		argv     []string
		original string
		inside   []string // argv of /bin/ash inside
	}{
		{"interactive login", []string{"-dockersh"}, "", []string{"-ash"}},
		{"a command", []string{"dockersh", "-c", "exit 7"}, "", []string{"ash", "-c", "exit 7"}},
		{"a command that is an option", []string{"dockersh", "-c", "--privileged"}, "", []string{"ash", "-c", "--privileged"}},
		{"su -", []string{"-dockersh", "-c", "id"}, "", []string{"-ash", "-c", "id"}},
		{"su -l", []string{"dockersh", "-l", "-c", "id", "a", "b"}, "", []string{"-ash", "-c", "id", "a", "b"}},
		{"options in one word", []string{"dockersh", "-lc", "id"}, "", []string{"-ash", "-c", "id"}},
		{"a script", []string{"dockersh", "/tmp/x", "-y"}, "", []string{"ash", "/tmp/x", "-y"}},
		{"ForceCommand under another shell", []string{"dockersh"}, "", []string{"-ash"}},
		{"ForceCommand with a command", []string{"dockersh"}, "ls -l", []string{"ash", "-c", "ls -l"}},
		{"ForceCommand under ourselves", []string{"dockersh", "-c", "/usr/local/bin/dockersh"}, "", []string{"-ash"}},
		{"the same with a command", []string{"dockersh", "-c", "/usr/local/bin/dockersh"}, "ls -l", []string{"ash", "-c", "ls -l"}},
		{"the same with our name as the command", []string{"dockersh", "-c", "dockersh"}, "dockersh -c dockersh", []string{"ash", "-c", "dockersh -c dockersh"}},
		{"another forced command", []string{"dockersh", "-c", "/usr/bin/id"}, "ls", []string{"ash", "-c", "/usr/bin/id"}},
		{"no argv at all", nil, "", []string{"-ash"}},
	} {
		r, err := parseArgs(c.argv, invocation{c.original, "/home/x", self})
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		if got := r.argv("/bin/ash"); !slices.Equal(got, c.inside) {
			t.Errorf("%s: got %q, want %q", c.what, got, c.inside)
		}
	}
}

func TestOriginalCommandGoesInsideUnlessItIsWhatRuns(t *testing.T) {
	self := func(w string) bool { return w == "dockersh" }
	for _, c := range []struct {
		what string
		argv []string
		goes bool
	}{
		{"command= of a key", []string{"dockersh", "-c", "rrsync /srv"}, true},
		{"ForceCommand dockersh -c COMMAND", []string{"dockersh", "-c", "dockersh -c rrsync"}, true},
		{"a script", []string{"dockersh", "/usr/bin/rrsync"}, true},
		{"ForceCommand dockersh", []string{"dockersh"}, false},
		{"the same under ourselves", []string{"dockersh", "-c", "dockersh"}, false},
	} {
		r, err := parseArgs(c.argv, invocation{original: "ls", isSelf: self})
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		env := r.env([]string{"SSH_ORIGINAL_COMMAND=ls"}, nil, "/bin/ash")
		if got := slices.Contains(env, "SSH_ORIGINAL_COMMAND=ls"); got != c.goes {
			t.Errorf("%s: goes inside: %v, want %v", c.what, got, c.goes)
		}
		if c.goes && slices.Contains(r.args, "ls") {
			t.Errorf("%s: runs %q", c.what, r.args)
		}
	}
	r, err := parseArgs([]string{"dockersh", "-c", "id"}, invocation{isSelf: self})
	if env := r.env(nil, []string{"*"}, "/bin/ash"); err != nil || len(env) != 1 {
		t.Errorf("without an original command: %q, %v", env, err)
	}
}

func TestBadArgumentsAreErrors(t *testing.T) {
	for _, argv := range [][]string{{"dockersh", "-c"}, {"dockersh", "-x"}, {"dockersh", "--privileged"}, {"dockersh", "-c", "dockersh -x"}} {
		if r, err := parseArgs(argv, invocation{isSelf: func(w string) bool { return w == "dockersh" }}); err == nil {
			t.Errorf("%q became %+v", argv, r)
		}
	}
}

func TestSSHRCIsNotRun(t *testing.T) {
	for command, nothing := range map[string]bool{
		"/bin/sh .ssh/rc": true, "/bin/sh /home/x/.ssh/rc": true, "/bin/sh /home/y/.ssh/rc": false, "/bin/sh .ssh/rc; id": false,
	} {
		if r, err := parseArgs([]string{"dockersh", "-c", command}, invocation{home: "/home/x", isSelf: isSelf}); err != nil || r.nothing != nothing {
			t.Errorf("%s: got %+v, %v", command, r, err)
		}
	}
}

func TestOnlyAcceptedVariablesEnterTheContainer(t *testing.T) {
	environ := []string{"LANG=C", "LC_ALL=x", "TERM=vt100", "LD_PRELOAD=/x", "PATH=/y", "DOCKER_HOST=z", "HOME=/h", "SECRET=1",
		"SSH_CONNECTION=a", "SSH_AUTH_SOCK=/tmp/s", "SSH_TTY=/dev/pts/9", "BASH_ENV=q", "GODEBUG=1", "noequals", "=x", "SHELL=/d"}
	got := request{}.env(environ, []string{"*"}, "/bin/ash")
	want := []string{"SHELL=/bin/ash", "LANG=C", "LC_ALL=x", "TERM=vt100", "SECRET=1", "SSH_CONNECTION=a"}
	if !slices.Equal(got, want) {
		t.Errorf("with *: got %q, want %q", got, want)
	}
	got = request{}.env(environ, []string{"TERM", "LC_*"}, "/bin/ash")
	want = []string{"SHELL=/bin/ash", "LC_ALL=x", "TERM=vt100", "SSH_CONNECTION=a"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCommandForTheLogIsCutToItsLimit(t *testing.T) {
	long := strings.Repeat("x", wire.MaxWords)
	for _, c := range []struct {
		argv []string
		want string
		cut  bool
	}{
		{[]string{"-dockersh"}, "", false}, {[]string{"dockersh", "-c", "echo 'a  b'"}, "echo 'a  b'", false}, {[]string{"dockersh", "-c", "echo $1", "x", "y"}, "echo $1 x y", false},
		{[]string{"dockersh", "file", "a"}, "file a", false}, {[]string{"dockersh", "-c", long}, long, false}, {[]string{"dockersh", "-c", long + "y"}, long, true},
	} {
		r, err := parseArgs(c.argv, invocation{isSelf: func(string) bool { return false }})
		if err != nil {
			t.Fatal(err)
		}
		if words, cut := r.words(); string(words) != c.want || cut != c.cut {
			t.Errorf("%.50q: %.50q %v", c.argv, words, cut)
		}
	}
}

// Whatever the bytes, parsing returns an error that cannot steer a terminal, or an argv
// whose first word names the shell.
func FuzzParse(f *testing.F) {
	f.Add("-dockersh", "-c", "exit 7", "")
	f.Add("dockersh", "-lc", "dockersh -l", "ls")
	f.Fuzz(func(t *testing.T, a, b, c, original string) {
		r, err := parseArgs([]string{a, b, c}, invocation{original: original, isSelf: func(w string) bool { return w == "dockersh" }})
		if err != nil {
			if text := err.Error(); strings.ContainsFunc(text, func(r rune) bool { return r < ' ' }) {
				t.Fatalf("the error can steer a terminal: %q", text)
			}
			return
		}
		if argv := r.argv("/bin/ash"); argv[0] != "ash" && argv[0] != "-ash" {
			t.Fatalf("argv %q", argv)
		}
	})
}
