package broker

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// child starts a process in place of a front whose broker was killed.
func (w *world) child() (r state.Session, end func()) {
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		w.Fatal(err)
	}
	s, err := proc.Of(cmd.Process.Pid)
	if err != nil {
		w.Fatal(err)
	}
	end = func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	w.Cleanup(end)
	return state.Session{ID: state.NewSessionID(), UID: w.me.UID, Container: w.name(), Pid: s.Pid, Start: s.Start}, end
}

func TestNextBrokerRemovesWhatTheLastOneLeft(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nephemeral\nlinger = 1ms\n")
	r, end := w.child()
	if err := w.broker.sessions.Add(r); err != nil { // the session goes on without a broker
		t.Fatal(err)
	}
	_ = w.enters().Close()
	w.eventually("ours is over", func() bool { return len(w.broker.sessions.Live()) == 1 })
	w.broker.lifecycle.ReconcileDue()
	time.Sleep(50 * time.Millisecond)
	if w.containers() != 1 {
		t.Fatal("it was removed under the session of another broker")
	}
	end()
	w.eventually("it goes", func() bool { w.broker.lifecycle.ReconcileDue(); return w.containers() == 0 })
}

func TestRemovalByAKilledBrokerIsRepaired(t *testing.T) {
	w := newWorld(t)
	_ = w.enters().Close()
	if err := w.broker.state.Container(w.name()).Shut(); err != nil {
		t.Fatal(err)
	}
	before := w.engine.Calls("Find") + w.engine.Calls("Exec")
	w.enters()
	if now := w.engine.Calls("Find") + w.engine.Calls("Exec"); now != before {
		t.Errorf("%d calls of the engine for an agent that is there", now-before)
	}
	// The broker got as far as to rename the directory.
	if err := os.Rename(filepath.Join(w.broker.Run, "c", w.name()), filepath.Join(w.broker.Run, "c", w.name()+"~")); err != nil {
		t.Fatal(err)
	}
	if err := w.broker.state.FinishRemovals(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(filepath.Join(w.broker.Run, "c")); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// After a reboot /run is empty, and the containers are there.
func TestEphemeralContainersAreFoundAfterAReboot(t *testing.T) {
	w := newWorld(t)
	labels := func(container string) map[string]string {
		all := policy.Owner{UID: w.me.UID, Identity: "u=x"}.Labels()
		all[engine.LabelEphemeral], all[engine.LabelMark] = "0s", w.broker.state.Container(container).Mark()
		return all
	}
	w.engine.Add(engine.Container{Name: "left-x", State: engine.Exited, Labels: labels("left-x")})
	w.engine.Add(engine.Container{Name: "aside", State: engine.Exited, Labels: labels("renamed-x")}) // or from an image of it
	elsewhere := labels("direct")
	elsewhere[engine.LabelMark] = state.RunDir("/run/user/1/dockersh").Container("direct").Mark()
	w.engine.Add(engine.Container{Name: "direct", State: engine.Running, Labels: elsewhere})
	probe := policy.Owner{Identity: policy.Probe}.Labels()
	w.engine.Add(engine.Container{Name: probeName("1"), ImageID: "sha256:1", State: engine.Created, Labels: probe})
	w.engine.Add(engine.Container{Name: "stays", State: engine.Exited, Labels: policy.Owner{Identity: "u=y"}.Labels()})
	foreign := map[string]string{engine.LabelEphemeral: "0s"}
	w.engine.Add(engine.Container{Name: "foreign", State: engine.Exited, Labels: foreign})
	w.engine.Fail("List", engine.ErrDown)
	if err := w.broker.lifecycle.RecoverFrom(engine.Address{Host: "/var/run/docker.sock"}); !errors.Is(err, engine.ErrDown) {
		t.Errorf("got %v", err)
	}
	w.engine.Fail("List", nil)
	if err := w.broker.lifecycle.RecoverFrom(engine.Address{Host: "/var/run/docker.sock"}); err != nil {
		t.Error(err)
	}
	gone := func(name string) bool { _, err := w.engine.Find(t.Context(), name); return err != nil }
	w.eventually("it goes", func() bool { w.broker.lifecycle.ReconcileDue(); return gone("left-x") })
	for _, name := range []string{"stays", "foreign", "aside", "direct"} {
		if gone(name) {
			t.Error(name + " was removed, too")
		}
	}
	if !gone(probeName("1")) {
		t.Error("the probe of a killed broker is there")
	}
}

// probeName is the name of a probe of this uid.
func probeName(hash string) string {
	return "dockersh-probe-" + strconv.Itoa(os.Geteuid()) + "-" + hash
}

func TestLeftoverProbeDoesNotDisturb(t *testing.T) {
	w := newWorld(t)
	probe := policy.Owner{Identity: policy.Probe}.Labels()
	w.engine.Add(engine.Container{Name: probeName("1"), ImageID: "sha256:1", State: engine.Created, Labels: probe})
	w.enters()
	if w.containers() != 1 {
		t.Error("it is there still")
	}
}

// A session whose end no broker saw counts, too.
func TestLingerStartsAgainForASessionThatEndedUnseen(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nephemeral\nlinger = 1h\n")
	_ = w.enters().Close()
	w.waits()
	v, _ := w.broker.state.Retentions().Get(w.name())
	v.VacantSince = v.VacantSince.Add(-59 * time.Minute)
	if err := w.broker.state.Retentions().Set(w.name(), v); err != nil {
		t.Fatal(err)
	}
	r, end := w.child()
	if err := w.broker.sessions.Add(r); err != nil {
		t.Fatal(err)
	}
	end()
	w.broker.lifecycle.Sweep()
	w.eventually("it waits again", func() bool {
		v, err := w.broker.state.Retentions().Get(w.name())
		return err == nil && time.Since(v.VacantSince) < time.Minute
	})
}

// A broker of one session ends when it has swept: what it began is done before.
func TestSweptContainersAreReconciledBeforeTheBrokerEnds(t *testing.T) {
	w := newWorld(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // as in the service
	for range 2 {
		r, end := w.child()
		r.Container = "other"
		life := state.Retention{Ephemeral: true, Linger: time.Hour}
		if err := errors.Join(w.broker.state.Retentions().Set(r.Container, life), w.broker.sessions.Add(r)); err != nil {
			t.Fatal(err)
		}
		end()
		if err := w.ofOneSession().Reconcile(); err != nil {
			t.Error(err)
		}
		if v, err := w.broker.state.Retentions().Get(r.Container); err != nil || v.VacantSince.IsZero() {
			t.Fatalf("it was not reconciled: %+v %v", v, err)
		}
	}
}

// A broker of one session stays until its container is gone, and those of others.
func TestBrokerOfOneSessionStaysUntilAllIsDone(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nephemeral\nlinger = 300ms\n")
	c := w.enters()
	v, err := w.broker.state.Retentions().Get(w.name())
	if err != nil || v.Linger != 300*time.Millisecond {
		t.Fatal(v, err)
	}
	other := w.ofOneSession()
	done := make(chan struct{})
	_ = c.Close()
	go func() { defer close(done); other.lifecycle.SessionEnded(w.name(), nil) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("it never ended")
	}
	if _, err := w.broker.state.Retentions().Get(w.name()); !errors.Is(err, fs.ErrNotExist) || w.containers() != 0 {
		t.Errorf("it went before the container: %v", err)
	}
}

// A user may log in ten thousand times: no more brokers stay than there are containers to
// look after.
func TestOneBrokerAttendsAContainer(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nephemeral\nlinger = 1h\n")
	_ = w.enters().Close()
	w.waits()
	// Whoever attends has locked a file, a moment after it was made. To try the lock could send
	// the broker away.
	attended := func() bool {
		var st unix.Stat_t
		err := unix.Stat(filepath.Join(string(w.broker.state.Retentions()), w.name()+".stay~"), &st)
		locks, _ := os.ReadFile("/proc/locks")
		return err == nil && strings.Contains(string(locks), fmt.Sprintf(":%d ", st.Ino))
	}
	end := func() <-chan struct{} {
		b := w.ofOneSession()
		done := make(chan struct{})
		go func() { defer close(done); b.lifecycle.SessionEnded(w.name(), nil) }()
		return done
	}
	first := end()
	w.eventually("one attends", attended)
	for range 3 {
		select {
		case <-end():
		case <-time.After(20 * time.Second):
			t.Error("another attends, too")
		}
	}
	v, err := w.broker.state.Retentions().Get(w.name())
	if err != nil {
		t.Fatal(err)
	}
	// And it goes when there is nothing left.
	v.Linger = 0
	if err := w.broker.state.Retentions().Set(w.name(), v); err != nil {
		t.Fatal(err)
	}
	<-first
	if attended() || w.containers() != 0 {
		t.Error("it went before the container")
	}
}

// ofOneSession returns a broker of one session beside the world's.
func (w *world) ofOneSession() *Broker {
	w.Helper()
	c := w.broker.Config
	c.Role = OneSession
	b, err := New(c)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(b.cancel)
	return b
}

func TestNothingIsKeptOfAContainerThatWasNeverMade(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\ncontainername = %u-%x\nimagename = nosuch\npull = never\n")
	w.refused(&wire.Login{}, "there is no image")
	w.nothingLeft()
	// A broker was killed after its first step.
	if err := w.broker.state.Container("half").Make(); err != nil {
		t.Fatal(err)
	}
	w.broker.lifecycle.Sweep()
	w.nothingLeft()
	// The retention could not be written.
	if err := os.Rename(string(w.broker.state.Retentions()), string(w.broker.state.Retentions())+".away"); err != nil {
		t.Fatal(err)
	}
	w.set("[dockersh]\ncontainername = %u-%x\nephemeral\n")
	w.refused(&wire.Login{}, "")
	w.eventually("no directory is left", func() bool { return len(w.broker.state.Containers()) == 0 })
	if err := os.Rename(string(w.broker.state.Retentions())+".away", string(w.broker.state.Retentions())); err != nil {
		t.Fatal(err)
	}
	w.set("[dockersh]\n")
	w.enters()
	w.broker.lifecycle.Sweep()
	before := w.engine.Calls("Find")
	w.enters()
	if w.engine.Calls("Find") != before {
		t.Error("the login is not warm any more")
	}
}
