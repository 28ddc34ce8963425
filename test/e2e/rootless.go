package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strings"
	"testing"
)

// A RootlessUser has a Podman of their own, which runs with their own rights, for the
// rest of the run.
type RootlessUser struct {
	*Account
	Socket string
}

// rootlessName is the user's name. User and engine stay for the test binaries that
// follow: Podman keeps a process that holds the user namespace, and to import images
// takes long.
const rootlessName = "dsh-rootless"

var theRootless *RootlessUser

// Rootless is the engine of a user's own.
var Rootless = EngineOnce(func() (err error) {
	theRootless, err = startRootless()
	return err
})

// RootlessLines are the settings of the rootless user. Without keep-id the number
// inside would be another one outside, and the home would not be the user's.
var RootlessLines = []string{"dockersocket = /run/user/%U/podman/podman.sock", "imagename = dsh-debian", "shell = /bin/bash", "pidslimit = 0", "mounthome", "dockeropt = --userns=keep-id"}

// inRootless is that user. Only the direct door leads to the user's own engine.
var inRootless = &kind{name: "rootless", engine: Rootless, add: func() (*Account, error) { return theRootless.Account, nil }}

// TheRootlessUser returns that user. The test's lane names Rootless.
func TheRootlessUser() *RootlessUser { return theRootless }

func startRootless() (*RootlessUser, error) {
	for _, program := range []string{"podman", "newuidmap"} {
		if _, err := exec.LookPath(program); err != nil {
			return nil, fmt.Errorf("%w: %w (sh scripts/need tests)", ErrNotHere, err)
		}
	}
	a, err := addRootlessAccount()
	if err != nil {
		return nil, err
	}
	r := &RootlessUser{Account: a, Socket: a.runtimeDir() + "/podman/podman.sock"}
	answers := func() bool { return r.podman("--url", "unix://"+r.Socket, "version").Run() == nil }
	if answers() {
		_, err := r.tryPodman("rm", "-a", "-f", "-t", "0")
		return r, err
	}
	if out, err := exec.Command("install", "-d", "-m", "700", "-o", a.Name, a.runtimeDir(), a.runtimeDir()+"/podman").CombinedOutput(); err != nil {
		return nil, &failed{"install", string(out)}
	}
	for _, image := range []string{"busybox", "debian"} {
		if _, err := r.tryPodman("import", ImageTar(image), "dsh-"+image); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNotHere, err)
		}
	}
	service := r.podman("system", "service", "--time=0", "unix://"+r.Socket)
	if err := service.Start(); err != nil {
		return nil, err
	}
	go func() { _ = service.Wait() }()
	if !Within(Limit, answers) {
		return nil, &failed{"podman", "its service does not answer"}
	}
	return r, nil
}

// addRootlessAccount adds the user, or takes the one of an earlier test binary. The
// home is apart from those that clearWorld removes: the images are in it.
func addRootlessAccount() (*Account, error) {
	if _, err := user.Lookup(rootlessName); err == nil {
		return useAccount(rootlessName, Front, RootlessLines...)
	}
	a, err := addAt("/run/"+rootlessName, rootlessName, Front, RootlessLines...)
	if err != nil {
		return nil, err
	}
	conf := a.Home + "/.config/containers/containers.conf"
	numbers := fmt.Sprintf("%s:%d:65536\n", a.Name, 1_000_000+100_000*(a.UID%1000))
	if err := errors.Join(appendFile("/etc/subuid", numbers), appendFile("/etc/subgid", numbers),
		os.MkdirAll(a.Home+"/.config/containers", 0o755), os.WriteFile(conf, []byte(podmanConf), 0o644)); err != nil {
		return nil, err
	}
	if out, err := exec.Command("chown", "-R", a.Name, a.Home).CombinedOutput(); err != nil {
		return nil, &failed{"chown", string(out)}
	}
	return a, nil
}

func appendFile(name, text string) error {
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// podman returns a command of the user's own podman.
func (r *RootlessUser) podman(args ...string) *exec.Cmd {
	cmd := AsUser(r.Account, append([]string{"podman"}, args...)...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + r.Home, "XDG_RUNTIME_DIR=" + r.runtimeDir()}
	cmd.SysProcAttr.Setsid = true
	return cmd
}

func (r *RootlessUser) tryPodman(args ...string) (string, error) {
	out, err := r.podman(args...).CombinedOutput()
	if err != nil {
		return "", &failed{"podman " + strings.Join(args, " "), string(out)}
	}
	return strings.TrimSpace(string(out)), nil
}

// Podman runs the user's own podman, which must succeed, and returns its output.
func (r *RootlessUser) Podman(t testing.TB, args ...string) string {
	t.Helper()
	out, err := r.tryPodman(args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
