package front_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/proto/wire"
)

// onHost starts the program and answers its login with a shell of the host.
func onHost(t *testing.T, h how, shell string) (*front, peer) {
	t.Helper()
	b := newBroker(t)
	f := b.run(h)
	c := b.accept()
	expect[*wire.Login](c)
	c.send(&wire.HostShell{Shell: shell})
	return f, c
}

func TestShellOfTheHostTakesThePlaceOfTheProgram(t *testing.T) {
	t.Parallel()
	const command = `echo "$0" "$SHELL" "$A" "$$" "$1"; read x; echo "$x"; exit 7`
	env := []string{"A=first", "SHELL=/usr/bin/dockersh", "A=second", "LD_X=1", "SSH_ORIGINAL_COMMAND=ls", "noequals", "PATH=" + os.Getenv("PATH")}
	for zero, want := range map[string]string{"dockersh": "x", "-dockersh": "-sh"} {
		argv := []string{zero, "-c", command}
		if want == "x" {
			argv = append(argv, "x", "y") // $0 and $1 of the command
		}
		f, c := onHost(t, how{argv: argv, env: env}, "/bin/sh")
		_, _ = f.in.WriteString("typed\n")
		f.exits(7)
		if got := strings.Fields(f.out.whole(t)); len(got) < 5 || got[0] != want || got[1] != "/bin/sh" || got[2] != "first" || got[len(got)-1] != "typed" || want == "x" && got[4] != "y" {
			t.Errorf("%q", got)
		}
		c.expectEnd()
	}
	f, _ := onHost(t, how{argv: []string{"dockersh", "-c", "env"}, env: env}, "/bin/sh")
	f.exits(0)
	got := f.out.whole(t)
	for _, e := range []string{"A=first", "SHELL=/bin/sh", "LD_X=1", "SSH_ORIGINAL_COMMAND=ls"} {
		if !strings.Contains(got, e+"\n") {
			t.Errorf("%s is not in %q", e, got)
		}
	}
	if strings.Contains(got, "second") || strings.Contains(got, "dockersh\n") {
		t.Errorf("%q", got)
	}
}

func TestShellOfTheHostInheritsWhatTheProgramDid(t *testing.T) {
	t.Parallel()
	const command = `ulimit -Sn; ulimit -Hn; umask; ls /proc/self/fd | tr '\n' ' '; grep -E '^Sig(Blk|Ign)' /proc/self/status`
	const via = `ulimit -Sn 100; ulimit -Hn 200; umask 027; trap "" HUP; exec "$@"`
	env := []string{"PATH=" + os.Getenv("PATH")}
	f, _ := onHost(t, how{argv: []string{"dockersh", "-c", command}, via: via, env: env}, "/bin/sh")
	f.exits(0)
	cmd := exec.Command("/bin/sh", "-c", via, "sh", "/bin/sh", "-c", command)
	cmd.Stdin, cmd.Env = strings.NewReader(""), env
	want, err := cmd.Output()
	must(t, err)
	if got := f.out.whole(t); got != string(want) || !strings.HasPrefix(got, "100\n200\n0027\n") {
		t.Errorf("%q, and without the program %q; stderr %q", got, want, f.errors.whole(t))
	}
}

func TestShellOfTheHostThatCannotBeRunIsAnError(t *testing.T) {
	t.Parallel()
	for shell, why := range map[string]string{"/none/such": "no such file or directory", "/etc/passwd": "permission denied", "/": "permission denied", "/x\x1b": "no such file or directory"} {
		f, _ := onHost(t, how{}, shell)
		f.exits(255)
		want := "dockersh: error: cannot run the host shell " + shell + ": " + why + "\nhint: ask the administrator to run: dockershctl check\n"
		if got := f.errors.whole(t); !strings.EqualFold(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
