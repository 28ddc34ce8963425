//go:build kubernetes

package kubernetes

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/kubernetes/manifest"
	"github.com/dockersh/dockersh/internal/engine/kubernetes/stream"
)

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func spec() engine.Spec {
	return engine.Spec{
		Name: "Alice_" + rand.Text()[:8], Image: "image", UID: 1000, GID: 1001, NoNewPrivileges: true,
		CapDrop: []string{"SETUID", "SETGID", "NET_RAW", "MKNOD"}, Labels: map[string]string{engine.LabelOwner: "1000"},
		Entrypoint: "/bin/sh", Cmd: []string{"-c", "trap exit TERM; sleep 600 & wait"},
	}
}

func create(t *testing.T, e *Engine, s engine.Spec) *engine.Container {
	t.Helper()
	c, err := e.Create(t.Context(), s)
	ok(t, err)
	t.Cleanup(func() { _ = e.Remove(context.Background(), c.ID) })
	return c
}

func TestFilesArePutBeforeTheStart(t *testing.T) {
	e := onCluster(t)
	accounts := engine.File{Path: "/etc/passwd", Mode: 0o644, Data: []byte("alice:x:1000:1001::/home/alice:/bin/sh\n")}
	one := spec()
	one.Files = []engine.File{accounts, {Path: "/home/alice", Dir: true}}
	c := create(t, e, one)
	if b, err := e.ReadFile(t.Context(), c.ID, "/etc/group"); err != nil || !strings.HasPrefix(string(b), "root:") {
		t.Errorf("the image's: %q %v", b, err)
	}
	if b, err := e.ReadFile(t.Context(), c.ID, "/etc/passwd"); err != nil || string(b) != string(accounts.Data) {
		t.Errorf("what it has from the start: %q %v", b, err)
	}
	if _, err := e.ReadFile(t.Context(), c.ID, "/etc/none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing one: %v", err)
	}
	if _, err := e.ReadFile(t.Context(), c.ID, "/etc"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a directory: %v", err)
	}
	program := bytes.Repeat([]byte{0, 1, 2, 3, 10, 13, 0xff, '%', '\\'}, 1<<17)
	ok(t, e.PutFiles(t.Context(), c.ID, []engine.File{
		{Path: engine.OwnDir + "/bin", Mode: 0o755, Dir: true},
		{Path: engine.OwnDir + "/bin/program", Mode: 0o755, Data: program},
		accounts,
		{Path: "/etc/sudoers.d/x", Mode: 0o440, Data: []byte("x"), Optional: true},
	}))
	for _, p := range []string{"relative", "/a/../b", "/", "/home/alice", engine.OwnDir, engine.OwnDir + "/start", engine.OwnDir + "/ready", "/etc/group", "/etc/passwd"} {
		if err := e.PutFiles(t.Context(), c.ID, []engine.File{{Path: p}}); err == nil {
			t.Errorf("%s was written", p)
		}
	}
	ok(t, e.Start(t.Context(), c.ID))
	var out bytes.Buffer
	s, err := e.ExecStream(t.Context(), c.ID, engine.Program{UID: 1000, GID: 1001, Argv: []string{"/bin/cat", engine.OwnDir + "/bin/program", "/etc/passwd"}})
	ok(t, err)
	ok(t, s.CloseWrite())
	ok(t, s.Copy(&out, &out))
	if want := string(program) + "alice:x:1000:1001::/home/alice:/bin/sh\n"; out.String() != want {
		t.Errorf("%d bytes inside, not %d", out.Len(), len(want))
	}
	if err := e.PutFiles(t.Context(), c.ID, []engine.File{{Path: engine.OwnDir + "/x"}}); !errors.Is(err, errStarted) {
		t.Errorf("after the start it was written: %v", err)
	}
	if _, err := e.ReadFile(t.Context(), c.ID, "/etc/passwd"); !errors.Is(err, errStarted) {
		t.Errorf("after the start it was read: %v", err)
	}
}

