package broker

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/enginetest"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// world is a broker with an engine in memory. The user who logs in is the one who runs
// the test: the kernel says so.
type world struct {
	testing.TB
	engine     *enginetest.Fake
	second     *enginetest.Fake // at secondAddress; nil: the first is at every address
	broker     *Broker
	sock       string
	settings   string
	me         account.User
	listener   *seqpacket.Listener
	past       journal
	helpers    string // directory of dockersh-init
	roots      string // of the containers' root directories, by name
	looks      sync.Mutex
	covered    []string     // files in them that are not the mounted ones
	mute       sync.Map     // containers whose agent does not connect
	shortLived atomic.Int32 // so many starts end at once
	log        *logged
}

// logged counts the lines of a log by their message.
type logged struct {
	slog.Handler
	lines sync.Map
}

func (l *logged) Enabled(context.Context, slog.Level) bool { return true }
func (l *logged) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *logged) WithGroup(string) slog.Handler            { return l }
func (l *logged) Handle(_ context.Context, r slog.Record) error {
	n, _ := l.lines.LoadOrStore(r.Message, new(atomic.Int32))
	n.(*atomic.Int32).Add(1)
	return nil
}

func (l *logged) count(message string) int32 {
	n, _ := l.lines.LoadOrStore(message, new(atomic.Int32))
	return n.(*atomic.Int32).Load()
}

const secondAddress = "/run/second.sock"

// addEngine adds an engine at secondAddress, with the image of the first.
func (w *world) addEngine() {
	w.second = enginetest.New()
	w.second.AddImage("busybox", "sha256:1", map[string][]byte{"/etc/passwd": []byte("root:x:0:0:root:/root:/bin/sh\n")})
	w.second.OnStart, w.second.Root = w.engine.OnStart, w.engine.Root
}

