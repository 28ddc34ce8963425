package sessions

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/root/state"
)

// user is a user with a process, who can write anything into the run-time directory of their own
// broker. No account has the number.
type user struct {
	testing.TB
	userRunDir
	process proc.Stat
}

func newUser(t *testing.T) *user {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root reads with a user's rights")
	}
	const uid = 3999888777
	cmd := exec.Command("/bin/sleep", "1000")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	process, err := proc.Of(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for at := dir; at != "/"; at = filepath.Dir(at) { // the user gets there
		if info, err := os.Stat(at); err == nil && info.Mode().Perm()&0o001 == 0 {
			if err := os.Chmod(at, info.Mode()|0o001); err != nil {
				t.Fatal(err)
			}
		}
	}
	was, limit := ownRunDirs, perUserLimit
	t.Cleanup(func() { ownRunDirs, perUserLimit = was, limit })
	perUserLimit = totalLimit // a machine with other work may take longer than it should
	ownRunDirs = [2]string{dir + "/*/dockersh", dir + "/dockersh-*"}
	was2 := paths.Run
	t.Cleanup(func() { paths.Run = was2 })
	paths.Run = dir + "/root"
	if err := state.RunDir(paths.Run).Make(); err != nil {
		t.Fatal(err)
	}
	u := &user{t, runDirsOf(uid, nil)[1], process}
	u.makeDirs()
	return u
}

func (u *user) entries() state.Sessions { return state.RunDir(u.run).Sessions() }

func (u *user) makeDirs() {
	u.Helper()
	if err := os.MkdirAll(string(u.entries()), 0o700); err != nil {
		u.Fatal(err)
	}
	for _, dir := range []string{u.run, string(u.entries())} {
		if err := os.Chown(dir, int(u.uid), int(u.uid)); err != nil {
			u.Fatal(err)
		}
	}
}

func (u *user) add(s state.Session) {
	u.Helper()
	s.Since = time.Now()
	if err := u.entries().Add(s); err != nil {
		u.Fatal(err)
	}
}

// session is an entry of the user's own process.
func (u *user) session(id, container string) state.Session {
	return state.Session{ID: id, UID: u.uid, Container: container, Pid: u.process.Pid, Start: u.process.Start}
}

// id1 and id2 are as state.NewSessionID makes them.
const id1, id2 = "abcdefghijkl", "mnopqrstuvwx"

// ids returns the ids of the sessions that Entries finds; an unconfirmed one has a "?".
func ids(t *testing.T, marks cli.Marks) string {
	t.Helper()
	all, out := Entries(t.Context(), marks)
	if out.Unread != 0 {
		t.Errorf("%d dirs were not read", out.Unread)
	}
	var ids []string
	for _, e := range all {
		if e.Unconfirmed {
			e.ID += "?"
		}
		ids = append(ids, e.ID)
	}
	return strings.Join(ids, " ")
}

// The name in /tmp of the user's broker was taken by another.
func TestSessionOfAUserWhoseNameInTmpWasTakenIsListed(t *testing.T) {
	u := newUser(t)
	first := u.run
	for _, suffix := range []string{"-another", "-own"} {
		u.run = first + suffix
		u.makeDirs()
		u.add(u.session(map[string]string{"-another": id1, "-own": id2}[suffix], "c1"))
	}
	if err := errors.Join(os.RemoveAll(first), os.Chown(first+"-another", 12345, 12345)); err != nil {
		t.Fatal(err)
	}
	if got := ids(t, nil); got != id2+"?" {
		t.Errorf("sessions %q", got)
	}
	mark := state.RunDir(u.run).Container("c1").Mark()
	if in, err := NewIndex().LiveIn(t.Context(), "c1", u.uid, mark); len(in) != 1 || err != nil {
		t.Errorf("%+v %v", in, err)
	}
}