func TestStreamsCarryMegabytesEachWay(t *testing.T) {
	e := onCluster(t)
	c := create(t, e, spec())
	ok(t, e.Start(t.Context(), c.ID))
	data := bytes.Repeat([]byte("0123456789abcde\n"), 8<<20/16)
	carries := func(t *testing.T, s engine.Stream) {
		t.Helper()
		go func() { _, _ = s.Write(data); _ = s.CloseWrite() }()
		var out, errs bytes.Buffer
		began := time.Now()
		if err := s.Copy(&out, &errs); err != nil || !bytes.Equal(out.Bytes(), data) {
			t.Errorf("%d bytes, %v %s", out.Len(), err, errs.String())
		}
		t.Logf("8 MiB there and back in %v", time.Since(began).Round(time.Millisecond))
	}
	_, pod, _ := splitID(c.ID)
	socket, spdy, err := e.executors(pod, []string{"/bin/cat"}, false)
	ok(t, err)
	t.Run("WebSocket", func(t *testing.T) { carries(t, stream.Start(t.Context(), socket, false, explain)) })
	t.Run("SPDY", func(t *testing.T) { carries(t, stream.Start(t.Context(), spdy, false, explain)) })
	t.Run("WebSocket refused on the way", func(t *testing.T) {
		e, err := open(namespace, throughOldProxy(t))
		ok(t, err)
		s, err := e.ExecStream(t.Context(), c.ID, engine.Program{UID: 1000, GID: 1001, Argv: []string{"/bin/cat"}})
		ok(t, err)
		carries(t, s)
	})
}

// throughOldProxy returns how to reach the API server through a proxy that knows no WebSockets.
func throughOldProxy(t *testing.T) *rest.Config {
	t.Helper()
	server, err := url.Parse(host.Host)
	ok(t, err)
	forward := httputil.NewSingleHostReverseProxy(server)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig, transport.ForceAttemptHTTP2 = &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}}, false
	forward.Transport = transport
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
			http.Error(w, "no such upgrade", http.StatusBadRequest)
			return
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	config := rest.CopyConfig(host)
	config.Host, config.TLSClientConfig = proxy.URL, rest.TLSClientConfig{}
	return config
}

