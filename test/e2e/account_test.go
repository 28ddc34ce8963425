//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
)

// front is the login shell under test.
const front = prefix + "/bin/dockersh"

// account is a Unix account of this run.
type account struct {
	name, home, shell string
	uid, gid          int
}

var accounts atomic.Int64

// boxedShell says whether the account's sessions are in a container.
func (a *account) boxedShell() bool { return a.shell == front }

// newUser makes an account with its lines in [user "NAME"] of the settings;
// account, settings and containers go with the test.
func newUser(t testing.TB, shell string, lines ...string) *account {
	t.Helper()
	a, err := addUser(shell, lines...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.remove(t) })
	return a
}

// addUser takes a name that the machine does not know yet.
func addUser(shell string, lines ...string) (*account, error) {
	for {
		name := fmt.Sprintf("dsht%d", accounts.Add(1))
		_, asUser := user.Lookup(name)
		_, asGroup := user.LookupGroup(name)
		if asUser != nil && asGroup != nil {
			return addNamed(name, shell, lines...)
		}
	}
}

func addNamed(name, shell string, lines ...string) (*account, error) {
	home := filepath.Join(homes, name)
	// The password '*' opens no door, and does not lock the account either.
	cmd := exec.Command("useradd", "-p", "*", "-m", "-k", "/dev/null", "-U", "-d", home, "-s", shell, name)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, &failed{"useradd " + name, string(out)}
	}
	u, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	a := &account{name: name, home: home, shell: shell}
	a.uid, _ = strconv.Atoi(u.Uid)
	a.gid, _ = strconv.Atoi(u.Gid)
	key, err := os.ReadFile(scratch + "/key.pub")
	if err != nil {
		return nil, err
	}
	if err := a.authorize(string(key)); err != nil {
		return nil, err
	}
	if err := mayUseEngine(name); err != nil {
		return nil, err
	}
	return a, a.set(lines...)
}

// authorize replaces the account's authorized_keys.
func (a *account) authorize(line string) error {
	return os.WriteFile(scratch+"/keys/"+a.name, []byte(line), 0o644)
}

// join puts the account into a Unix group, made when missing.
func (a *account) join(t testing.TB, group string) {
	t.Helper()
	run(t, "groupadd", "-f", group)
	run(t, "usermod", "-a", "-G", group, a.name)
}

func (a *account) remove(t testing.TB) {
	if err := unset(`user "` + a.name + `"`); err != nil {
		t.Error(err)
	}
	// The broker may be removing one at the same moment.
	var left error
	if !within(limit, func() bool {
		left = nil
		for _, id := range a.containers(t) {
			left = tryDocker("rm", "-f", id)
		}
		return left == nil
	}) {
		t.Error(left)
	}
	if err := eraseAccount(a.name); err != nil {
		t.Error(err)
	}
	_ = os.RemoveAll(a.home)
}

// eraseAccount removes the account though processes of its may just be ending.
func eraseAccount(name string) error {
	var out []byte
	var err error
	if !within(limit, func() bool {
		out, err = exec.Command("userdel", "-f", name).CombinedOutput()
		return err == nil
	}) {
		return &failed{"userdel " + name, string(out)}
	}
	return nil
}

// file writes into the account's home, owned by him, for the length of the test.
func (a *account) file(t testing.TB, name, content string, mode os.FileMode) {
	t.Helper()
	path := filepath.Join(a.home, name)
	for dir := filepath.Dir(path); dir != a.home; dir = filepath.Dir(dir) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		_ = os.Chown(dir, a.uid, a.gid)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, a.uid, a.gid); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(path) })
}
