package state

import (
	"sync"
	"testing"
)

func TestEachRunDirIsALoginHost(t *testing.T) {
	a, b := RunDir(t.TempDir()), RunDir(t.TempDir())
	names := make([]string, 8)
	var all sync.WaitGroup
	for i := range names {
		all.Go(func() { names[i], _ = a.Host() })
	}
	all.Wait()
	for _, name := range names {
		if name == "" || name != names[0] {
			t.Errorf("%q and %q", name, names[0])
		}
	}
	if other, err := b.Host(); other == names[0] || err != nil {
		t.Errorf("%q %v", other, err)
	}
}
