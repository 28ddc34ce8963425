package front_test

import (
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/limits"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// entered returns the environment that enters the container.
func entered(start *wire.Start) []string {
	return slices.DeleteFunc(start.Env, func(e string) bool { return e == sanitizers })
}

func TestOnlyAcceptedVariablesEnterTheContainer(t *testing.T) {
	t.Parallel()
	never := []string{"LD_PRELOAD=/x", "LD_=1", "DYLD_INSERT_LIBRARIES=x", "GCONV_PATH=x", "GODEBUG=", "GOTRACEBACK=1", "GLIBC_TUNABLES=x", "DOCKER_HOST=z", "BASH_ENV=q",
		"ENV=q", "IFS=x", "PATH=/y", "HOME=/h", "USER=u", "LOGNAME=l", "SHELL=/d", "PWD=/p", "OLDPWD=/o", "SSH_AUTH_SOCK=/tmp/s", "SSH_TTY=/dev/pts/9",
		"SSH_USER_AUTH=/x", "SSH_ORIGINAL=x", "BASH_FUNC_x%%=() { id; }", "DISPLAY=:0", "XAUTHORITY=/x", "noequals", "=x", "="}
	free := []string{"LANG=C", "LC_ALL=x", "TERM=vt100", "SECRET=a=b", "lD_PRELOAD=x", "XLD_PRELOAD=x", "PATHS=x", "DOCKER=x", "EMPTY=", "BYTES=\xff\x01\n", "L=x", "LANGUAGE=de"}
	sshd := []string{"SSH_CONNECTION=a", "SSH_CLIENT=b"}
	env := slices.Concat(never, free, sshd, []string{"LC_ALL=again", "SSH_CLIENT=again"}) // the first of two counts
	for _, c := range []struct {
		accept []string
		want   []string
	}{
		{nil, sshd},
		{[]string{}, sshd},
		{[]string{""}, sshd},
		{[]string{"*"}, slices.Concat(free, sshd)},
		{[]string{"**", "?*"}, slices.Concat(free, sshd)},
		{[]string{"TERM", "LC_*"}, append([]string{"LC_ALL=x", "TERM=vt100"}, sshd...)},
		{[]string{"L?NG", "*_A*L", "?"}, append([]string{"LANG=C", "LC_ALL=x", "L=x"}, sshd...)},
		{[]string{"LANG*E", "term", "SECRET=*"}, append([]string{"LANGUAGE=de"}, sshd...)},
		{[]string{"LD_*", "PATH", "SSH_*", "BASH_FUNC_*", "HOME"}, sshd},
		{[]string{"L*A*N*G?A*E*", "*T", "*A*A*A*A*A*A*"}, append([]string{"SECRET=a=b", "LANGUAGE=de"}, sshd...)},
	} {
		_, start := asked(t, how{env: env}, &wire.Ready{Accept: c.accept})
		if got, want := entered(start), append([]string{"SHELL=/bin/ash"}, c.want...); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", c.accept, got, want)
		}
	}
}

func TestFirstOfTwoVariablesCounts(t *testing.T) {
	t.Parallel()
	_, start := asked(t, how{argv: []string{"dockersh"}, env: []string{"SSH_ORIGINAL_COMMAND=first", "SSH_ORIGINAL_COMMAND=second"}}, &wire.Ready{})
	if want := []string{"ash", "-c", "first"}; !slices.Equal(start.Argv, want) {
		t.Errorf("%q", start.Argv)
	}
}

// An environment may be larger than any buffer of its reader, and a pattern worse than it looks.
func TestManyVariablesAndPatternsEnter(t *testing.T) {
	t.Parallel()
	var env, accept []string
	for i := range 2000 {
		env = append(env, "A"+strings.Repeat("a", i%30)+strconv.Itoa(i)+"="+strings.Repeat("x", i%50))
		accept = append(accept, strings.Repeat("a*", 30)+"b")
	}
	_, start := asked(t, how{env: env}, &wire.Ready{Accept: append(accept, "A*")})
	if got := entered(start); !slices.Equal(got[1:], env) {
		t.Errorf("%d of %d variables", len(got)-1, len(env))
	}
}

func TestWhatTheProgramInheritedIsInherited(t *testing.T) {
	t.Parallel()
	const script = `umask 0027; ulimit -Sn 100; ulimit -Hn 200; ulimit -c 0; ulimit -Sf 4096; exec nice -n 7 "$@"`
	nice, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	must(t, err)
	want := limits.Own()
	want[unix.RLIMIT_NOFILE] = limits.Limit{Soft: 100, Hard: 200}
	want[unix.RLIMIT_CORE] = limits.Limit{}
	want[unix.RLIMIT_FSIZE].Soft = 4096 * 512
	_, start := asked(t, how{argv: []string{"dockersh"}, via: script}, &wire.Ready{})
	got := start.Inherited
	if got == nil || got.Umask != 0o027 || int(got.Nice) != min(20-nice+7, 19) || got.Limits != want {
		t.Errorf("%+v, want limits %v", got, want)
	}
	if os.Geteuid() == 0 {
		_, start := asked(t, how{argv: []string{"dockersh"}, via: `umask 0; exec nice -n -100 "$@"`}, &wire.Ready{})
		if got := start.Inherited; got == nil || got.Umask != 0 || got.Nice != -20 {
			t.Errorf("%+v", got)
		}
	}
	if got.Limits[unix.RLIMIT_CPU].Soft == 0 || limits.Unlimited != math.MaxUint64 {
		t.Errorf("%v", got.Limits)
	}
}

func TestAgentOfVersion1GetsWhatItKnows(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	f := b.run(how{argv: []string{"dockersh", "-c", "id"}, env: []string{"SSH_CONNECTION=x"}})
	c := b.accept()
	expect[*wire.Login](c)
	a := c.ready(&wire.Ready{Shell: "/bin/ash", Fallback: "/bin/sh", Cwd: "/srv", SSHAgent: true, X11: true})
	start, stdio := a.greet(1)
	if start.Inherited != nil || start.Fallback != "" || start.Cwd != "/srv" || !slices.Equal(start.Argv, []string{"ash", "-c", "id"}) {
		t.Errorf("%+v", start)
	}
	a.send(&wire.Started{})
	closeAll(stdio)
	a.send(&wire.Exit{Status: 3 << 8})
	f.exits(3)
}
