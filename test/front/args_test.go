package front_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/proto/wire"
)

func TestArgumentsMeanWhatTheyMeanToAShell(t *testing.T) {
	t.Parallel()
	self := program(t)
	for _, c := range []struct {
		what     string
		argv     []string
		original string
		inside   []string // argv of /bin/ash inside
	}{
		{"interactive login", []string{"-dockersh"}, "", []string{"-ash"}},
		{"a command", []string{"dockersh", "-c", "exit 7"}, "", []string{"ash", "-c", "exit 7"}},
		{"an empty command", []string{"dockersh", "-c", ""}, "", []string{"ash", "-c", ""}},
		{"a command that is an option", []string{"dockersh", "-c", "--privileged"}, "", []string{"ash", "-c", "--privileged"}},
		{"a command of lines and odd bytes", []string{"dockersh", "-c", "a\n\t\xff'\"b"}, "", []string{"ash", "-c", "a\n\t\xff'\"b"}},
		{"su -", []string{"-dockersh", "-c", "id"}, "", []string{"-ash", "-c", "id"}},
		{"su -l", []string{"dockersh", "-l", "-c", "id", "a", "b"}, "", []string{"-ash", "-c", "id", "a", "b"}},
		{"options in one word", []string{"dockersh", "-lc", "id"}, "", []string{"-ash", "-c", "id"}},
		{"all options in one word", []string{"dockersh", "-cil", "id"}, "", []string{"-ash", "-c", "id"}},
		{"a long option", []string{"dockersh", "--login", "-c", "id"}, "", []string{"-ash", "-c", "id"}},
		{"an interactive shell", []string{"dockersh", "-i"}, "", []string{"-ash"}},
		{"the end of the options", []string{"dockersh", "--", "-c", "id"}, "", []string{"ash", "-c", "id"}},
		{"nothing behind the options", []string{"dockersh", "-l", "--"}, "", []string{"-ash"}},
		{"a script", []string{"dockersh", "/tmp/x", "-y"}, "", []string{"ash", "/tmp/x", "-y"}},
		{"a dash alone", []string{"dockersh", "-", "x"}, "", []string{"ash", "-", "x"}},
		{"an empty word", []string{"dockersh", ""}, "", []string{"ash", ""}},
		{"a script of a login shell", []string{"-dockersh", "x"}, "", []string{"-ash", "x"}},
		{"another name", []string{"sh", "-c", "id"}, "", []string{"ash", "-c", "id"}},
		{"an empty name", []string{""}, "", []string{"-ash"}},
		{"ForceCommand under another shell", []string{"dockersh"}, "", []string{"-ash"}},
		{"ForceCommand with a command", []string{"dockersh"}, "ls -l", []string{"ash", "-c", "ls -l"}},
		{"the same of a login shell", []string{"-dockersh"}, "ls -l", []string{"-ash", "-c", "ls -l"}},
		{"ForceCommand under ourselves", []string{"dockersh", "-c", self}, "", []string{"-ash"}},
		{"the same with a command", []string{"dockersh", "-c", self}, "ls -l", []string{"ash", "-c", "ls -l"}},
		{"the same with blanks", []string{"dockersh", "-c", " \t" + self + "  -l\n-c  id "}, "", []string{"-ash", "-c", "id"}},
		{"the same under a login shell", []string{"-dockersh", "-c", "dockersh -c id"}, "", []string{"-ash", "-c", "id"}},
		{"the same with words behind it", []string{"dockersh", "-c", "dockersh -c", "id"}, "ls", nil},
		{"the same with our name as the command", []string{"dockersh", "-c", "dockersh"}, "dockersh -c dockersh", []string{"ash", "-c", "dockersh -c dockersh"}},
		{"our name twice", []string{"dockersh", "-c", "dockersh -c dockersh"}, "", []string{"ash", "-c", "dockersh"}},
		{"another program of our name", []string{"dockersh", "-c", "/opt/dockersh"}, "", []string{"ash", "-c", "/opt/dockersh"}},
		{"our name behind another", []string{"dockersh", "-c", "xdockersh"}, "", []string{"ash", "-c", "xdockersh"}},
		{"another forced command", []string{"dockersh", "-c", "/usr/bin/id"}, "ls", []string{"ash", "-c", "/usr/bin/id"}},
	} {
		h := how{argv: c.argv}
		if c.original != "" {
			h.env = []string{"SSH_ORIGINAL_COMMAND=" + c.original}
		}
		if c.inside == nil {
			newBroker(t).run(h).refuses("dockersh: error: -c needs a command\nhint: run: dockersh [-l] [-c command]\n")
			continue
		}
		login, start := asked(t, h, &wire.Ready{Shell: "/bin/ash"})
		if !slices.Equal(start.Argv, c.inside) || start.Path != "/bin/ash" {
			t.Errorf("%s: got %s %q, want %q", c.what, start.Path, start.Argv, c.inside)
		}
		if want := len(c.inside) > 1; login.HasCommand != want {
			t.Errorf("%s: HasCommand is %v", c.what, login.HasCommand)
		}
	}
}

