//go:build e2e

package docker

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
)

func eachEngine(t *testing.T, test func(t *testing.T, e *Engine)) {
	t.Run("docker", func(t *testing.T) { test(t, testEngine(t)) })
	t.Run("podman", func(t *testing.T) {
		e := open(t, podman(t))
		if err := importImage(e); err != nil {
			t.Fatal(err)
		}
		test(t, e)
	})
}

// asRoot runs a command in a container as its root.
func asRoot(t *testing.T, e *Engine, id, command string) string {
	t.Helper()
	s, err := e.ExecStream(t.Context(), id, engine.Program{Argv: []string{"/bin/sh", "-c", command}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var out bytes.Buffer
	if err := s.Copy(&out, &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// follow puts another container in the place of one.
func follow(t *testing.T, e *Engine, old *engine.Container, s engine.Spec) *engine.Container {
	t.Helper()
	layer, err := e.CarryLayer(t.Context(), old.ID, "m:/"+s.Name)
	if err != nil {
		t.Fatal(err)
	}
	s.Layer = layer
	if err := e.Rename(t.Context(), old.ID, s.Name+"-old"); err != nil {
		t.Fatal(err)
	}
	next, err := e.Create(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Remove(t.Context(), next.ID) })
	for _, f := range []func() error{
		func() error { return e.Remove(t.Context(), old.ID) },
		func() error { return e.RemoveLayers(t.Context(), "m:/"+s.Name) },
	} {
		if err := f(); err != nil {
			t.Fatal(err)
		}
	}
	return next
}

func TestCarriedContainerHasEverythingButItsFormerEnvironment(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *Engine) {
		s := spec(t)
		s.Env = []string{"OLD=1", "BOTH=1"}
		s.Volumes = []string{"/opt"}
		s.UID = 0
		old, err := e.Create(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Start(t.Context(), old.ID); err != nil {
			t.Fatal(err)
		}
		const look = `cd /work; busybox stat -c '%n %u:%g %a %h' a setuid dir hard; busybox readlink link; busybox cat a /opt/b; ` +
			`busybox test -e /way && echo there; echo "${OLD-none} ${NEW-none} ${BOTH-none}"`
		asRoot(t, e, old.ID, `busybox mkdir /work && cd /work && echo text >a && busybox chown 12:34 a && busybox cp a setuid && `+
			`busybox chown 7:8 setuid && busybox chmod 4755 setuid && busybox mkdir dir && busybox chmod 1777 dir && `+
			`busybox ln a hard && busybox ln -s /nowhere link && echo volume >/opt/b; busybox rm /way`)
		want := asRoot(t, e, old.ID, look)
		if !strings.HasSuffix(want, "text\nvolume\n1 none 1\n") {
			t.Fatalf("before: %q", want)
		}
		found, err := e.Find(t.Context(), s.Name)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(found.Mounts, func(m engine.Mount) bool { return m.Target == "/opt" })
		if i < 0 || !found.Mounts[i].IsAnonymous() {
			t.Fatalf("%+v", found.Mounts)
		}
		volume := found.Mounts[i].Volume
		next := old
		for n := range 2 {
			s.Env = []string{fmt.Sprint("NEW=", n), "BOTH=1"}
			s.Volumes = []string{volume + ":/opt"}
			s.Labels[engine.LabelVolumes] = volume
			next = follow(t, e, next, s)
			if err := e.Start(t.Context(), next.ID); err != nil {
				t.Fatal(err)
			}
			got := asRoot(t, e, next.ID, look)
			if got != strings.Replace(want, "1 none 1", fmt.Sprint("none ", n, " 1"), 1) {
				t.Errorf("%q, before %q", got, want)
			}
		}
		s.Env = nil
		s.Volumes = []string{volume + ":/opt"}
		next = follow(t, e, next, s)
		if err := e.Remove(t.Context(), next.ID); err != nil {
			t.Fatal(err)
		}
		s.Labels = nil
		s.Layer, s.Volumes = "", []string{volume + ":/opt"}
		again, err := e.Create(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Start(t.Context(), again.ID); err != nil {
			t.Fatal(err)
		}
		if got := asRoot(t, e, again.ID, "busybox cat /opt/b"); strings.Contains(got, "volume") {
			t.Errorf("the volume is left: %q", got)
		}
		_ = e.Remove(t.Context(), again.ID)
	})
}

func TestContainerIsCarriedOverAnyNumberOfTimes(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *Engine) {
		s := spec(t)
		s.UID = 0
		next, err := e.Create(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Start(t.Context(), next.ID); err != nil {
			t.Fatal(err)
		}
		asRoot(t, e, next.ID, "echo work >/work; busybox chmod 4755 /work")
		if err := e.Stop(t.Context(), next.ID, 0); err != nil {
			t.Fatal(err)
		}
		for n := range 42 { // more than an image has layers
			s.Env = []string{fmt.Sprintf("N%d=1", n)}
			next = follow(t, e, next, s)
		}
		if err := e.Start(t.Context(), next.ID); err != nil {
			t.Fatal(err)
		}
		if got := asRoot(t, e, next.ID, "busybox stat -c %a /work; busybox cat /work; busybox env | busybox grep ^N"); got != "4755\nwork\nN41=1\n" {
			t.Errorf("%q", got)
		}
	})
}
