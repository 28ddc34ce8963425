package account

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestHostFilesSayWhoHasAnAccountAndWhichNumbersUsersMayTake(t *testing.T) {
	dir := t.TempDir()
	passwd, subuid := filepath.Join(dir, "passwd"), filepath.Join(dir, "subuid")
	h := newHostFiles(passwd, subuid)
	if h.HasAccount(1000) || h.IsSubordinate(100000) {
		t.Error("missing files have entries")
	}
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path+".new", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	write(passwd, "root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n+::::::\nbroken:x:1001\n")
	write(subuid, "alice:100000:65536\nbob:165536:65536\n1002:400000:1\ncarol:4294967290:65536\nbroken:1:\n")
	for uid, want := range map[uint32][2]bool{
		0: {true, false}, 1000: {true, false}, 1001: {false, false},
		99999: {false, false}, 100000: {false, true}, 165536: {false, true}, 231071: {false, true}, 231072: {false, false},
		400000: {false, true}, 400001: {false, false}, 4294967289: {false, false}, 4294967290: {false, true}, 1: {false, false},
	} {
		if got := [2]bool{h.HasAccount(uid), h.IsSubordinate(uid)}; got != want {
			t.Errorf("uid %d: %v, want %v", uid, got, want)
		}
	}
	write(passwd, "bob:x:1001:1001::/home/bob:/bin/sh\n")
	write(subuid, "bob:200000:10\n")
	if h.HasAccount(1000) || !h.HasAccount(1001) || h.IsSubordinate(100000) || !h.IsSubordinate(200009) {
		t.Error("a change is not seen")
	}
}

func TestRangesThatTouchAreOne(t *testing.T) {
	got := parseSubuid([]byte("c:20:5\na:0:10\nb:10:5\nd:12:1\ne:25:1\n"))
	if want := []uidRange{{0, 15}, {20, 6}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
