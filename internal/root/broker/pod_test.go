package broker

import (
	"os"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

const inCluster = "[dockersh]\ndockersocket = kubernetes://lab\n"

// pod returns a pod of the user who runs the test, with the mark of a login host.
func (w *world) pod(mark string, as engine.State) engine.Container {
	labels := policy.Owner{UID: w.me.UID, Identity: "u=" + w.me.Name}.Labels()
	labels[engine.LabelMark] = mark
	return engine.Container{Name: w.name(), State: as, ImageID: "sha256:1", Labels: labels}
}

// The test is the bridge of a pod, too: it carries nothing.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "bridge" {
		c, err := channel.New(0)
		for err == nil {
			if _, _, err = c.Recv(); err == nil {
				err = c.Send(&wire.Hello{Version: wire.AgentVersion})
			}
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// enterPods makes sessions in pods begin.
func (w *world) enterPods() {
	w.mute.Store(w.name(), true)
	w.broker.bringup.PodBridge = []string{"/proc/self/exe", "bridge"}
}

// elsewhere is a session through another login host.
func (w *world) elsewhere(id string) engine.Presence {
	return engine.Presence{Container: w.name(), Host: "other", Session: id}
}

func (w *world) announce(p engine.Presence) {
	w.Helper()
	if err := w.engine.Announce(w.Context(), p); err != nil {
		w.Fatal(err)
	}
}

func (w *world) present() []engine.Presence {
	w.Helper()
	all, err := w.engine.Presences(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	return all
}

func TestPodThatAnotherLoginHostMadeIsEntered(t *testing.T) {
	w := newWorld(t)
	w.set(inCluster)
	w.enterPods()
	w.engine.Add(w.pod("shared:"+w.name(), engine.Running))
	c := w.enters()
	defer c.Close()
	all := w.present()
	host, err := w.broker.state.Host()
	if err != nil || len(all) != 1 || all[0].Container != w.name() || all[0].Host != host {
		t.Fatalf("%+v %v", all, err)
	}
	if found, err := w.engine.Find(t.Context(), w.name()); err != nil || found.Labels[engine.LabelLogin] != all[0].Session {
		t.Errorf("%+v %v", found, err)
	}
	if w.engine.Calls("Remove")+w.engine.Calls("RemoveVacant")+w.engine.Calls("Create") > 0 {
		t.Error("it was touched")
	}
}

func TestLoginThatFailsIsKnownToNoOtherHost(t *testing.T) {
	w := newWorld(t)
	w.set(inCluster)
	w.mute.Store(w.name(), true)
	w.login(&wire.Login{}) // ends where the bridge would be started
	if all := w.present(); len(all) > 0 {
		t.Errorf("%+v", all)
	}
}

func TestPodThatAnotherLoginHostIsMakingIsWaitedFor(t *testing.T) {
	w := newWorld(t)
	w.set(inCluster)
	w.enterPods()
	w.engine.Add(w.pod("shared:"+w.name(), engine.Created))
	w.announce(w.elsewhere("s"))
	before := w.id()
	c := w.dial()
	if err := c.Send(&wire.Login{Version: wire.Version}); err != nil {
		t.Fatal(err)
	}
	w.eventually("it is looked at again", func() bool { return w.engine.Calls("RemoveVacant") > 1 })
	w.engine.SetState(w.name(), engine.Running)
	if m, c := w.answer(c); m.Kind() != wire.KindReady {
		t.Errorf("%+v", m)
	} else {
		_ = c.Close()
	}
	if w.id() != before {
		t.Error("it was replaced")
	}
}

func TestPodGoesWithTheLastSessionOfAllLoginHosts(t *testing.T) {
	w := newWorld(t)
	w.set(inCluster + "ephemeral\n")
	w.enterPods()
	at := engine.Address{Host: "kubernetes://lab"}
	c := w.enters()
	w.announce(w.elsewhere("s"))
	_ = c.Close()
	w.eventually("this host leaves it to the other", func() bool {
		return w.engine.Calls("RemoveVacant") > 0 && !w.broker.state.Retentions().Has(w.name())
	})
	if err := w.broker.lifecycle.RecoverFrom(at); err != nil || w.containers() != 1 || w.broker.state.Retentions().Has(w.name()) {
		t.Errorf("it is not left to the other: %v", err)
	}
	if err := w.engine.Withdraw(t.Context(), w.elsewhere("s")); err != nil { // and its host dies
		t.Fatal(err)
	}
	w.engine.Forget()
	if err := w.broker.lifecycle.RecoverFrom(at); err != nil {
		t.Fatal(err)
	}
	w.broker.lifecycle.ReconcileDue()
	w.nothingLeft()
}

// A login through another host, and its end, while the pod lingers.
func TestPodLingersAfterTheLastSessionOfAllLoginHosts(t *testing.T) {
	w := newWorld(t)
	w.set(inCluster + "ephemeral\nlinger = 1h\n")
	w.enterPods()
	_ = w.enters().Close()
	w.waits()
	due := func() {
		t.Helper()
		ret, err := w.broker.state.Retentions().Get(w.name())
		if err != nil || ret.Login == "" {
			t.Fatalf("%+v %v", ret, err)
		}
		ret.VacantSince = time.Now().Add(-2 * time.Hour)
		if err := w.broker.state.Retentions().Set(w.name(), ret); err != nil {
			t.Fatal(err)
		}
		w.broker.lifecycle.Reconcile(w.name(), false)
	}
	if _, err := w.engine.Enter(t.Context(), w.id(), w.elsewhere("s")); err != nil {
		t.Fatal(err)
	}
	w.engine.Forget()
	due()
	if w.containers() != 1 || w.broker.state.Retentions().Has(w.name()) {
		t.Fatal("it was removed too soon")
	}
	if err := w.broker.lifecycle.RecoverFrom(engine.Address{Host: "kubernetes://lab"}); err != nil {
		t.Fatal(err)
	}
	w.broker.lifecycle.ReconcileDue()
	w.waits()
	due()
	w.nothingLeft()
}

// Its files are gone with it, but for volumes.
func TestPodThatEndedIsReplaced(t *testing.T) {
	for _, as := range []engine.State{engine.Created, engine.Exited, engine.Dead} {
		w := newWorld(t)
		w.set(inCluster)
		w.mute.Store(w.name(), true) // its sessions go over the engine's exec
		dir := state.RunDir(w.broker.Run).Container(w.name())
		w.engine.Add(w.pod(dir.SharedMark(), as))
		before, err := w.engine.Find(t.Context(), w.name())
		if err != nil {
			t.Fatal(err)
		}
		w.login(&wire.Login{}) // ends where the bridge would be started
		now, err := w.engine.Find(t.Context(), w.name())
		if err != nil || now.ID == before.ID || now.State != engine.Running {
			t.Errorf("%s: %+v %v", as, now, err)
		}
	}
}