func newWorld(t testing.TB) *world {
	dir := t.TempDir()
	w := &world{TB: t, engine: enginetest.New(), sock: filepath.Join(dir, "sock"), settings: filepath.Join(dir, "rc"),
		helpers: filepath.Join(dir, "helpers"), roots: filepath.Join(dir, "roots"), log: &logged{}}
	if err := os.Mkdir(w.helpers, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"dockersh-init", "dockersh-podinit", "dockersh-files"} {
		if err := os.WriteFile(filepath.Join(w.helpers, name), []byte("a program"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	users := account.New(time.Minute)
	me, err := users.ByUID(context.Background(), uint32(os.Geteuid()))
	if err != nil {
		t.Skip("this user has no name on this host: ", err)
	}
	w.me = me
	w.engine.AddImage("busybox", "sha256:1", map[string][]byte{"/etc/passwd": []byte("root:x:0:0:root:/root:/bin/sh\n")})
	w.engine.OnStart = func(s engine.Spec) {
		if w.shortLived.Add(-1) >= 0 {
			w.engine.SetState(s.Name, engine.Exited)
			return
		}
		if _, mute := w.mute.Load(s.Name); !mute {
			go w.agent(s)
		}
	}
	w.engine.Root = w.root
	w.broker, err = New(Config{
		Run: dir, Inventory: dir + "/inventory", Helpers: w.helpers, Bridge: "/nonexistent/bridge", PodBridge: []string{"/nonexistent/bridge"}, SettingsPaths: [2]string{w.settings, w.settings + ".old"}, SettingsOwner: uint32(os.Geteuid()),
		Users: users, Log: slog.New(w.log), PutEvent: w.past.put,
		OpenEngine: func(at engine.Address) (engine.Engine, error) {
			if w.second != nil && at.Host == secondAddress {
				return w.second, nil
			}
			return w.engine, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	fd, err := seqpacket.Bind(w.sock, 0o600, 1024)
	if err != nil {
		t.Fatal(err)
	}
	l, err := seqpacket.NewListener(fd)
	if err != nil {
		t.Fatal(err)
	}
	w.listener = l
	served := make(chan error, 1)
	go func() { served <- w.broker.Serve(l) }()
	// It looks for containers of its concern at the start.
	w.eventually("it has looked", func() bool { return w.engine.Calls("List") > 0 })
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		w.broker.Shutdown(ctx, l)
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
		_ = l.Close()
	})
	return w
}

// name returns the container of the user who runs the test, under the defaults.
func (w *world) name() string { return w.me.Name + "_dockersh" }

// root makes the root directory of a container: in place of each mount it has links to the
// files of the mount's source.
func (w *world) root(s engine.Spec) string {
	w.looks.Lock()
	defer w.looks.Unlock()
	root := filepath.Join(w.roots, s.Name)
	for _, m := range s.Mounts {
		at := filepath.Join(root, m.Target)
		if err := os.MkdirAll(at, 0o755); err != nil {
			w.Error(err)
		}
		files, err := os.ReadDir(m.Source)
		if err != nil {
			w.Error(err)
		}
		for _, f := range files {
			name := filepath.Join(at, f.Name())
			_ = os.Remove(name) // what a link was made to before
			if err := os.Link(filepath.Join(m.Source, f.Name()), name); err != nil && !os.IsNotExist(err) {
				w.Error(err)
			}
		}
	}
	for _, name := range w.covered {
		_ = os.Remove(filepath.Join(root, name))
		if err := os.WriteFile(filepath.Join(root, name), []byte("another one"), 0o755); err != nil {
			w.Error(err)
		}
	}
	return root
}

func (w *world) set(file string) {
	w.Helper()
	if err := os.WriteFile(w.settings, []byte(file), 0o600); err != nil {
		w.Fatal(err)
	}
}

// agent acts as the agent of a container: it takes its socket and accepts connections.
func (w *world) agent(s engine.Spec) {
	start := ""
	for _, m := range s.Mounts {
		if m.Target == policy.RunInside {
			start = filepath.Join(m.Source, "start.sock")
		}
	}
	raw, err := seqpacket.Dial(start)
	for end := time.Now().Add(10 * time.Second); err == unix.EAGAIN && time.Now().Before(end); raw, err = seqpacket.Dial(start) {
		time.Sleep(10 * time.Millisecond) // a crowd is there
	}
	if err != nil {
		w.Errorf("no broker at %s: %v", start, err)
		return
	}
	c := channel.Conn{Socket: raw}
	defer c.Close()
	c.Within(5 * time.Second)
	if err := c.Send(&wire.Hello{Version: wire.AgentVersion}); err != nil {
		w.Errorf("hello: %v", err)
		return
	}
	m, fds, err := c.Recv()
	if err != nil || m.Kind() != wire.KindServe {
		w.Errorf("instead of a socket: %v %v", m, err)
		return
	}
	l, err := seqpacket.NewListener(fds[0])
	if err != nil {
		w.Error(err)
		return
	}
	w.Cleanup(func() { _ = l.Close() })
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		w.Cleanup(func() { _ = c.Close() })
		_ = channel.Conn{Socket: c}.Send(&wire.Hello{Version: wire.AgentVersion})
	}
}

// dial connects as a front.
func (w *world) dial() channel.Conn {
	w.Helper()
	raw, err := seqpacket.Dial(w.sock)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = raw.Close() })
	c := channel.Conn{Socket: raw}
	c.Within(20 * time.Second)
	return c
}

// login returns the broker's answer, without progress.
func (w *world) login(m *wire.Login) (wire.Message, channel.Conn) {
	w.Helper()
	c := w.dial()
	m.Version = wire.Version
	if err := c.Send(m); err != nil {
		w.Fatal(err)
	}
	return w.answer(c)
}

// answer returns the broker's next message that is no progress.
func (w *world) answer(c channel.Conn) (wire.Message, channel.Conn) {
	w.Helper()
	for {
		answer, fds, err := c.Recv()
		if err != nil {
			w.Fatal(err)
		}
		if answer.Kind() == wire.KindProgress {
			continue
		}
		if len(fds) == 1 {
			agent, err := channel.New(fds[0])
			if err != nil {
				w.Fatal(err)
			}
			defer agent.Close()
			agent.Within(5 * time.Second)
			if m, _, err := agent.Recv(); err != nil || m.Kind() != wire.KindHello {
				w.Errorf("the socket is not an agent's: %v %v", m, err)
			}
		}
		return answer, c
	}
}

// enters logs in and must get a session.
func (w *world) enters() channel.Conn {
	w.Helper()
	m, c := w.login(&wire.Login{})
	if _, ok := m.(*wire.Ready); !ok {
		w.Fatalf("got %#v", m)
	}
	return c
}

// ignored checks that a login ignores its ~/.dockersh, and says why.
func (w *world) ignored(m *wire.Login, text string) {
	w.Helper()
	answer, c := w.login(m)
	defer c.Close()
	ready, ok := answer.(*wire.Ready)
	if !ok || len(ready.Notice) == 0 || !strings.HasPrefix(ready.Notice[0], "dockersh: ~/.dockersh is ignored: ") ||
		!strings.Contains(ready.Notice[0], text) {
		w.Errorf("got %#v, want a line with %q", answer, text)
	}
}

// refused logs in and must get an error with text in it.
func (w *world) refused(m *wire.Login, text string) {
	w.Helper()
	answer, _ := w.login(m)
	if e, ok := answer.(*wire.Error); !ok || !strings.Contains(e.Text, text) {
		w.Errorf("got %#v, want an error with %q", answer, text)
	}
}
