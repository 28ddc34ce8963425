package images

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/enginetest"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// The run-time directory is in memory.
func TestAccountsOfImagesThatAreGoneAreDropped(t *testing.T) {
	e := enginetest.New()
	i := newImages(t)
	for _, id := range []string{"sha256:1", "sha256:2", "sha256:3"} {
		e.AddImage("moves", id, nil) // the image before has no name now, and is gone
		if _, err := i.Accounts(t.Context(), e, id); err != nil {
			t.Fatal(err)
		}
	}
	for end := time.Now().Add(5 * time.Second); !slices.Equal(i.kept.ids(), []string{"sha256:3"}); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("kept: %q", i.kept.ids())
		}
	}
	if _, err := i.Accounts(t.Context(), e, "sha256:3"); err != nil || e.Calls("Create") != 3 {
		t.Errorf("%d looks into three images: %v", e.Calls("Create"), err)
	}
}

func TestPathIsKeptWhereLoginShellsLoseItAndCanGetItBack(t *testing.T) {
	const reads = "PATH=/usr/bin\nfor i in /etc/profile.d/*.sh; do . $i; done\n"
	for what, c := range map[string]struct {
		path  string
		files map[string]string
		want  string
	}{
		"a path of its own":                {"/go/bin:/bin", map[string]string{"/etc/profile": reads}, "/go/bin:/bin"},
		"the usual path":                   {usualPath, map[string]string{"/etc/profile": reads}, ""},
		"none":                             {"", map[string]string{"/etc/profile": reads}, ""},
		"no profile":                       {"/go/bin:/bin", nil, ""},
		"a profile that reads no files":    {"/go/bin:/bin", map[string]string{"/etc/profile": "PATH=/bin\n"}, ""},
		"a file of that name in the image": {"/go/bin:/bin", map[string]string{"/etc/profile": reads, engine.LoginPath: "x"}, ""},
	} {
		e := enginetest.New()
		files := map[string][]byte{}
		for name, text := range c.files {
			files[name] = []byte(text)
		}
		e.AddImage("i", "sha256:1", files)
		e.SetPath("i", c.path)
		i := newImages(t)
		for _, when := range []string{"first", "kept"} {
			if a, err := i.Accounts(t.Context(), e, "sha256:1"); err != nil || string(a.Path) != c.want {
				t.Errorf("%s, %s: %q %v", what, when, a.Path, err)
			}
		}
	}
}

// A user's images may come from a registry that never finishes.
func TestPullsOfOneUserDoNotHoldUpAnother(t *testing.T) {
	e := enginetest.New()
	i := newImages(t)
	ctx, cancel := context.WithCancel(t.Context())
	pull := func(user uint32, name string) {
		plan := &policy.Plan{User: account.User{UID: user}, Settings: &config.Settings{ImageName: name, Pull: "missing"}}
		_, _ = i.Provide(ctx, e, plan, func(string) {})
	}
	began, release := e.Hold("Pull")
	defer func() { cancel(); release() }()
	for n := range 2 * pullsAtOnce {
		go pull(1, fmt.Sprint("slow-", n))
	}
	for range pullsOfUser {
		<-began
	}
	select {
	case <-began:
		t.Errorf("%d pulls of one user at once", pullsOfUser+1)
	case <-time.After(50 * time.Millisecond):
	}
	go pull(2, "another")
	select {
	case <-began:
	case <-time.After(5 * time.Second):
		t.Error("another user's pull waits")
	}
}