// A user can write anything into the directory of their own broker.
func TestUserCannotForgeTheSessionEntryOfAnother(t *testing.T) {
	u := newUser(t)
	me, err := proc.Of(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	own := u.session(id1, "c1")
	own.User, own.Address = "alice", "192.0.2.7"
	u.add(own)
	others := u.session(id2, "c1") // a process of another
	others.Pid, others.Start = me.Pid, me.Start
	u.add(others)
	asOther := own
	asOther.ID, asOther.UID = state.NewSessionID(), 0
	u.add(asOther)
	all, _ := Entries(t.Context(), nil)
	if len(all) != 1 || all[0].ID != id1 || all[0].User != strconv.Itoa(int(u.uid)) || all[0].Address != "" {
		t.Errorf("%+v", all)
	}
}

func TestUsersEntryCountsOnlyForContainersOfTheirOwnBroker(t *testing.T) {
	u := newUser(t)
	u.add(u.session(id1, "victim_dockersh"))
	ours, theirs := state.RunDir(paths.Run).Container("victim_dockersh").Mark(), state.RunDir(u.run).Container("victim_dockersh").Mark()
	marks := func(mark string) cli.Marks {
		return func(context.Context) map[string][]string { return map[string][]string{"victim_dockersh": {mark}} }
	}
	for _, c := range []struct {
		mark   string
		owner  uint32
		listed string
		in     int
	}{
		{ours, u.uid, id1 + "?", 0}, {ours, 1001, id1 + "?", 0}, {"", u.uid, id1 + "?", 0}, {theirs, 1001, id1, 0}, {theirs, u.uid, id1, 1},
	} {
		if got := ids(t, marks(c.mark)); got != c.listed {
			t.Errorf("mark %q: listed %q, want %q", c.mark, got, c.listed)
		}
		in, err := NewIndex().LiveIn(t.Context(), "victim_dockersh", c.owner, c.mark)
		if err != nil || len(in) != c.in {
			t.Errorf("mark %q, owner %d: %d sessions in it, %v; want %d", c.mark, c.owner, len(in), err, c.in)
		}
		all, _ := Entries(t.Context(), nil)
		if all[0].In("victim_dockersh", c.mark) != (c.mark == theirs) || all[0].In("other", c.mark) {
			t.Errorf("mark %q: Entry.In", c.mark)
		}
	}
	byName := &cli.Selection{Names: []string{"victim_dockersh"}}
	if all, err := selectSessions(t.Context(), marks(ours), byName); err == nil {
		t.Errorf("selected by the name of another's container: %+v", all)
	}
	if all, err := selectSessions(t.Context(), marks(theirs), byName); err != nil || len(all) != 1 {
		t.Errorf("selected by the name of their own container: %+v %v", all, err)
	}
	if all, err := selectSessions(t.Context(), nil, &cli.Selection{Names: []string{id1}}); err != nil || len(all) != 1 {
		t.Errorf("selected by its id: %+v %v", all, err)
	}
}

func TestIDOfAnothersSessionIsNotTheUsers(t *testing.T) {
	u := newUser(t)
	me, err := proc.Of(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	s := state.Session{ID: id1, Container: "victim_dockersh", Pid: me.Pid, Start: me.Start, Since: time.Now()}
	if err := state.RunDir(paths.Run).Sessions().Add(s); err != nil {
		t.Fatal(err)
	}
	u.add(u.session(id1, "c1"))
	all, err := selectSessions(t.Context(), nil, &cli.Selection{Names: []string{id1}})
	if err != nil || len(all) != 1 || all[0].UID != 0 {
		t.Errorf("%+v %v", all, err)
	}
}

// open(2) of a FIFO waits for a writer, and no context ends that.
func TestPlaceThatIsNoDirectoryOfTheUserIsNotRead(t *testing.T) {
	for what, spoil := range map[string]func(u *user, path string) error{
		"a FIFO":                   func(_ *user, path string) error { return unix.Mkfifo(path, 0o666) },
		"a file":                   func(_ *user, path string) error { return os.WriteFile(path, nil, 0o666) },
		"a link":                   func(_ *user, path string) error { return os.Symlink(path+".real", path) },
		"a directory of another's": func(_ *user, path string) error { return os.Mkdir(path, 0o777) },
	} {
		for _, name := range []string{"", "/s"} {
			u := newUser(t)
			u.add(u.session(id1, "c1"))
			if got := ids(t, nil); got != id1+"?" {
				t.Fatalf("before: %q", got)
			}
			path := u.run + name
			if err := os.Rename(path, path+".real"); err != nil {
				t.Fatal(err)
			}
			if err := spoil(u, path); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			if got := ids(t, nil); got != "" || time.Since(start) > 2*time.Second {
				t.Errorf("%s in place of .../dockersh%s: %q after %v", what, name, got, time.Since(start))
			}
		}
	}
}

func TestNumberOfAUserIsWrittenInOneWay(t *testing.T) {
	u := newUser(t)
	u.add(u.session(id1, "c1"))
	again := strings.Replace(u.run, "dockersh-", "dockersh-0", 1)
	if err := os.Rename(u.run, again); err != nil {
		t.Fatal(err)
	}
	if got := ids(t, nil); got != "" {
		t.Errorf("%q", got)
	}
}

func TestMillionEntriesAreNotRead(t *testing.T) {
	u := newUser(t)
	for i := range 3 * maxEntries {
		if err := os.WriteFile(string(u.entries())+"/x"+strconv.Itoa(i), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 * maxEntries {
		u.add(u.session(state.NewSessionID(), "c1"))
	}
	entries, _, err := u.read(t.Context())
	if err != nil && !errors.Is(err, errSlow) || len(entries) > maxEntries {
		t.Errorf("%d, %v", len(entries), err)
	}
}

// A file system that the user mounted, or one of the network that is away, may never answer.
func TestPlaceThatHangsIsGivenUpAndLeftAlone(t *testing.T) {
	p, hang, looks := userRunDir{"/hangs", 7}, make(chan struct{}), make(chan int, 10)
	look := func() found { looks <- 1; <-hang; return found{entries: []state.Session{{ID: "a"}}} }
	start := time.Now()
	for range 3 {
		if _, err := readWithin(t.Context(), p, look); !errors.Is(err, errSlow) {
			t.Errorf("%v", err)
		}
	}
	if d := time.Since(start); d < perUserLimit || d > 3*perUserLimit+2*time.Second {
		t.Errorf("it took %v", d)
	}
	if len(looks) > 2 {
		t.Errorf("%d threads wait there", len(looks))
	}
	close(hang)
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		if f, err := readWithin(t.Context(), p, look); err == nil && len(f.entries) == 1 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("it is not read again")
		}
	}
	hung := make(chan struct{})
	defer close(hung)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := readWithin(gone, userRunDir{"/hangs too", 7}, func() found { <-hung; return found{} }); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted command: %v", err)
	}
}

// A user can have many of them.
func TestPlacesOfOneUserTakeNoMoreTimeThanOne(t *testing.T) {
	u := newUser(t)
	perUserLimit = 300 * time.Millisecond
	hung := make(chan struct{})
	defer close(hung)
	for range 2 {
		_, _ = readWithin(t.Context(), userRunDir{"/hangs", u.uid}, func() found { <-hung; return found{} })
	}
	var dirs []userRunDir
	for range 64 {
		dirs = append(dirs, u.userRunDir)
	}
	start := time.Now()
	if _, out := ofUser(t.Context(), account.New(0), dirs); out.Unread != len(dirs) || time.Since(start) > perUserLimit+2*time.Second {
		t.Errorf("%+v after %v", out, time.Since(start))
	}
}