func TestLinkToTheProgramIsAnotherProgram(t *testing.T) {
	t.Parallel()
	link := filepath.Join(tempDir(t), "dockersh")
	must(t, os.Symlink(program(t), link))
	for command, want := range map[string][]string{link: {"ash", "-c", link}, program(t): {"-ash"}} {
		if _, start := asked(t, how{path: link, argv: []string{link, "-c", command}}, &wire.Ready{}); !slices.Equal(start.Argv, want) {
			t.Errorf("%s: %q", command, start.Argv)
		}
	}
}

func TestFirstArgumentIsTheNameOfTheShell(t *testing.T) {
	t.Parallel()
	for shell, want := range map[string]string{"/bin/bash": "-bash", "/opt/x/": "-", "zsh": "-zsh"} {
		if _, start := asked(t, how{}, &wire.Ready{Shell: shell}); start.Path != shell || !slices.Equal(start.Argv, []string{want}) || !slices.Contains(start.Env, "SHELL="+shell) {
			t.Errorf("%s: %+v", shell, start)
		}
	}
}

func TestOriginalCommandGoesInsideUnlessItIsWhatRuns(t *testing.T) {
	t.Parallel()
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
		_, start := asked(t, how{argv: c.argv, env: []string{"SSH_ORIGINAL_COMMAND=ls"}}, &wire.Ready{Accept: []string{"*"}})
		if got := slices.Contains(start.Env, "SSH_ORIGINAL_COMMAND=ls"); got != c.goes {
			t.Errorf("%s: goes inside: %v, want %v", c.what, got, c.goes)
		}
		if c.goes && slices.Contains(start.Argv, "ls") {
			t.Errorf("%s: runs %q", c.what, start.Argv)
		}
	}
}

func TestBadArgumentsAreErrors(t *testing.T) {
	t.Parallel()
	const unknown = "unknown option "
	for _, c := range []struct {
		argv []string
		want string
	}{
		{[]string{"dockersh", "-c"}, "-c needs a command"},
		{[]string{"-dockersh", "-lc"}, "-c needs a command"},
		{[]string{"dockersh", "-x"}, unknown + "-x"},
		{[]string{"dockersh", "-lcx", "id"}, unknown + "-lcx"},
		{[]string{"dockersh", "--privileged"}, unknown + "--privileged"},
		{[]string{"dockersh", "--version", "x"}, unknown + "--version"},
		{[]string{"dockersh", "-c", "dockersh --version"}, unknown + "--version"},
		{[]string{"dockersh", "-c", "dockersh -x"}, unknown + "-x"},
		{[]string{"dockersh", "-\x1b[2J\xff\u202e\u00e9"}, unknown + "-?[2J??\u00e9"},
	} {
		newBroker(t).run(how{argv: c.argv}).refuses("dockersh: error: " + c.want + "\nhint: run: dockersh [-l] [-c command]\n")
	}
}

func TestSSHRCIsNotRun(t *testing.T) {
	t.Parallel()
	for command, nothing := range map[string]bool{
		"/bin/sh .ssh/rc": true, "/bin/sh /home/x/.ssh/rc": true, "dockersh -c /bin/sh": false,
		"/bin/sh /home/y/.ssh/rc": false, "/bin/sh .ssh/rc; id": false, "/bin/sh  .ssh/rc": false, "sh .ssh/rc": false,
	} {
		h := how{argv: []string{"dockersh", "-c", command}, env: []string{"HOME=/home/x"}}
		if !nothing {
			if _, start := asked(t, h, &wire.Ready{}); start.Argv[0] != "ash" {
				t.Errorf("%s: %q", command, start.Argv)
			}
			continue
		}
		f := noBroker(t).run(h)
		f.exits(0)
		if got := f.errors.whole(t); got != "" {
			t.Errorf("%s: %q", command, got)
		}
	}
}

