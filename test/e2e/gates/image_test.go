//go:build e2e

package gates

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

// world is an engine, with the options of its command line and the lines that lead a user
// to it.
type world struct {
	name    string
	options []string
	images  e2e.ImageTool
	lines   []string
}

var (
	docker = world{name: "docker", images: e2e.DockerImages}
	podman = world{name: "podman", options: []string{"--url", "unix://" + e2e.PodmanSocket}, images: e2e.PodmanImages, lines: []string{e2e.InPodman}}
)

// command runs the engine's command line as root.
func (w world) command(t *testing.T, args ...string) string {
	t.Helper()
	return e2e.OnHost(t, slices.Concat([]string{w.name}, w.options, args)...)
}

// hostile adds a user who may choose an image and has chosen one of their own. lines are
// the administrator's; script and changes make the image.
func (w world) hostile(t *testing.T, lines []string, script string, changes ...string) *e2e.Account {
	t.Helper()
	u := e2e.NewUser(t, "shell = /bin/sh")
	w.choose(t, u, lines, script, changes...)
	return u
}

// choose lets the account choose an image of its own.
func (w world) choose(t *testing.T, u *e2e.Account, lines []string, script string, changes ...string) {
	t.Helper()
	u.Configure(t, append(append([]string{"shell = /bin/sh", "enableuserconfig", "enableuserimagename"}, w.lines...), lines...)...)
	image := "hostile-" + u.Name
	w.images.MakeImage(t, image, script, changes...)
	u.WriteFile(t, ".dockersh", "[dockersh]\n\timagename = "+image+"\n", 0o644)
}

// inBoth runs a test with Docker and with Podman.
func inBoth(t *testing.T, test func(t *testing.T, w world)) {
	for _, w := range []world{docker, podman} {
		t.Run(w.name, func(t *testing.T) { test(t, w) })
	}
}

func TestForeignImageDoesNotSayWhoTheUserIs(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, noDirect)
	const image = `echo student:x:0:0::/root:/bin/sh >>etc/passwd; echo who:x:4321:0::/:/bin/sh >>etc/passwd
		echo adm:x:4:who,student >>etc/group`
	for name, want := range map[string]string{"student": "uid=UID(student) gid=GID groups=GID", "4321": "uid=4321 gid=4321 groups=4321"} {
		t.Run(name, func(t *testing.T) {
			u := docker.hostile(t, []string{"containerusername = " + name, "mounthome"}, image)
			want = strings.NewReplacer("UID", fmt.Sprint(u.UID), "GID", fmt.Sprint(u.GID)).Replace(want)
			e2e.SSH(t, u, `id | sed 's/\(gid=[0-9]*\)([^)]*)/\1/; s/\(groups=[0-9]*\)([^)]*)/\1/; s/\(uid=4321\)([^)]*)/\1/'`).Want(t, want+"\n", "", 0)
			if name == "student" {
				leavesNoProgram(t, u)
			}
			if out, _, _ := e2e.Ctl(t, "doctor", "--no-login", u.Name); !strings.Contains(out, "container-user") {
				t.Errorf("the doctor does not say it: %s", out)
			}
		})
	}
}

// The container was made from the user's image, and the next login is without the
// ~/.dockersh that chose it.
func TestForeignImageStaysForeignWhenTheUsersFileIsGone(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, noDirect)
	u := docker.hostile(t, []string{"containerusername = student", "entrypoint = /bin/sleep", "cmd = 1000000", "mounthome"}, `echo student:x:0:0::/root:/bin/sh >>etc/passwd`)
	e2e.SSH(t, u, "id -u").Want(t, fmt.Sprintln(u.UID), "", 0)
	u.WriteFile(t, ".dockersh", "", 0o644)
	e2e.OnHost(t, "docker", "kill", u.Container(t))
	e2e.SSH(t, u, "id -u").Want(t, fmt.Sprintln(u.UID), "", 0)
	leavesNoProgram(t, u)
}

