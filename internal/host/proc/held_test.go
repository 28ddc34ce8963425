package proc

import (
	"os"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func TestGroupsAreThoseOfTheProcess(t *testing.T) {
	h, err := Hold(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	want, err := unix.Getgroups()
	if err != nil {
		t.Fatal(err)
	}
	gid, groups, err := h.Groups()
	if err != nil || int(gid) != os.Getegid() || !slices.EqualFunc(groups, want, func(a uint32, b int) bool { return int(a) == b }) {
		t.Errorf("%d %v %v, want %d %v", gid, groups, err, os.Getegid(), want)
	}
	if _, err := numbersOf("Name:\tx\nGroups:\n", "Gid"); err == nil {
		t.Error("no such line")
	}
	if none, err := numbersOf("Name:\tx\nGroups:\t \n", "Groups"); err != nil || len(none) > 0 {
		t.Errorf("%v %v", none, err)
	}
}