func TestCommandForTheLogIsCutToItsLimit(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", wire.MaxWords)
	for _, c := range []struct {
		argv []string
		want string
		cut  bool
	}{
		{[]string{"-dockersh"}, "", false}, {[]string{"dockersh", "-c", "echo 'a  b'"}, "echo 'a  b'", false}, {[]string{"dockersh", "-c", "echo $1", "x", "y"}, "echo $1 x y", false},
		{[]string{"dockersh", "file", "a"}, "file a", false}, {[]string{"dockersh", "-c", "a\n\x1b\xff"}, "a\n\x1b\xff", false},
		{[]string{"dockersh", "-c", long}, long, false}, {[]string{"dockersh", "-c", long + "y"}, long, true}, {[]string{"dockersh", "-c", long, ""}, long, true},
	} {
		login, start := asked(t, how{argv: c.argv}, &wire.Ready{})
		if string(login.Words) != c.want || login.Cut != c.cut {
			t.Errorf("%.50q: %.50q %v", c.argv, login.Words, login.Cut)
		}
		if !slices.Equal(start.Argv[1:], c.argv[1:]) {
			t.Errorf("%.50q: runs %.50q", c.argv, start.Argv)
		}
	}
}

func TestVersionIsPrintedWithoutABroker(t *testing.T) {
	t.Parallel()
	f := noBroker(t).run(how{argv: []string{"dockersh", "--version"}})
	f.exits(0)
	if out := f.out.whole(t); !regexp.MustCompile(`^dockersh \S+\n$`).MatchString(out) {
		t.Errorf("%q", out)
	}
}

func TestLoginIsOfThisVersionAndWithoutMore(t *testing.T) {
	t.Parallel()
	login, start := asked(t, how{}, &wire.Ready{Cwd: "/srv", Fallback: "/bin/sh"})
	want, _ := wire.Encode(&wire.Login{Version: wire.Version})
	if got, _ := wire.Encode(login); !bytes.Equal(got, want) {
		t.Errorf("%+v", login)
	}
	if start.Cwd != "/srv" || start.Fallback != "/bin/sh" || start.Terminal || start.Rows != 0 || start.Cols != 0 || len(start.Termios) != 0 ||
		start.SSHAgent || start.Display != "" || len(start.Cookies) != 0 {
		t.Errorf("%+v", start)
	}
}

func TestCommandThatDoesNotFitIsRefused(t *testing.T) {
	t.Parallel()
	const part = 120 << 10
	b := newBroker(t)
	f := b.run(how{argv: []string{"dockersh", "-c", strings.Repeat("x", part)}, env: []string{"A=" + strings.Repeat("y", part)}})
	c := b.accept()
	expect[*wire.Login](c)
	a := c.ready(&wire.Ready{Shell: "/bin/ash", Accept: []string{"*"}})
	a.send(&wire.Hello{Version: wire.AgentVersion})
	f.refuses("dockersh: error: the command line and the environment are too long\n")
	a.expectEnd()
}

// Whatever the bytes, the result is an error that cannot steer a terminal, or a Start whose first
// argument names the shell.
func FuzzArguments(f *testing.F) {
	program(f) // before the workers start
	f.Add("-dockersh", "-c", "exit 7", "")
	f.Add("dockersh", "-lc", "dockersh -l", "ls")
	f.Add("dockersh", "-\x1b[2J\xc2", "\xff", "\u202e")
	f.Fuzz(func(t *testing.T, zero, one, two, original string) {
		for _, s := range []string{zero, one, two, original} {
			if strings.ContainsRune(s, 0) || len(s) > 1000 {
				return // no argument has that
			}
		}
		b := newBroker(t)
		p := b.run(how{argv: []string{zero, one, two}, env: []string{"SSH_ORIGINAL_COMMAND=" + original}})
		go func() {
			<-p.ended
			_ = b.l.Close()
		}()
		if c, err := b.tryAccept(); err == nil {
			s := &session{front: p, broker: c, login: expect[*wire.Login](c)}
			s.greet(&wire.Ready{})
			if zero := s.start.Argv[0]; zero != "ash" && zero != "-ash" {
				t.Errorf("%q", s.start.Argv)
			}
			s.started(&wire.Started{})
			s.ends(&wire.Exit{})
		}
		ws := p.wait()
		if text := p.errors.whole(t); ws.ExitStatus() == 255 {
			text = strings.ReplaceAll(text, "\n", "")
			if text == "" || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Errorf("%q", text)
			}
		} else if ws.ExitStatus() != 0 || text != "" {
			t.Errorf("%s, stderr %q", describe(ws), text)
		}
	})
}
