package broker

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/sshd"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/history"
	"github.com/dockersh/dockersh/internal/root/join"
	"github.com/dockersh/dockersh/internal/root/state"
)

// joinWorld is a world whose containers have a network of their own. The module is the test
// itself, which must be root.
type joinWorld struct {
	*world
	one int // their process 1
}

func newJoinWorld(t testing.TB) *joinWorld {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root is answered")
	}
	cmd := exec.Command("/bin/sleep", "1000")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if err := cmd.Start(); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	w := &joinWorld{newWorld(t), cmd.Process.Pid}
	w.engine.SetPid(w.one)
	return w
}

// join connects as the module does, and returns the answer and the descriptors.
func (w *joinWorld) join(m *wire.Join) (wire.Message, []int, channel.Conn) {
	w.Helper()
	c := w.dial()
	if err := c.Send(m); err != nil {
		w.Fatal(err)
	}
	answer, fds, err := c.Recv()
	if err != nil {
		w.Fatal(err)
	}
	return answer, fds, c
}

// joins announces a connection of the user who runs the test.
func (w *joinWorld) joins(info string) (*wire.Joined, channel.Conn) {
	w.Helper()
	m, fds, c := w.join(&wire.Join{Version: wire.Version, User: w.me.Name, AuthInfo: []byte(info)})
	answer, ok := m.(*wire.Joined)
	if !ok {
		w.Fatalf("got %#v", m)
	}
	for _, fd := range fds {
		w.isNetworkOf(fd, w.one)
		_ = unix.Close(fd)
	}
	return answer, c
}

// isNetworkOf checks that a descriptor is the network namespace of a process.
func (w *joinWorld) isNetworkOf(fd, pid int) {
	w.Helper()
	var got, want unix.Stat_t
	if err := unix.Fstat(fd, &got); err != nil {
		w.Error(err)
	}
	if err := unix.Stat("/proc/"+strconv.Itoa(pid)+"/ns/net", &want); err != nil || got.Ino != want.Ino || got.Dev != want.Dev {
		w.Errorf("%v: the descriptor is not the network of the container", err)
	}
}

func TestConnectionGetsTheNetworkOfItsContainer(t *testing.T) {
	w := newJoinWorld(t)
	cold, c := w.joins("")
	if cold.Outcome != wire.JoinNamespace {
		t.Fatalf("%+v", cold)
	}
	all := w.broker.sessions.Live()
	if len(all) != 1 || !all[0].Connection || all[0].Waiting || all[0].Container != w.name() || all[0].UID != w.me.UID || all[0].Pid != os.Getpid() {
		t.Errorf("%+v", all)
	}
	calls := w.engine.Calls("Find")
	if warm, _ := w.joins(""); warm.Outcome != wire.JoinNamespace || w.engine.Calls("Find") != calls {
		t.Errorf("%+v, and the engine was asked %d times", warm, w.engine.Calls("Find")-calls)
	}
	w.enters()                                 // shares the container
	if n := w.engine.Calls("Create"); n != 2 { // the probe of the image, and the container
		t.Errorf("%d containers were made", n)
	}
	_ = c.Close()
	w.eventually("the entry goes with the connection", func() bool { return len(w.broker.sessions.Live()) == 2 })
}

func TestConnectionJoinsNothingWhereNoContainerCanBeJoined(t *testing.T) {
	for what, c := range map[string]struct {
		settings string
		prepare  func(w *joinWorld)
		reason   string
	}{
		"a container for each session":  {settings: "containername = %u-%x", reason: "%x"},
		"an engine elsewhere":           {settings: "dockersocket = tcp://192.0.2.1:2376\n\tdockertls = /etc/tls", reason: "another host"},
		"the user names the container":  {settings: "enableuserconfig\n\tenableusercontainername", reason: "~/.dockersh may choose"},
		"the user may choose the image": {settings: "enableuserconfig\n\tenableuserimagename", reason: "does not exist"},
		"no key":                        {settings: "containername = %u-%k", reason: "did not provide it"},
		"broken settings":               {settings: "nonsense", reason: "nonsense"},
		"an image that must be pulled":  {settings: "imagename = missing", reason: "there is no image missing"},
		"an engine that is down":        {prepare: func(w *joinWorld) { w.engine.Fail("Find", engine.ErrDown) }, reason: "does not answer"},
		"the host's network": {prepare: func(w *joinWorld) { w.engine.SetPid(0) },
			reason: "in the network of the host"},
	} {
		t.Run(what, func(t *testing.T) {
			w := newJoinWorld(t)
			w.set("[dockersh]\n\t" + c.settings + "\n")
			if c.prepare != nil {
				c.prepare(w)
			}
			answer, _ := w.joins("")
			if answer.Outcome != wire.JoinNothing || !strings.Contains(answer.Reason, c.reason) {
				t.Errorf("%+v", answer)
			}
			w.eventually("its entry is in no container", func() bool {
				all := w.broker.sessions.Live()
				return len(all) == 1 && all[0].Connection && all[0].Container == state.NoContainer
			})
			if n := w.engine.Calls("Pull"); n != 0 {
				t.Errorf("%d pulls", n)
			}
		})
	}
}

