//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// rootless is a Podman that a user runs with his own rights, for the rest of the
// run.
type rootless struct {
	*account
	socket string
}

// errNotHere is what this machine cannot do: no fault of ours.
var errNotHere = errors.New("not on this machine")

// newRootless is a new user with an engine of his own, which has the images.
func newRootless() (*rootless, error) {
	for _, program := range []string{"podman", "newuidmap"} {
		if _, err := exec.LookPath(program); err != nil {
			return nil, fmt.Errorf("%w: %w (sh scripts/need tests)", errNotHere, err)
		}
	}
	a, err := addUser(front)
	if err != nil {
		return nil, err
	}
	r := &rootless{account: a, socket: a.runDir() + "/podman/podman.sock"}
	numbers := fmt.Sprintf("%s:%d:65536\n", a.name, 1_000_000+100_000*(a.uid%1000))
	conf := a.home + "/.config/containers/containers.conf"
	err = errors.Join(appendFile("/etc/subuid", numbers), appendFile("/etc/subgid", numbers),
		os.MkdirAll(a.home+"/.config/containers", 0o755), os.WriteFile(conf, []byte(podmanConf), 0o644))
	if err != nil {
		return nil, err
	}
	for _, argv := range [][]string{{"install", "-d", "-m", "700", "-o", a.name, a.runDir(), a.runDir() + "/podman"}, {"chown", "-R", a.name, a.home}} {
		if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
			return nil, &failed{argv[0], string(out)}
		}
	}
	for _, image := range []string{"busybox", "debian"} {
		tar := os.Getenv("REPO") + "/build/images/" + image + ".tar"
		if out, err := r.podman("import", tar, "dsh-"+image).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%w: %s", errNotHere, out)
		}
	}
	service := r.podman("system", "service", "--time=0", "unix://"+r.socket)
	if err := service.Start(); err != nil {
		return nil, err
	}
	go func() { _ = service.Wait() }()
	if !within(limit, func() bool { return r.podman("--url", "unix://"+r.socket, "version").Run() == nil }) {
		return nil, &failed{"podman", "its service does not answer"}
	}
	return r, nil
}

func (a *account) runDir() string { return "/run/user/" + strconv.Itoa(a.uid) }

func appendFile(name, text string) error {
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// podman is the user's own command line.
func (r *rootless) podman(args ...string) *exec.Cmd {
	cmd := asUserOf(r.account, append([]string{"podman"}, args...)...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + r.home, "XDG_RUNTIME_DIR=" + r.runDir()}
	cmd.SysProcAttr.Setsid = true
	return cmd
}

// says is the output of the user's own command line.
func (r *rootless) says(t *testing.T, args ...string) string {
	t.Helper()
	out, err := r.podman(args...).CombinedOutput()
	if err != nil {
		t.Fatalf("podman %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// ownEngine is the kind of account whose containers are of his own rootless
// engine. Only the direct door leads there.
var ownEngine = &kind{name: "rootless", make: func() (*account, error) {
	r, err := newRootless()
	if err != nil {
		return nil, err
	}
	theOwner = r
	return r.account, r.set(ownLines...)
}}

var theOwner *rootless

// theRootless is the account of that kind. Podman keeps a process that holds its
// user namespace, so it does not go with a test.
func theRootless(t *testing.T) *rootless {
	t.Helper()
	ownEngine.account(t)
	return theOwner
}

// ownLines are the settings of that account. Without keep-id his number inside is
// another one outside, and his home is not his.
var ownLines = []string{"dockersocket = /run/user/%U/podman/podman.sock", "imagename = dsh-debian", "shell = /bin/bash", "pidslimit = 0", "mounthome", "dockeropt = --userns=keep-id"}

func TestPodmanRootlessIsRefusedByTheService(t *testing.T) {
	privileged(t, "with the user's own rights it is his own engine, see TestARootlessEngineIsItsUsers")
	// It has its user's rights, and cannot even see what the service would mount.
	r := theRootless(t)
	r.reset(t, "dockersocket = "+r.socket, "imagename = dsh-busybox", "pidslimit = 0")
	t.Cleanup(func() { r.reset(t, ownLines...) })
	ssh(t, r.account, "true").refused(t, "refuses")
	if out := r.says(t, "ps", "-aq"); out != "" {
		t.Errorf("left: %s", out)
	}
}

// The session tests run there too: see both.
func TestARootlessEngineIsItsUsers(t *testing.T) {
	if door != "direct" {
		t.Skip("only with the user's own rights: a broker of root's refuses it, see TestPodmanRootlessIsRefusedByTheService")
	}
	r := theRootless(t)
	run(t, "gpasswd", "-d", r.name, "docker") // no need of it
	t.Cleanup(func() { run(t, "gpasswd", "-a", r.name, "docker") })
	ssh(t, r.account, "whoami; id -u; pwd; cat /proc/1/comm; umask 022; echo x >~/f; stat -c '%u %a' ~/f").
		want(t, fmt.Sprintf("%s\n%d\n%s\ndockersh-init\n%d 644\n", r.name, r.uid, r.home, r.uid), "", 0)
	if got, want := owner(t, r.home+"/f"), fmt.Sprintf("%d %d 644", r.uid, r.gid); got != want {
		t.Errorf("the file is %s on the host, want %s", got, want)
	}
	id := r.says(t, "ps", "-q", "--no-trunc", "--filter", "label=dockersh.user="+r.name)
	r.says(t, "exec", id, "sh", "-c", "echo kept >/tmp/kept")
	r.says(t, "stop", "-t", "2", id)
	ssh(t, r.account, "cat /tmp/kept").want(t, "kept\n", "", 0)
	r.says(t, "rm", "-f", "-t", "0", id)
	ssh(t, r.account, "cat /tmp/kept; cat ~/f").want(t, "x\n", "cat: /tmp/kept: No such file or directory\n", 0)

	// His numbers are others' outside: without a home that is no matter, with one it is.
	r.reset(t, "dockersocket = "+r.socket, "imagename = dsh-debian", "shell = /bin/bash", "pidslimit = 0", "containername = %u-mapped")
	t.Cleanup(func() { r.reset(t, ownLines...) })
	ssh(t, r.account, "whoami; stat -c %u ~").want(t, fmt.Sprintf("%s\n%d\n", r.name, r.uid), "", 0)
	r.reset(t, "dockersocket = "+r.socket, "imagename = dsh-debian", "shell = /bin/bash", "pidslimit = 0", "containername = %u-home", "mounthome")
	ssh(t, r.account, "true").refused(t, "its home was mounted for")
}
