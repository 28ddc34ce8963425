package images

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func imageOf(n int) string { return fmt.Sprintf("sha256:%064x", n) }

func TestWhatIsKeptOfImagesHasALimit(t *testing.T) {
	d := keptAccounts(t.TempDir())
	line := []byte("root:x:0:0:root:/root:/bin/sh\n")
	used := imageOf(0)
	for n := range 3 * maxImages {
		unlock, err := d.lock(t.Context(), imageOf(n))
		if err != nil {
			t.Fatal(err)
		}
		if err := d.put(imageOf(n), Accounts{Passwd: line, Group: line[:n%len(line)]}); err != nil {
			t.Fatal(err)
		}
		unlock()
		if a, err := d.get(used); err != nil || !bytes.Equal(a.Passwd, line) {
			t.Fatalf("an image that is in use is dropped: %v", err)
		}
		time.Sleep(time.Millisecond) // for the order of use
	}
	ids := d.ids()
	if len(ids) != maxImages || !slices.Contains(ids, used) || !slices.Contains(ids, imageOf(3*maxImages-1)) {
		t.Errorf("%d images are kept: %q", len(ids), ids)
	}
	if all, err := os.ReadDir(string(d)); err != nil || len(all) != maxImages {
		t.Errorf("%d entries %v", len(all), err)
	}
}

func TestLargeAccountsOfAnImageAreNotKept(t *testing.T) {
	d := keptAccounts(t.TempDir())
	for size, kept := range map[int]bool{maxAccounts: true, maxAccounts + 1: false} {
		passwd := []byte(strings.Repeat("x", size))
		if err := d.put("sha256:1", Accounts{Passwd: passwd}); err != nil {
			t.Fatal(err)
		}
		if _, err := d.get("sha256:1"); (err == nil) != kept || err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%d bytes: %v", size, err)
		}
		d.remove("sha256:1")
	}
}

func TestWhatAKilledBrokerLeftOfAnImageGoes(t *testing.T) {
	d := keptAccounts(t.TempDir())
	for name, age := range map[string]time.Duration{"new-old": time.Hour, "new-young": 0} {
		path, at := string(d)+"/"+name, time.Now().Add(-age)
		if err := errors.Join(os.Mkdir(path, 0o700), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.put(imageOf(1), Accounts{}); err != nil {
		t.Fatal(err)
	}
	if all, _ := os.ReadDir(string(d)); len(all) != 2 || len(d.ids()) != 1 {
		t.Errorf("left: %v", all)
	}
}