func TestConnectionOfAUserWithSettingsOfTheirOwnJoinsWhatIsThere(t *testing.T) {
	w := newJoinWorld(t)
	w.set("[dockersh]\nenableuserconfig\nenableuserimagename\n")
	w.enters()
	if answer, _ := w.joins(""); answer.Outcome != wire.JoinNamespace {
		t.Errorf("%+v", answer)
	}
}

func TestConnectionStaysOnTheHostWhereTheSettingsSaySo(t *testing.T) {
	for _, settings := range []string{"network = host", "hostshell = /bin/sh"} {
		w := newJoinWorld(t)
		w.set("[user \"" + w.me.Name + "\"]\n" + settings + "\n")
		if answer, _ := w.joins(""); answer.Outcome != wire.JoinHost || w.engine.Calls("Create") != 0 {
			t.Errorf("%s: %+v", settings, answer)
		}
	}
}

func TestContainerThatTakesLongIsLeftToTheLogin(t *testing.T) {
	w := newJoinWorld(t)
	_, resume := w.engine.Hold("Start")
	begun := time.Now()
	answer, _ := w.joins("")
	if took := time.Since(begun); answer.Outcome != wire.JoinNothing || !strings.Contains(answer.Reason, "within 5s") || took > join.Limit+2*time.Second {
		t.Errorf("%+v after %v", answer, took)
	}
	resume()
	w.enters()
	if n := w.engine.Calls("Start"); n != 1 {
		t.Errorf("the container was started %d times", n)
	}
}

// ofUser is the socket of another user.
type ofUser struct {
	*seqpacket.Conn
	uid uint32
}

func (c ofUser) Peer() (*unix.Ucred, error) {
	return &unix.Ucred{Pid: int32(os.Getpid()), Uid: c.uid}, nil
}

// dialAs connects as another user, who is known.
func (w *world) dialAs(uid uint32) channel.Conn {
	w.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		w.Fatal(err)
	}
	theirs, err := seqpacket.New(pair[0])
	if err != nil {
		w.Fatal(err)
	}
	raw, err := seqpacket.New(pair[1])
	if err != nil {
		w.Fatal(err)
	}
	c := channel.Conn{Socket: raw}
	w.Cleanup(func() { _ = c.Close() })
	c.Within(10 * time.Second)
	w.broker.strangers.SetKnown(uid, true)
	if err := w.broker.acceptFront(ofUser{theirs, uid}, nil); err != nil {
		w.Fatal(err)
	}
	return c
}

func TestUsersCannotAskForANetwork(t *testing.T) {
	w := newJoinWorld(t)
	c := w.dialAs(1001)
	if err := c.Send(&wire.Join{Version: wire.Version, User: w.me.Name}); err != nil {
		t.Fatal(err)
	}
	m, fds, err := c.Recv()
	if e, ok := m.(*wire.Error); !ok || e.Code != uint8(usererr.Protocol) || len(fds) > 0 {
		t.Errorf("%#v %v", m, err)
	}
	if all := w.broker.sessions.Live(); len(all) > 0 || w.engine.Calls("Find") > 0 {
		t.Errorf("%+v", all)
	}
}