// The engine looks numbers up as names, in the container's own files, at each start.
func TestUserOfAForeignImageCannotChangeItsGroups(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor.On(e2e.Podman), noDirect)
	inBoth(t, func(t *testing.T, w world) {
		e2e.OnHost(t, "groupadd", "-f", "-g", "7777", "dshstaff")
		u := e2e.NewUser(t)
		u.Join(t, "dshstaff")
		// What dockersh would write is there already, and all of it is the user's.
		w.choose(t, u, []string{"mounthome"}, fmt.Sprintf(`echo "%s:x:%d:" >>etc/group; echo dshstaff:x:7777:%[1]s >>etc/group; chown %d . etc etc/*; chmod 777 . etc; chmod 666 etc/*`, u.Name, u.GID, u.UID))
		all := []string{"7777", fmt.Sprint(u.GID)}
		slices.Sort(all)
		want := strings.Join(all, "\n") + "\n"
		// With Podman the primary group is not one of the supplementary groups, too.
		const groups = "sed -n 's/^Groups://p; s/^Gid:[ \\t]*\\([0-9]*\\).*/\\1/p' /proc/self/status | tr -s ' \\t' '\\n\\n' | grep . | sort -u"
		e2e.SSH(t, u, groups).Want(t, want, "", 0)
		r := e2e.SSH(t, u, fmt.Sprintf("printf '%d:x:0:\\n7777:x:0:\\n' >/tmp/g; cat /etc/group >>/tmp/g; cat /tmp/g >/etc/group || mv /tmp/g /etc/group || mv /etc /etc0", u.GID))
		if r.Status == 0 {
			t.Errorf("the user changed /etc/group: %+v", r)
		}
		e2e.SSH(t, u, "kill 1")
		e2e.SSH(t, u, groups).Want(t, want, "", 0)
		leavesNoProgram(t, u)
		// The directory is a link to a directory of the user.
		v := e2e.NewUser(t)
		w.choose(t, v, nil, fmt.Sprintf("mv etc own; ln -s own etc; chown -R %d own", v.UID))
		if r := e2e.SSH(t, v, "mv /etc/group /tmp/g && echo changed"); strings.Contains(r.Stdout, "changed") {
			t.Errorf("the user changed /etc/group behind a link: %+v", r)
		}
	})
}

func TestForeignImageAsksTheEngineForNothing(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor.On(e2e.Podman), noDirect)
	inBoth(t, func(t *testing.T, w world) {
		host, named := "/srv/gates-"+w.name, "gates-"+w.name
		e2e.OnHost(t, "install", "-d", "-m", "755", host)
		u := w.hostile(t, []string{"volume = " + host + ":/data", "volume = " + named + ":/cache"},
			`mkdir -m 1777 cache; cp bin/busybox cache/root; chmod 4755 cache/root; ln -s /data link`,
			"WORKDIR /link/made")
		e2e.SSH(t, u, "ls -A /cache /data").Want(t, "/cache:\n\n/data:\n", "", 0)
	})
}

func TestHealthCheckOfAForeignImageDoesNotRun(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, noDirect)
	u := docker.hostile(t, nil, "true", `HEALTHCHECK --interval=1ms --timeout=1s CMD echo x >>/tmp/checks`)
	e2e.SSH(t, u, "true").Want(t, "", "", 0)
	time.Sleep(3 * time.Second)
	e2e.SSH(t, u, "ls -A /tmp").Want(t, "", "", 0)
}

// withChown has the host's chown and chmod with their libraries, setuid root.
const withChown = `for f in /bin/chown /bin/chmod $(ldd /bin/chown /bin/chmod | grep -o '/[^ :]*'); do [ ! -f $f ] || { mkdir -p .$(dirname $f); rm -f .$f; cp -L $f .$f; }; done
	for f in chown chmod; do mv bin/$f bin/root$f; chmod 4755 bin/root$f; ln -s busybox bin/$f; done`

func TestSetuidProgramOfAForeignImageGainsNothing(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, noDirect)
	u := docker.hostile(t, []string{"nonewprivileges = false", "mounthome"}, withChown)
	r := e2e.SSH(t, u, "cp /bin/busybox ~/u; rootchown 0 ~/u; rootchmod 4755 ~/u; rootchmod --version | head -n 1")
	if !strings.HasPrefix(r.Stdout, "chmod ") {
		t.Errorf("the programs do not run: %+v", r)
	}
	leavesNoProgram(t, u)
}

func TestProcessOneOfTheUsersIsNotRoot(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, noDirect)
	const proof = "mkdir -p /tmp/p; id -u >/tmp/p/id; exec sleep 1000000"
	const user = "cat /tmp/p/id"
	t.Run("their arguments", func(t *testing.T) {
		u := e2e.NewUser(t, "entrypoint = /bin/sh", "cmd = -c", "cmd = sleep 1000", "dockeropt = --user root", "enableuserconfig", "enableusercmd")
		u.WriteFile(t, ".dockersh", "[dockersh]\n\tcmd = -c\n\tcmd = \""+proof+"\"\n", 0o644)
		e2e.SSH(t, u, user).Want(t, fmt.Sprintln(u.UID), "", 0)
	})
	t.Run("their image", func(t *testing.T) {
		u := docker.hostile(t, []string{"entrypoint = /sbin/init", "dockeropt = --user root"},
			"mkdir -p sbin; rm -f sbin/init; printf '#!/bin/sh\\n"+proof+"\\n' >sbin/init; chmod 755 sbin/init")
		e2e.SSH(t, u, user).Want(t, fmt.Sprintln(u.UID), "", 0)
	})
	t.Run("their home", func(t *testing.T) {
		u := e2e.NewUser(t, "entrypoint = %h/start", "dockeropt = --user root", "mounthome")
		u.WriteFile(t, "start", "#!/bin/sh\n"+proof+"\n", 0o755)
		e2e.SSH(t, u, user).Want(t, fmt.Sprintln(u.UID), "", 0)
	})
}
