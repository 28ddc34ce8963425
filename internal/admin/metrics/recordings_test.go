package metrics

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRecordingsAreCountedAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	for name, size := range map[string]int{"alice/abcdefghijka.cast": 10, "alice/abcdefghijkb.2.cast": 20, "bob/abcdefghijkc.cast": 5, "bob/abcdefghijkc.cast.gz": 3, "bob/notes": 100, "top.cast": 100, "bob/deep/abcdefghijka.cast": 100, "bob/d.cast": 100} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.Repeat("x", size)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc/passwd", dir+"/bob/abcdefghijkl.cast"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("alice", dir+"/carol"); err != nil {
		t.Fatal(err)
	}
	all := countRecordings(t.Context(), []string{dir + "/%u/%x.cast", "/nonexistent/%u.cast", "%h/x"})
	if len(all) != 2 || all[0].number != 4 || all[0].size != 38 || !all[0].known || all[0].room == 0 || all[0].free == 0 || all[0].free > all[0].room {
		t.Errorf("%+v", all)
	}
	if !all[1].known || all[1].number != 0 || all[1].room != 0 {
		t.Errorf("a directory that is not there yet: %+v", all[1])
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if all := countRecordings(ctx, []string{dir + "/%u/%x.cast"}); all[0].known {
		t.Errorf("what was interrupted is known: %+v", all)
	}
}
