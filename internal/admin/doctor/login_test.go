package doctor

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/rules/config"
)

func TestUsersWhoNeedSSHDAreNotLoggedInByDoctor(t *testing.T) {
	f, err := config.Parse("/etc/dockershrc", []byte("[dockersh]\n"))
	if err != nil {
		t.Fatal(err)
	}
	h := &facts.Host{Front: "/usr/local/bin/dockersh"}
	for i, name := range []string{"alice", "bob"} {
		s, err := f.Merge(name, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		h.Users = append(h.Users, &facts.User{User: account.User{Name: name, UID: uint32(1000 + i), Shell: h.Front}, Settings: s})
	}
	if got := firstUser(h); got != "alice" {
		t.Errorf("%q", got)
	}
	h.Users[0].ByAddress = "containername"
	if got := firstUser(h); got != "bob" {
		t.Errorf("%q", got)
	}
	h.Users[1].ByKey = "containername"
	if got := firstUser(h); got != "" {
		t.Errorf("%q", got)
	}
}

func TestFailedLoginNamesTheLogOfBrokerAndBridge(t *testing.T) {
	u := account.User{Name: "alice", UID: uint32(os.Getuid()), GID: uint32(os.Getgid()), Home: "/"}
	_, found := login(t.Context(), &facts.Host{Front: "/bin/false"}, u, nil)
	if found == nil || !slices.Equal(found.Lines, []string{"journalctl -t dockershd -t dockersh-bridge"}) {
		t.Errorf("%+v", found)
	}
}

// The login shell inside runs a file that belongs to the user.
func TestLoginThatWritesWithoutEndIsEnded(t *testing.T) {
	front := filepath.Join(t.TempDir(), "front")
	if err := os.WriteFile(front, []byte("#!/bin/sh\ntrap '' PIPE\nwhile :; do echo noise >&2; done\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second) // a broken limit fills the memory
	defer cancel()
	u := account.User{Name: "alice", UID: uint32(os.Getuid()), GID: uint32(os.Getgid()), Home: "/"}
	result, found := login(ctx, &facts.Host{Front: front}, u, nil)
	if found == nil || !strings.Contains(found.Text, `more than 4096 bytes to its standard error, which begins with "noise; noise`) || len(found.Text) > 300 {
		t.Errorf("%.300q after %v s", found.Text, result.Seconds)
	}
	if ctx.Err() != nil {
		t.Error("it was not ended")
	}
}