func TestConnectionAnswersNothingElse(t *testing.T) {
	w := newJoinWorld(t)
	for _, m := range []wire.Message{&wire.Why{}, &wire.Ended{}, &wire.Login{Version: wire.Version}, &wire.Join{Version: wire.Version, User: w.me.Name}} {
		_, c := w.joins("")
		if err := c.Send(m); err != nil {
			t.Fatal(err)
		}
		w.ends("after another message", c)
	}
	m, _, _ := w.join(&wire.Join{Version: wire.Version + 1, User: w.me.Name})
	if e, ok := m.(*wire.Error); !ok || !strings.Contains(e.Text, "different versions") {
		t.Errorf("another version: %#v", m)
	}
	m, _, _ = w.join(&wire.Join{Version: wire.Version, User: "nobody-has-this-name"})
	if e, ok := m.(*wire.Error); !ok || !strings.Contains(e.Text, "does not know you") {
		t.Errorf("an unknown user: %#v", m)
	}
}

const oneKey = "publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==\n"

func TestKeyIsTheOneOfTheConnection(t *testing.T) {
	w := newJoinWorld(t)
	w.set("[dockersh]\ncontainername = %u-%k\n")
	forged := &wire.Login{AuthInfo: []byte(strings.Replace(oneKey, "IA==", "IQ==", 1))}
	if m, _ := w.login(forged); m.Kind() != wire.KindReady { // nobody knows better
		t.Fatalf("%#v", m)
	}
	answer, c := w.joins(oneKey)
	if answer.Outcome != wire.JoinNamespace {
		t.Fatalf("%+v", answer)
	}
	own := w.broker.sessions.Live()
	if m, _ := w.login(forged); m.Kind() != wire.KindReady {
		t.Fatalf("%#v", m)
	}
	last := map[string]int{}
	for _, s := range w.broker.sessions.Live() {
		last[s.Container]++
	}
	if len(own) != 2 || len(last) != 2 {
		t.Fatalf("%+v %v", own, last)
	}
	for _, s := range own {
		if s.Connection && last[s.Container] != 2 {
			t.Errorf("the login did not follow its connection: %v", last)
		}
	}
	_ = c.Close()
	w.eventually("the connection is over", func() bool { return len(w.broker.sessions.Live()) == 2 })
	w.refused(forged, "did not provide it") // a process that left its connection
	_, _ = w.joins("password\n")
	w.refused(forged, "did not provide it")
}

func TestConnectionIsNoSession(t *testing.T) {
	w := newJoinWorld(t)
	w.set("[dockersh]\nmaxsessions = 1\nephemeral\n")
	_, c := w.joins("")
	s := w.enters()
	w.refused(&wire.Login{}, "you may have 1 session")
	_ = s.Close()
	w.eventually("the session is over", func() bool { return len(w.broker.sessions.Live()) == 1 })
	time.Sleep(100 * time.Millisecond)
	if n := w.engine.Calls("Remove"); n != 1 { // the probe
		t.Errorf("the container went under a connection: %d", n)
	}
	_ = c.Close()
	w.eventually("the container goes with the last connection", func() bool { return w.engine.Calls("Remove") == 2 })
}

func TestConnectionWithoutASessionIsInTheHistory(t *testing.T) {
	w := newJoinWorld(t)
	_, c := w.joins("")
	_ = c.Close()
	w.eventually("it is in the history", func() bool {
		var past history.Collector
		for _, e := range w.past.events() {
			past.Add(e)
		}
		all := past.Sessions()
		return len(all) == 1 && all[0].Connection && all[0].Ended && all[0].Container == w.name() && all[0].UID == w.me.UID && all[0].Status(false) == "closed"
	})
	_, c = w.joins(oneKey)
	s := w.enters()
	w.eventually("its session is in the history", func() bool { return len(w.past.events()) == 3 })
	if key, _ := sshd.Key(oneKey); w.past.events()[2].Key != key {
		t.Errorf("the key is not the connection's: %+v", w.past.events()[2])
	}
	_, _ = s.Close(), c.Close()
	w.eventually("and its end", func() bool { return len(w.past.events()) == 4 })
	time.Sleep(2 * endDelay)
	for _, e := range w.past.events()[2:] {
		if e.Connection {
			t.Errorf("%+v", e)
		}
	}
}