// The faster of two makes the pod; the other finds it.
func TestOneNameIsTakenOnce(t *testing.T) {
	hosts := []*Engine{onCluster(t), onCluster(t)}
	one := spec()
	var all sync.WaitGroup
	var mu sync.Mutex
	made, taken := 0, 0
	for i := range 10 {
		all.Go(func() {
			c, err := hosts[i%2].Create(t.Context(), one)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				made++
				t.Cleanup(func() { _ = hosts[0].Remove(context.Background(), c.ID) })
			case errors.Is(err, engine.ErrNameTaken):
				taken++
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if made != 1 || taken != 9 {
		t.Errorf("%d made, %d refused", made, taken)
	}
}

// An id is of one life of a pod: whoever knows an old one does nothing to the next.
func TestOldIDDoesNothingToTheNextPod(t *testing.T) {
	e := onCluster(t)
	one := spec()
	old := create(t, e, one)
	ok(t, e.Remove(t.Context(), old.ID))
	next := create(t, e, one)
	ok(t, e.Start(t.Context(), next.ID))
	for what, err := range map[string]error{
		"remove": e.Remove(t.Context(), old.ID),
		"stop":   e.Stop(t.Context(), old.ID, time.Second),
		"start":  e.Start(t.Context(), old.ID),
		"exec":   e.Exec(t.Context(), old.ID, engine.As{UID: 1000, GID: 1001}, []string{"/bin/true"}),
	} {
		if !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, waits := range []bool{false, true} {
		p := engine.Program{UID: 1000, GID: 1001, Argv: []string{"/bin/cat"}, Waits: waits}
		if s, err := e.ExecStream(t.Context(), old.ID, p); !errors.Is(err, engine.ErrNotFound) || s != nil {
			t.Errorf("stream: %v %v", s, err)
		}
	}
	if is, err := e.Running(t.Context(), next.ID); !is || err != nil {
		t.Errorf("the next one: %v %v", is, err)
	}
}

// A pod with our name that is not of this container, as by a hand, is not found.
func TestPodOfAnotherContainerIsNotFound(t *testing.T) {
	e := onCluster(t)
	one := spec()
	pod, err := manifest.Pod(one)
	ok(t, err)
	pod.Annotations[manifest.AnnotationName] = one.Name + "x"
	var made corev1.Pod
	ok(t, e.core.Post().Namespace(namespace).Resource("pods").Body(pod).Do(t.Context()).Into(&made))
	t.Cleanup(func() { _ = e.Remove(context.Background(), idOf(string(made.UID), made.Name)) })
	if c, err := e.Find(t.Context(), one.Name); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("found %+v %v", c, err)
	}
	if _, err := e.Create(t.Context(), one); !errors.Is(err, engine.ErrNameTaken) {
		t.Errorf("made: %v", err)
	}
	all, err := e.List(t.Context(), false)
	ok(t, err)
	for _, c := range all {
		if c.ID == idOf(string(made.UID), made.Name) {
			t.Error("it is listed")
		}
	}
}

func TestWaitingIsShown(t *testing.T) {
	e := onCluster(t)
	one := spec()
	one.CPUs = "1000" // a tenth of it is asked for
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	one.Progress = func(line string) {
		if line == "waiting for a node that has room" {
			cancel()
		}
	}
	if _, err := e.Create(ctx, one); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if _, err := e.Find(t.Context(), one.Name); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("what nobody waits for is there: %v", err)
	}
}

// The namespace enforces baseline; a dry run asks for restricted.
func TestPodsPassPodSecurity(t *testing.T) {
	e := onCluster(t)
	create(t, e, spec())
	ns := func(level string) {
		t.Helper()
		ok(t, admin.core.Patch("application/merge-patch+json").Resource("namespaces").Name(namespace).
			Body([]byte(`{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"`+level+`"}}}`)).Do(t.Context()).Error())
	}
	ns("restricted")
	defer ns("baseline")
	dry := func(s engine.Spec) error {
		pod, err := manifest.Pod(s)
		ok(t, err)
		return e.core.Post().Namespace(namespace).Resource("pods").Param("dryRun", "All").Body(pod).Do(t.Context()).Error()
	}
	all := spec()
	all.CapDrop = []string{"ALL"}
	if err := dry(all); err != nil {
		t.Errorf("restricted: %v", err)
	}
	if err := dry(spec()); err == nil || !strings.Contains(err.Error(), "violates PodSecurity") {
		t.Errorf("restricted with the default capabilities: %v", err)
	}
	root := all
	root.UID = 0
	if _, err := e.Create(t.Context(), root); !errors.Is(err, engine.ErrOption) {
		t.Errorf("root, restricted: %v", err)
	}
}

func TestHostMayDoNothingElse(t *testing.T) {
	e, err := open("default", host)
	ok(t, err)
	if _, err := e.List(t.Context(), false); !errors.Is(err, engine.ErrDenied) {
		t.Errorf("pods of another namespace: %v", err)
	}
	if err := onCluster(t).core.Get().Namespace(namespace).Resource("secrets").Do(t.Context()).Error(); err == nil {
		t.Error("it may read secrets")
	}
}

func TestHomeStaysWhenItsPodGoes(t *testing.T) {
	e := onCluster(t)
	one := spec()
	one.Home = engine.Home{Path: "/home/alice", Claim: "home-DOM\\" + one.Name, Size: "1Gi"}
	run := func(script string) {
		t.Helper()
		c := create(t, e, one)
		ok(t, e.Start(t.Context(), c.ID))
		code, err := engine.Run(t.Context(), e, c.ID, engine.Program{UID: 1000, GID: 1001, Argv: []string{"/bin/sh", "-c", script}})
		if code != 0 || err != nil {
			t.Errorf("%s: %d %v", script, code, err)
		}
		ok(t, e.Remove(t.Context(), c.ID))
	}
	run("echo work >/home/alice/file")
	run("read -r x </home/alice/file && [ $x = work ]")
	other := one
	other.Name, other.Labels = one.Name+"x", map[string]string{engine.LabelOwner: "1001"}
	if _, err := e.Create(t.Context(), other); !errors.Is(err, ErrNotTheirs) {
		t.Errorf("another user: %v", err)
	}
	if _, err := e.Find(t.Context(), other.Name); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("another user's pod: %v", err)
	}
	one.Home.Size = "much"
	if _, err := e.Create(t.Context(), one); !errors.Is(err, engine.ErrOption) {
		t.Errorf("size: %v", err)
	}
}

// 100 users log in at once, each through two login hosts.
func TestEachUserHasOnePodThroughTwoHosts(t *testing.T) {
	hosts := []*Engine{onCluster(t), onCluster(t)}
	base := spec()
	slots := make(chan struct{}, 2*engine.AtOnce)
	var all sync.WaitGroup
	for user := range 100 {
		one := base
		one.Name = fmt.Sprintf("%s_%d", base.Name, user)
		for _, host := range hosts {
			all.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				c, err := host.Create(t.Context(), one)
				if err == nil {
					err = host.Start(t.Context(), c.ID)
				}
				if err != nil && !errors.Is(err, engine.ErrNameTaken) {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	list, err := hosts[0].List(t.Context(), false)
	ok(t, err)
	pods := 0
	for _, c := range list {
		if strings.HasPrefix(c.Name, base.Name+"_") {
			pods++
			if c.State != engine.Running {
				t.Errorf("%s is %s", c.Name, c.State)
			}
			all.Go(func() { ok(t, hosts[0].Remove(context.Background(), c.ID)) })
		}
	}
	all.Wait()
	if pods != 100 {
		t.Errorf("%d pods", pods)
	}
}

// Sessions come and go through two hosts at once, and the last one to leave removes the pod.
func TestPodOfTwoHostsIsThereWhileSomebodyIsIn(t *testing.T) {
	hosts := []*Engine{onCluster(t), onCluster(t)}
	one := spec()
	var all sync.WaitGroup
	for user := range 4 {
		mine := one
		mine.Name = fmt.Sprintf("%s_%d", one.Name, user)
		for at, host := range hosts {
			all.Go(func() {
				for n := range 10 {
					p := engine.Presence{Container: mine.Name, Host: string(rune('a' + at)), Session: fmt.Sprintf("s%d%d", at, n)}
					if err := comeAndGo(t.Context(), host, mine, p); err != nil {
						t.Errorf("%s: %v", mine.Name, err)
					}
				}
			})
		}
	}
	all.Wait()
	left, err := hosts[0].List(t.Context(), false)
	ok(t, err)
	for _, c := range left {
		if strings.HasPrefix(c.Name, one.Name+"_") {
			t.Errorf("%s is left", c.Name)
			ok(t, hosts[0].Remove(t.Context(), c.ID))
		}
	}
	if in, err := hosts[0].Presences(t.Context()); len(in) > 0 || err != nil {
		t.Errorf("%+v %v", in, err)
	}
}

// comeAndGo is a session in a pod that goes with its last one.
func comeAndGo(ctx context.Context, e *Engine, s engine.Spec, p engine.Presence) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := e.Announce(ctx, p); err != nil {
		return err
	}
	for {
		c, err := e.Find(ctx, s.Name)
		switch {
		case errors.Is(err, engine.ErrNotFound):
			if c, err = e.Create(ctx, s); err == nil {
				err = e.Start(ctx, c.ID)
			}
			if err != nil && !errors.Is(err, engine.ErrNameTaken) {
				return err
			}
		case err != nil:
			return err
		case c.State == engine.Running:
			if c, err = e.Enter(ctx, c.ID, p); err == nil && c.State == engine.Running {
				code, err := engine.Run(ctx, e, c.ID, engine.Program{UID: 1000, GID: 1001, Argv: []string{"/bin/sleep", "0.05"}})
				if code != 0 || err != nil {
					return fmt.Errorf("a session lost its pod: %d %w", code, err)
				}
				if err := errors.Join(e.Withdraw(ctx, p), e.RemoveVacant(ctx, c.ID, p.Host)); errors.Is(err, engine.ErrInUse) || errors.Is(err, engine.ErrNotFound) {
					return nil
				} else {
					return err
				}
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// A verb that nothing here misses is not in the role. What is left out: events are for people, and
// create on pods/exec is missed by SPDY, and since Kubernetes 1.35 by WebSockets.
func TestRoleHasNoVerbTooMany(t *testing.T) {
	e := onCluster(t)
	const role = "/apis/rbac.authorization.k8s.io/v1/namespaces/" + namespace + "/roles/login-host"
	var whole rbac
	get := func() {
		t.Helper()
		b, err := admin.core.Get().AbsPath(role).Do(t.Context()).Raw()
		ok(t, err)
		ok(t, json.Unmarshal(b, &whole))
	}
	put := func(r rbac) {
		t.Helper()
		b, err := json.Marshal(map[string]any{"rules": r.Rules})
		ok(t, err)
		ok(t, admin.core.Patch(types.MergePatchType).AbsPath(role).Body(b).Do(context.Background()).Error())
	}
	get()
	defer func() { put(whole) }()
	if err := wholeLife(e); err != nil {
		t.Fatalf("with the whole role: %v", err)
	}
	for i, rule := range whole.Rules {
		if rule.Resources[0] == "events" {
			continue
		}
		for _, verb := range rule.Verbs {
			if verb == "create" && rule.Resources[0] == "pods/exec" {
				continue
			}
			less := rbac{slices.Clone(whole.Rules)}
			less.Rules[i].Verbs = slices.DeleteFunc(slices.Clone(rule.Verbs), func(v string) bool { return v == verb })
			if len(less.Rules[i].Verbs) == 0 {
				less.Rules = slices.Delete(less.Rules, i, i+1)
			}
			put(less)
			missed := false
			for end := time.Now().Add(20 * time.Second); !missed && time.Now().Before(end); { // until the server has it
				missed = errors.Is(wholeLife(e), engine.ErrDenied)
			}
			if !missed {
				t.Errorf("nothing misses %s on %s", verb, rule.Resources[0])
			}
		}
	}
}

type rbac struct {
	Rules []struct {
		APIGroups []string `json:"apiGroups"`
		Resources []string `json:"resources"`
		Verbs     []string `json:"verbs"`
	} `json:"rules"`
}

// wholeLife does all that is done with a pod.
func wholeLife(e *Engine) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	one := spec()
	one.Home = engine.Home{Path: "/home/alice", Claim: one.Name, Size: "1Gi"}
	c, err := e.Create(ctx, one)
	if err != nil {
		return err
	}
	defer func() { _ = admin.Remove(context.Background(), c.ID) }()
	_, err = e.List(ctx, false)
	err = errors.Join(err, e.PutFiles(ctx, c.ID, []engine.File{{Path: engine.OwnDir + "/x"}}), e.Start(ctx, c.ID))
	_, measured := e.Usage(ctx, c.ID)
	p := engine.Presence{Container: one.Name, Host: "a", Session: "s"}
	err = errors.Join(err, measured, e.Announce(ctx, p))
	_, entered := e.Enter(ctx, c.ID, p)
	return errors.Join(err, entered, e.Withdraw(ctx, p), e.RemoveVacant(ctx, c.ID, "b"))
}

func BenchmarkExec(b *testing.B) {
	direct := onCluster(b)
	c, err := direct.Create(b.Context(), spec())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = direct.Remove(context.Background(), c.ID) }()
	if err := direct.Start(b.Context(), c.ID); err != nil {
		b.Fatal(err)
	}
	for _, way := range []struct {
		name string
		engine.Engine
	}{{"here", direct}, {"in another process", inAnotherProcess(b)}} {
		b.Run(way.name, func(b *testing.B) {
			for b.Loop() {
				p := engine.Program{UID: 1000, GID: 1001, Argv: []string{"/bin/sh", "-c", ":"}}
				if code, err := engine.Run(b.Context(), way, c.ID, p); code != 0 || err != nil {
					b.Fatal(code, err)
				}
			}
		})
	}
}
