package images

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/enginetest"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

func TestImagesKnownByNameAreKeptApartAndNotForLong(t *testing.T) {
	d := keptAccounts(t.TempDir())
	names := []string{"busybox", "cafe", "deadbeef", "a/b:1", "a-b:1", "a/b-1", "c:1", "registry.example:5000/a/b:1", "a@sha256:0123"}
	for _, name := range names {
		if err := d.put(name, Accounts{Passwd: []byte(name)}); err != nil {
			t.Fatal(err)
		}
	}
	i := newImages(t)
	probes := map[string]string{}
	for _, name := range names {
		if a, err := d.get(name); err != nil || string(a.Passwd) != name {
			t.Errorf("%s: %q %v", name, a.Passwd, err)
		}
		probe, err := i.probeName(name)
		if other := probes[probe]; other != "" || err != nil {
			t.Errorf("%s and %s have one probe: %v", name, other, err)
		}
		probes[probe] = name
	}
	old := time.Now().Add(-2 * nameLimit)
	for _, name := range []string{"busybox", "cafe"} {
		if err := os.Chtimes(filepath.Join(d.path(name), "passwd"), old, old); err != nil {
			t.Fatal(err)
		}
		if _, err := d.get(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("old accounts of the name %s: %v", name, err)
		}
	}
	if err := d.put(imageOf(1), Accounts{}); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(filepath.Join(d.path(imageOf(1)), "passwd"), old, old); err != nil {
		t.Fatal(err)
	}
	if _, err := d.get(imageOf(1)); err != nil {
		t.Errorf("old accounts of a digest: %v", err)
	}
}

// newImages returns those of a login host.
func newImages(t *testing.T) *Images {
	t.Helper()
	run := state.RunDir(t.TempDir())
	if err := run.Make(); err != nil {
		t.Fatal(err)
	}
	return New(run)
}

// Hosts that share a namespace look into the same images, and no lock of one is another's. They may have
// one machine-id(5), as copies of a machine have, or none.
func TestProbeInAClusterIsThatOfOneLoginHost(t *testing.T) {
	i, e := newImages(t), enginetest.New()
	for from, ours := range map[*Images]bool{i: true, newImages(t): false} {
		name, err := from.probeName("busybox")
		if err != nil {
			t.Fatal(err)
		}
		e.Add(engine.Container{Name: name, ImageID: "busybox", Labels: policy.Owner{Identity: policy.Probe}.Labels()})
		c, err := e.Find(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := i.RemoveProbe(t.Context(), e, c); ok != ours || err != nil {
			t.Errorf("ours %v: %v %v", ours, ok, err)
		}
	}
}
