//go:build e2e

package gates

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/test/e2e"
)

// outcome is how far an attempt gets.
type outcome int

const (
	nowhere outcome = iota // it leaves nothing on the host, and reads nothing there
	ignored                // as a whole ~/.dockersh
	reached                // the host, as docs/hardening.md says
)

// attempt is the worst that a hostile user can try through some gates. In its lines HOME,
// DATA and IMAGE stand for the user's home, for a root directory on the host, which
// is mounted at /data unless the lines mount something else there, and for an image in
// which everything is hostile.
type attempt struct {
	gates []string
	lines []string // the administrator's
	own   []string // the user's
	host  string   // what the administrator did on the host
	run   string   // besides the attack; it prints REACHED where it reaches the host
	want  outcome
}

// five are the gates that can be open all at once.
var five = []string{"imagename", "shell", "usercwd", "cmd", "entrypoint"}

var attempts = []attempt{
	{gates: []string{"imagename"}, own: []string{"imagename = IMAGE"}},
	{gates: []string{"imagename"}, lines: []string{"mounthome", "nonewprivileges = false", "containerusername = student"}, own: []string{"imagename = IMAGE"}},
	{gates: []string{"shell"}, lines: []string{"mounthome"}, own: []string{"shell = HOME/attack"}},
	{gates: []string{"usercwd"}, lines: []string{"mounthome"}, own: []string{"usercwd = /proc/1/root/../data"}},
	{gates: []string{"entrypoint"}, lines: []string{"mounthome", "dockeropt = --user root"}, own: []string{"entrypoint = HOME/attack"}},
	{gates: []string{"cmd"}, lines: []string{"mounthome", "entrypoint = /bin/sh", "dockeropt = --user root"}, own: []string{"cmd = HOME/attack"}},
	{gates: []string{"mounthome"}, own: []string{"mounthome"}},
	{gates: []string{"mounthometo"}, lines: []string{"mounthome", "nonewprivileges = false"}, own: []string{"mounthometo = /srv/x"}},
	{gates: []string{"mounthometo"}, lines: []string{"mounthome"}, own: []string{"mounthometo = /srv/../etc"}, want: ignored},
	{gates: []string{"mounthometo"}, lines: []string{"mounthome"}, own: []string{"mounthometo = /.dockersh"}, want: ignored},
	{gates: []string{"mounttmp"}, own: []string{"mounttmp"}},
	{gates: []string{"containername"}, own: []string{"containername = VICTIM_dockersh"}},

	// Those that the page says lead out.
	{gates: []string{"containerusername"}, lines: []string{"mounthome"}, own: []string{"containerusername = 0"}, want: reached},
	{gates: []string{"mounthomefrom"}, lines: []string{"mounthome"}, own: []string{"mounthomefrom = /etc"}, run: "[ ! -e HOME/dockershrc ] || echo REACHED", want: reached},
	{gates: []string{"mountdockersocket"}, own: []string{"mountdockersocket"}, run: "[ ! -S /var/run/docker.sock ] || echo REACHED", want: reached},
	{gates: []string{"dockersocket"}, lines: []string{"mountdockersocket"}, own: []string{"dockersocket = /run/gates.sock"},
		host: "ln -f /run/docker.sock /run/gates.sock", run: "[ ! -S /var/run/docker.sock ] || echo REACHED", want: reached},
	{gates: []string{"dockeropt"}, own: []string{"dockeropt = -v /etc:/x"}, run: "[ ! -e /x/dockershrc ] || echo REACHED", want: reached},

	{gates: []string{"reverseforward"}, own: []string{"reverseforward = " + e2e.Port + ":8022"},
		run: "nc 127.0.0.1 8022 </dev/null | grep -q SSH && echo REACHED", want: reached},

	// Together.
	{gates: five, lines: []string{"nonewprivileges = false", "dockeropt = --user root"},
		own: []string{"imagename = IMAGE", "shell = /attack", "usercwd = /link", "entrypoint = /bin/sh", "cmd = /attack", "cmd = x"}},
	{gates: five, lines: []string{"mounthome", "nonewprivileges = false", "dockeropt = --user root", "containerusername = student"},
		own: []string{"imagename = IMAGE", "shell = /attack", "usercwd = /link", "entrypoint = /attack"}},
	{gates: []string{"imagename", "mounthome"}, lines: []string{"mounthometo = /home/x"}, own: []string{"imagename = IMAGE", "mounthome"}},
	{gates: []string{"entrypoint", "mounthometo"}, lines: []string{"mounthome", "dockeropt = --user root"}, own: []string{"entrypoint = /srv/x/attack", "mounthometo = /srv/x"}},
	{gates: []string{"imagename", "mounttmp"}, lines: []string{"mounthome"}, own: []string{"imagename = IMAGE", "mounttmp"}},
	{gates: []string{"imagename", "containername"}, own: []string{"imagename = IMAGE", "containername = VICTIM_dockersh"}},
	{gates: []string{"imagename"}, lines: []string{"containername = gates-class"}, own: []string{"imagename = IMAGE"}, want: ignored},
	{gates: []string{"imagename", "containerusername"}, lines: []string{"mounthome"}, own: []string{"imagename = IMAGE", "containerusername = root"}, want: reached},
	{gates: []string{"containerusername", "mounttmp"}, own: []string{"containerusername = 0", "mounttmp"}, want: reached},
}

