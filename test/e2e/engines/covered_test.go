//go:build e2e

package engines

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// takesThePlace is a program that a user has in place of dockersh-init. It shows that root
// ran it by a file beside itself, and leaves a setuid program there.
const takesThePlace = `#!/bin/sh
if [ "$(id -u)" = 0 ]; then
	d=${0%/*}/pub
	id >$d/proof
	cp /bin/busybox $d/rootsh; chmod 4755 $d/rootsh
fi
while :; do sleep 1; done
`

// engineOf runs the command line of the engine that has the user's containers, which must
// succeed.
type engineOf func(t testing.TB, args ...string) string

func docker(t testing.TB, args ...string) string {
	t.Helper()
	return e2e.OnHost(t, append([]string{"docker"}, args...)...)
}

// ownVolume makes a directory of the host that belongs to the user, for a volume.
func ownVolume(t *testing.T, u *e2e.Account) string {
	t.Helper()
	dir := "/srv/volume-" + u.Name
	e2e.OnHost(t, "install", "-d", "-o", u.Name, "-m", "755", dir)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func succeeds(t *testing.T, r e2e.Result) {
	t.Helper()
	if r.Status != 0 {
		t.Fatalf("%q %q %d", r.Stdout, r.Stderr, r.Status)
	}
}

// putInPlace stops the user's container and logs in twice: nothing that belongs to the user may have
// been run by root, and the container may not run.
func putInPlace(t *testing.T, u *e2e.Account, engine engineOf, proof string) {
	t.Helper()
	id := strings.TrimSpace(engine(t, "ps", "-aq", "--no-trunc", "--filter", "label=dockersh.user="+u.Name))
	state := func() string {
		return strings.TrimSpace(engine(t, "inspect", "-f", "{{.State.Status}}", id))
	}
	_, _ = e2e.TrySSH(u, nil, "kill 1")
	e2e.Eventually(t, "the container is stopped", func() bool { return state() == "exited" })
	for range 2 {
		r, err := e2e.TrySSH(u, nil, "true")
		if err != nil || r.Status != 255 || !strings.Contains(r.Stderr, "mount") || !strings.Contains(r.Stderr, "dockershctl reset") {
			t.Errorf("login: %q %q %d %v", r.Stdout, r.Stderr, r.Status, err)
		}
		if now := state(); now != "exited" {
			t.Errorf("after the login the container is %s", now)
		}
	}
	name := strings.TrimPrefix(strings.TrimSpace(engine(t, "inspect", "-f", "{{.Name}}", id)), "/")
	if out, stderr, status := e2e.Ctl(t, "start", name); status == 0 || !strings.Contains(out+stderr, "mount") || state() != "exited" {
		t.Errorf("dockershctl start: %q %q %d; the container is %s", out, stderr, status, state())
	}
	if b, err := os.ReadFile(filepath.Join(proof, "proof")); err == nil {
		t.Errorf("root ran the user's program in the container: %s", b)
	}
	if st, err := os.Stat(filepath.Join(proof, "rootsh")); err == nil {
		t.Errorf("on the host there is a file with mode %v", st.Mode())
	}
}

func TestLinkInAHomeDoesNotCoverTheHelper(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(e2e.Podman))
	for _, c := range []struct {
		name   string
		engine engineOf
		lines  []string
	}{
		{"home in the container", docker, nil},
		{"mounted home", docker, []string{"mounthome"}},
		{"Podman", podman, []string{"mounthome", e2e.InPodman, "imagename = dsh-debian", "shell = /bin/sh"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := e2e.NewUser(t)
			dir := ownVolume(t, u)
			u.Configure(t, append(c.lines, "volume = "+dir+":%h/work/data")...)
			t.Cleanup(func() { removeAll(t, u, c.engine) })
			succeeds(t, e2e.SSHInput(t, u, strings.NewReader(takesThePlace), `set -e
				cd ~; cat >work/data/dockersh-init; chmod 755 work/data/dockersh-init
				mkdir -m 777 work/data/pub work/data/run
				mv work work0; mkdir work; ln -s /.dockersh work/data`))
			putInPlace(t, u, c.engine, dir+"/pub")
		})
	}
}

