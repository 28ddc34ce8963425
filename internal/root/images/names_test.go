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
	probes := map[string]string{}
	for _, name := range names {
		if a, err := d.get(name); err != nil || string(a.Passwd) != name {
			t.Errorf("%s: %q %v", name, a.Passwd, err)
		}
		if other := probes[probeName(name)]; other != "" {
			t.Errorf("%s and %s have one probe", name, other)
		}
		probes[probeName(name)] = name
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

// Hosts that share a namespace look into the same images, and no lock of one is another's.
func TestProbeInAClusterIsThatOfOneLoginHost(t *testing.T) {
	i, e := New(t.TempDir()), enginetest.New()
	for host, ours := range map[string]bool{state.HostID(): true, "0123": false} {
		e.Add(engine.Container{Name: probeNameOf(host, "busybox"), ImageID: "busybox", Labels: policy.Owner{Identity: policy.Probe}.Labels()})
		c, err := e.Find(t.Context(), probeNameOf(host, "busybox"))
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := i.RemoveProbe(t.Context(), e, c); ok != ours || err != nil {
			t.Errorf("%q: %v %v", host, ok, err)
		}
	}
}