// attack tries to read, to write and to leave setuid-root programs. Whatever succeeds shows
// on the host. As process 1 it stays.
const attack = `#!/bin/sh
exec 2>/tmp/errors
for at in HOME /home/x /srv/x /data /tmp; do
	for by in "" root; do
		f=$at/left-USER$by
		cp /bin/busybox $f; chmod 755 $f
		${by}chown 0:0 $f; ${by}chmod 6755 $f
		mknod $f-node b 7 0
	done
done
id -u >>/data/new
cat /data/secret
RUN
[ $$ != 1 ] || exec sleep 1000000
`

func (a attempt) String() string {
	return strings.Join(a.gates, "+") + " " + strings.Join(append(slices.Clone(a.lines), a.own...), ", ")
}

// prepare adds the user, with an image and a home in which everything is hostile, and the
// root directory. It returns that, and the attack.
func (a attempt) prepare(t *testing.T, w world) (u *e2e.Account, data, script string) {
	t.Helper()
	u, victim := e2e.NewUser(t), e2e.NewUser(t, w.lines...)
	data = "/srv/gates/" + u.Name
	e2e.OnHost(t, "install", "-d", "-m", "755", data)
	e2e.OnHost(t, "install", "-m", "600", "/dev/null", data+"/secret")
	if err := os.WriteFile(data+"/secret", []byte("SECRET\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	of := strings.NewReplacer("HOME", u.Home, "DATA", data, "IMAGE", "hostile-"+u.Name, "VICTIM", victim.Name, "USER", u.Name, "RUN", strings.ReplaceAll(a.run, "HOME", u.Home))
	script = of.Replace(attack)
	u.WriteFile(t, "attack", script, 0o755)
	if a.host != "" {
		e2e.OnHost(t, "sh", "-c", a.host)
	}
	lines := append([]string{"imagename = dsh-busybox", "shell = /bin/sh", "volume = " + data + ":/data", "enableuserconfig"}, w.lines...)
	for _, gate := range a.gates {
		lines = append(lines, "enableuser"+gate)
	}
	for _, line := range a.lines {
		lines = append(lines, of.Replace(line))
	}
	u.Configure(t, lines...)
	own := "[dockersh]\n"
	for _, line := range a.own {
		own += "\t" + of.Replace(line) + "\n"
	}
	u.WriteFile(t, ".dockersh", own, 0o644)
	if slices.Contains(a.gates, "imagename") {
		w.images.MakeImage(t, "hostile-"+u.Name, withChown+fmt.Sprintf(`
			cp %s/attack .; ln -s /data link; mkdir -m 1777 -p tmp
			echo student:x:0:0::/root:/bin/sh >>etc/passwd; echo %s:x:0:0::/root:/bin/sh >>etc/passwd; chown -R %d . ; chown 0 bin/rootch*; chmod 4755 bin/rootch*`,
			u.Home, u.Name, u.UID), "WORKDIR /link/made")
	}
	return u, data, script
}

// reachedHost returns what of the attempt shows on the host: what the attack wrote, and
// whose it is.
func (a attempt) reachedHost(t *testing.T, u *e2e.Account, data, output string) string {
	t.Helper()
	if strings.Contains(output, "SECRET") || strings.Contains(output, "REACHED") {
		return fmt.Sprintf("the output %q", output)
	}
	left := append(glob(t, u.Home+"/*"), glob(t, "/tmp/left-"+u.Name+"*")...)
	for _, path := range append(left, glob(t, data+"/*")...) {
		st, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		s := st.Sys().(*syscall.Stat_t)
		if filepath.Dir(path) == data && filepath.Base(path) != "secret" || filepath.Dir(path) != data && (int(s.Uid) != u.UID || int(s.Gid) != u.GID) || !st.Mode().IsRegular() {
			return fmt.Sprintf("%s: %v of %d:%d", path, st.Mode(), s.Uid, s.Gid)
		}
	}
	return ""
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// try logs in twice, with a start of the container between: what the user changed inside
// counts at the second one.
func (a attempt) try(t *testing.T, w world) {
	u, data, script := a.prepare(t, w)
	output := ""
	for range 2 {
		r, err := e2e.TrySSH(u, strings.NewReader(script), "/bin/sh; /attack; "+u.Home+"/attack")
		if err != nil {
			t.Fatal(err)
		}
		if a.want == ignored {
			r.Ignored(t)
		} else if r.Status == 255 && strings.Contains(r.Stderr, "error") && !strings.Contains(r.Stderr, "container") {
			t.Errorf("the login failed, and tried nothing: %+v", r)
		}
		output += r.Stdout
		for _, id := range strings.Fields(w.command(t, "ps", "-q", "--filter", "label=dockersh.user="+u.Name)) {
			w.command(t, "kill", id)
		}
	}
	switch what := a.reachedHost(t, u, data, output); {
	case a.want != reached && what != "":
		t.Errorf("it reached the host: %s", what)
	case a.want == reached && what == "":
		t.Errorf("docs/hardening.md says that this reaches the host, and it does not: %q", output)
	}
}

func TestEachGateGivesNoMoreThanThePageSays(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, noDirect)
	for _, a := range attempts {
		t.Run(a.String(), func(t *testing.T) { a.try(t, docker) })
	}
	for _, gate := range config.Gates() {
		if !slices.ContainsFunc(attempts, func(a attempt) bool { return slices.Equal(a.gates, []string{gate}) }) {
			t.Errorf("nothing tries enableuser%s alone", gate)
		}
	}
}

func TestHostileImageGainsNothingInPodman(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor.On(e2e.Podman), noDirect)
	for _, a := range attempts {
		if slices.Contains(a.gates, "imagename") && a.want == nowhere {
			t.Run(a.String(), func(t *testing.T) { a.try(t, podman) })
		}
	}
}