func removeAll(t *testing.T, u *e2e.Account, engine engineOf) {
	t.Helper()
	for id := range strings.FieldsSeq(engine(t, "ps", "-aq", "--no-trunc", "--filter", "label=dockersh.user="+u.Name)) {
		engine(t, "rm", "-f", id)
	}
}

// The home itself lies below another mount that users can write.
func TestHomeBelowTmpDoesNotCoverTheHelper(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u := e2e.NewUser(t, "mounthome", "mounttmp", "mounthometo = /tmp/place-%u/h")
	dir := "/tmp/place-" + u.Name
	t.Cleanup(func() { os.RemoveAll(dir); os.RemoveAll(dir + "0") })
	u.WriteFile(t, "dockersh-init", takesThePlace, 0o755)
	e2e.OnHost(t, "sh", "-c", fmt.Sprintf("mkdir -m 777 %s/pub %s/run; mkdir %s; chown %d %s %s %s/pub %s/run", u.Home, u.Home, dir, u.UID, u.Home, dir, u.Home, u.Home))
	succeeds(t, e2e.SSH(t, u, fmt.Sprintf("cd /; mv %s %s0; mkdir %s; ln -s /.dockersh %s/h", dir, dir, dir, dir)))
	putInPlace(t, u, docker, u.Home+"/pub")
}

// insteadOfTheAgent is a program of an image. As process 1 it stays, and has the true agent
// as a child, so that a first login succeeds.
const insteadOfTheAgent = `#!/bin/sh
if [ "$(id -u)" = 0 ]; then
	id >/PLACE/proof
	exec /PLACE/real "$@"
fi
[ $$ = 1 ] || exec /PLACE/real "$@"
/PLACE/real "$@" &
while :; do sleep 1; done
`

func TestImageDoesNotCoverTheHelper(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(e2e.Podman))
	inPodman := []string{e2e.InPodman}
	for _, c := range []struct {
		name, place, script, volume string
		engine                      engineOf
		images                      e2e.ImageTool
		lines                       []string
	}{
		{"a link in its place", "evil", "ln -s /evil .dockersh", "VOLUME /evil", docker, e2e.DockerImages, nil},
		{"a volume behind a link", ".dockersh", "mkdir a; ln -s /.dockersh a/x", "VOLUME /a/x", docker, e2e.DockerImages, nil},
		{"a link in its place, Podman", "evil", "ln -s /evil .dockersh", "VOLUME /evil", podman, e2e.PodmanImages, inPodman},
		{"a volume behind a link, Podman", ".dockersh", "mkdir a; ln -s /.dockersh a/x", "VOLUME /a/x", podman, e2e.PodmanImages, inPodman},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.images.MakeImage(t, "dsh-covers", strings.ReplaceAll("mkdir -p PLACE/run; "+c.script+"\ncp "+e2e.Prefix+"/libexec/dockersh/dockersh-init PLACE/real\ncat >PLACE/dockersh-init <<'END'\n"+
				insteadOfTheAgent+"END\nchmod 755 PLACE/dockersh-init; chmod 1777 PLACE", "PLACE", c.place), c.volume)
			u := e2e.NewUser(t, append(c.lines, "mounthome", "enableuserconfig", "enableuserimagename")...)
			t.Cleanup(func() { removeAll(t, u, c.engine) })
			u.WriteFile(t, ".dockersh", "[dockersh]\n\timagename = dsh-covers\n", 0o644)
			covered := 0
			for range 8 { // the engine mounts in an order of chance
				r, err := e2e.TrySSH(u, nil, "head -c 9 /.dockersh/dockersh-init")
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(r.Stdout, "#!/bin/sh") {
					covered++
				} else if r.Status != 0 && !strings.Contains(r.Stderr, "mount") {
					t.Errorf("login: %q %q %d", r.Stdout, r.Stderr, r.Status)
				}
				removeAll(t, u, c.engine)
			}
			if covered > 0 {
				t.Errorf("%d of 8 logins ended in a container with another helper", covered)
			}
		})
	}
}
