//go:build e2e

package recording

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

// putRecording makes what a session recorded long ago, the first one first.
func putRecording(t *testing.T, dir string, n, kib int) string {
	t.Helper()
	path := fmt.Sprintf("%s/session%05s.cast", dir, strings.Repeat("abcdefghijklmnop"[n:n+1], 5))
	text := `{"version":2,"width":80,"height":24}` + "\n" + strings.Repeat(" ", kib<<10)
	at := time.Now().AddDate(0, 0, n-100)
	for _, err := range []error{os.MkdirAll(dir, 0o700), os.WriteFile(path, []byte(text), 0o600), os.Chtimes(path, at, at)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func TestOldestRecordingsGoWhereTheyTakeTooMuchSpace(t *testing.T) {
	e2e.Run(t, e2e.RootDoors, "only root brokers record")
	u := e2e.NewUser(t)
	top := e2e.Recordings + "/of-" + u.Name
	u.Configure(t, "record = "+top+"/%u/%x.cast")
	e2e.CanLogIn(t, u)
	c := e2e.LiveSession(t, u) // under way before there is a limit
	dir := top + "/" + u.Name
	var live string
	e2e.Eventually(t, "the session is recorded", func() bool {
		all, _ := filepath.Glob(dir + "/*.cast")
		live = strings.Join(all, " ")
		return len(all) == 1
	})
	for n := range 10 {
		putRecording(t, dir, n, 60)
	}
	others := putRecording(t, top+"/another", 0, 60)
	foreign := dir + "/notes"
	old := time.Unix(1, 0)
	for _, err := range []error{os.WriteFile(foreign, make([]byte, 1<<20), 0o600), os.Chtimes(foreign, old, old), os.Chtimes(live, old, old)} {
		if err != nil {
			t.Fatal(err)
		}
	}

	u.Configure(t, "record = "+top+"/%u/%x.cast", "recordmax = 300k")
	e2e.SSH(t, u, "-tt", "--", "echo hello").Want(t, "hello\r\n", "", 0)
	var left []string
	e2e.Eventually(t, "the oldest recordings are gone", func() bool {
		left, _ = filepath.Glob(dir + "/session*.cast")
		return len(left) < 10
	})
	// 64 for the other user, 16 for each of the two sessions, and what is left of 300.
	e2e.Eventually(t, "as many as there is room for are left", func() bool {
		left, _ = filepath.Glob(dir + "/session*.cast")
		return len(left) == 3
	})
	for i, name := range left {
		if want := fmt.Sprintf("session%05s.cast", strings.Repeat("hij"[i:i+1], 5)); filepath.Base(name) != want {
			t.Errorf("left is %s, want %s", filepath.Base(name), want)
		}
	}
	for _, kept := range []string{live, others, foreign} {
		if _, err := os.Lstat(kept); err != nil {
			t.Error(err)
		}
	}
	if got := c.Run("echo still he\\re"); got != "still here" {
		t.Errorf("%q", got)
	}
	c.Line("exit")
	c.Wait()
	if _, all := events(t, live); !strings.Contains(output(all), "still here") {
		t.Error("the live session was not recorded to its end")
	}
}

// Through the setuid door nothing of dockersh outlives a session but what is still to be done.
func TestWhatTheLastSessionRecordedGoesAfterItsEnd(t *testing.T) {
	e2e.Run(t, e2e.RootDoors, "only root brokers record")
	u := e2e.NewUser(t)
	top := e2e.Recordings + "/of-" + u.Name
	u.Configure(t, "record = "+top+"/%u/%x.cast", "recordmax = 300k")
	e2e.CanLogIn(t, u)
	kept := putRecording(t, top+"/another", 0, 60)
	e2e.SSH(t, u, "-tt", "--", "head -c 500000 /dev/zero | tr '\\0' x >&2; echo; echo done")
	e2e.Eventually(t, "nothing is left of what is more than the limit", func() bool {
		left, _ := filepath.Glob(top + "/" + u.Name + "/*.cast")
		return len(left) == 0
	})
	if _, err := os.Lstat(kept); err != nil {
		t.Error(err)
	}
}
