package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// Front is the login shell under test.
const Front = Prefix + "/bin/dockersh"

// An Account is a Unix account of this run.
type Account struct {
	Name, Home, Shell string
	UID, GID          int
}

// InContainer reports whether the account's sessions are in a container.
func (a *Account) InContainer() bool { return a.Shell == Front }

// NewUser adds a user of dockersh with its lines in [user "NAME"] of the settings.
// Account, settings and containers go when the test ends.
func NewUser(t testing.TB, lines ...string) *Account {
	t.Helper()
	return NewAccount(t, Front, lines...)
}

// NewAccount is NewUser for any login shell.
func NewAccount(t testing.TB, shell string, lines ...string) *Account {
	t.Helper()
	a, err := addAccount(shell, lines...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Remove(t) })
	return a
}

// NewRecordedUser adds a user whose terminals are recorded below Recordings.
func NewRecordedUser(t testing.TB, lines ...string) *Account {
	t.Helper()
	return NewUser(t, append([]string{"record = " + Recordings + "/%u/%x.cast"}, lines...)...)
}

// namePrefix begins the names of accounts, which go on with a number.
const namePrefix = "dsht"

var accounts atomic.Int64

// addAccount takes a name that the host does not have yet.
func addAccount(shell string, lines ...string) (*Account, error) {
	for {
		name := namePrefix + strconv.FormatInt(accounts.Add(1), 10)
		_, asUser := user.Lookup(name)
		_, asGroup := user.LookupGroup(name)
		if asUser != nil && asGroup != nil {
			return AddNamed(name, shell, lines...)
		}
	}
}

// AddNamed adds an account of that name, for the rest of the run.
func AddNamed(name, shell string, lines ...string) (*Account, error) {
	return addAt(filepath.Join(Homes, name), name, shell, lines...)
}

func addAt(home, name, shell string, lines ...string) (*Account, error) {
	// The password '*' allows no login, and does not lock the account either.
	cmd := exec.Command("useradd", "-p", "*", "-m", "-k", "/dev/null", "-U", "-d", home, "-s", shell, name)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, &failed{"useradd " + name, string(out)}
	}
	return useAccount(name, shell, lines...)
}

// useAccount makes an account of the host one of this run: with key and settings.
func useAccount(name, shell string, lines ...string) (*Account, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	a := &Account{Name: name, Home: u.HomeDir, Shell: shell}
	a.UID, _ = strconv.Atoi(u.Uid)
	a.GID, _ = strconv.Atoi(u.Gid)
	key, err := os.ReadFile(Scratch + "/key.pub")
	if err != nil {
		return nil, err
	}
	if err := a.Authorize(string(key)); err != nil {
		return nil, err
	}
	if err := allowEngine(a); err != nil {
		return nil, err
	}
	return a, a.Set(lines...)
}

// Authorize replaces the account's authorized_keys.
func (a *Account) Authorize(line string) error {
	// Since OpenSSH 10.0 AuthorizedKeysFile is a pattern, in which \ in a name quotes.
	quoted := strings.ReplaceAll(a.Name, `\`, "")
	return errors.Join(os.WriteFile(Scratch+"/keys/"+a.Name, []byte(line), 0o644),
		os.WriteFile(Scratch+"/keys/"+quoted, []byte(line), 0o644))
}

// AddKey makes a second key pair for the account, which it may use beside the one of all
// accounts, and returns its name in Scratch.
func (a *Account) AddKey(t testing.TB) (name string) {
	t.Helper()
	name = "second-of-" + a.Name
	if err := Keygen(name); err != nil {
		t.Fatal(err)
	}
	keys := ""
	for _, name := range []string{"key", name} {
		pub, err := os.ReadFile(Scratch + "/" + name + ".pub")
		if err != nil {
			t.Fatal(err)
		}
		keys += string(pub)
	}
	if err := a.Authorize(keys); err != nil {
		t.Fatal(err)
	}
	return name
}

// Join puts the account into a Unix group, and adds the group if it is missing.
func (a *Account) Join(t testing.TB, group string) {
	t.Helper()
	OnHost(t, "groupadd", "-f", group)
	OnHost(t, "usermod", "-a", "-G", group, a.Name)
}

// Renumber removes the account and adds another of the same name, which has a new uid and
// the same home.
func (a *Account) Renumber(t testing.TB) {
	t.Helper()
	if err := eraseAccount(a.Name); err != nil {
		t.Fatal(err)
	}
	a.UID += 20000
	a.GID = a.UID
	id := strconv.Itoa(a.UID)
	OnHost(t, "groupadd", "-g", id, a.Name)
	OnHost(t, "useradd", "-p", "*", "-M", "-u", id, "-g", id, "-d", a.Home, "-s", a.Shell, a.Name)
	OnHost(t, "chown", "-R", id+":"+id, a.Home)
	if err := allowEngine(a); err != nil {
		t.Fatal(err)
	}
}

// Remove removes the account with its containers, settings and home.
func (a *Account) Remove(t testing.TB) {
	if err := UnsetSection(`user "` + a.Name + `"`); err != nil {
		t.Error(err)
	}
	// The broker may be removing one at the same moment.
	var err error
	if !Within(Limit, func() bool {
		err = nil
		for _, id := range a.Containers(t) {
			err = removeContainer(id)
		}
		return err == nil
	}) {
		t.Error(err)
	}
	a.removeClaim(t)
	if err := eraseAccount(a.Name); err != nil {
		t.Error(err)
	}
	_ = os.RemoveAll(a.Home)
}

// eraseAccount removes the account although some of its processes may be just ending.
func eraseAccount(name string) error {
	var out []byte
	if !Within(Limit, func() (ok bool) {
		var err error
		out, err = exec.Command("userdel", "-f", name).CombinedOutput()
		return err == nil
	}) {
		return &failed{"userdel " + name, string(out)}
	}
	return nil
}

// WriteFile writes a file of the account's own into its home, until the test ends.
func (a *Account) WriteFile(t testing.TB, name, content string, mode os.FileMode) {
	t.Helper()
	path := filepath.Join(a.Home, name)
	for dir := filepath.Dir(path); dir != a.Home; dir = filepath.Dir(dir) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		_ = os.Chown(dir, a.UID, a.GID)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, a.UID, a.GID); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(path) })
}

// runtimeDir is the account's own directory below /run/user.
func (a *Account) runtimeDir() string { return fmt.Sprintf("/run/user/%d", a.UID) }
