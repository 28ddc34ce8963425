package state

import (
	"os"
	"reflect"
	"testing"
)

func TestSourcesAreReadAsTheyWereWritten(t *testing.T) {
	c := ContainerDir(t.TempDir())
	all := []MountSource{{Path: "/home/a b\nc", Dev: 1, Ino: 1<<64 - 1}, {Path: "/", Dev: 66305, Ino: 2}}
	if err := c.LastStart().SetSources(all); err != nil {
		t.Fatal(err)
	}
	if got := c.LastStart().Sources(); !reflect.DeepEqual(got, all) || !c.LastStart().HasSources() {
		t.Errorf("read %v", got)
	}
	for _, text := range []string{"", "1 /x", "1:-2 /x", "1:2x /x", "1:2 /x\x00\x00", ":"} {
		if err := os.WriteFile(c.file("sources"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := c.LastStart().Sources(); len(got) > 0 {
			t.Errorf("%q: read %v", text, got)
		}
	}
	if err := c.LastStart().SetSources(nil); err != nil || c.LastStart().HasSources() {
		t.Errorf("removed: %v", err)
	}
}
