package recordings

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

func newKeeper(t *testing.T, run state.RunDir, limits func() ([]policy.RecordLimit, error)) (*Keeper, *bytes.Buffer) {
	t.Helper()
	log := &bytes.Buffer{}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	return &Keeper{Context: ctx, State: run, Limits: limits, Log: slog.New(slog.NewTextHandler(log, nil))}, log
}

func TestOneOfSeveralProcessesLooksForOldRecordings(t *testing.T) {
	top := rootOnly(t)
	limits := func() ([]policy.RecordLimit, error) {
		return []policy.RecordLimit{{Template: top + "/%u/%x.cast", Most: 100 << 10}}, nil
	}
	run := state.RunDir(t.TempDir())
	one, log := newKeeper(t, run, limits)
	other, _ := newKeeper(t, run, limits)
	for n := range 3 {
		put(t, top+"/alice/"+id(n)+".cast", 64, n)
	}
	if !one.trim(0) || len(left(t, top)) != 1 {
		t.Errorf("left: %q", left(t, top))
	}
	if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, `msg="recordings removed" directory=`+top+`/alice number=2 bytes=13`) {
		t.Errorf("%s", text)
	}
	put(t, top+"/alice/"+id(4)+".cast", 64, 4)
	if other.trim(0) || one.trim(0) || len(left(t, top)) != 2 {
		t.Error("without a pause")
	}
	past := time.Now().Add(-time.Second)
	if err := os.Chtimes(string(run)+"/trim", past, past); err != nil {
		t.Fatal(err)
	}
	if !other.trim(0) || len(left(t, top)) != 1 {
		t.Error("after the pause")
	}
}

func TestFailureToLookIsLoggedOnce(t *testing.T) {
	top := rootOnly(t)
	if err := os.Chmod(top, 0o777); err != nil {
		t.Fatal(err)
	}
	run := state.RunDir(t.TempDir())
	k, log := newKeeper(t, run, func() ([]policy.RecordLimit, error) {
		return []policy.RecordLimit{{Template: top + "/%u/%x.cast", Most: 1}}, nil
	})
	for range 3 {
		if err := os.RemoveAll(string(run) + "/trim"); err != nil || !k.trim(0) {
			t.Fatal(err)
		}
	}
	if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, top) {
		t.Errorf("%s", text)
	}
}

func TestKeeperLooksWhenARecordingIsMade(t *testing.T) {
	asked, run := make(chan struct{}), state.RunDir(t.TempDir())
	k, _ := newKeeper(t, run, func() ([]policy.RecordLimit, error) {
		_ = os.Remove(string(run) + "/trim") // and so there is no pause
		asked <- struct{}{}
		return nil, errors.New("settings with an error")
	})
	for n := range 3 {
		k.Started()
		select {
		case <-asked:
		case <-time.After(20 * time.Second):
			t.Fatalf("not the %dth time", n+1)
		}
	}
}

func TestErrorsOfPlacesAndSettingsAreLoggedOnceUntilTheyEnd(t *testing.T) {
	one, two := rootOnly(t), rootOnly(t)
	run := state.RunDir(t.TempDir())
	wrong := errors.New("wrong settings")
	var failed error
	k, log := newKeeper(t, run, func() ([]policy.RecordLimit, error) {
		if failed != nil {
			return nil, failed
		}
		return []policy.RecordLimit{{Template: one + "/%u/%x.cast", Most: 1}, {Template: two + "/%u/%x.cast", Most: 1}}, nil
	})
	look := func() {
		t.Helper()
		for range 3 {
			if err := os.RemoveAll(string(run) + "/trim"); err != nil || !k.trim(0) {
				t.Fatal(err)
			}
		}
	}
	for n := range 2 {
		log.Reset()
		for _, err := range []error{os.Chmod(one, 0o777), os.Chmod(two, 0o777)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		look()
		if text := log.String(); strings.Count(text, "\n") != 2 || strings.Count(text, one) != 1 || strings.Count(text, two) != 1 {
			t.Errorf("%d: %s", n, text)
		}
		for _, err := range []error{os.Chmod(one, 0o700), os.Chmod(two, 0o700)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		look()
		log.Reset()
		failed = wrong
		look()
		failed = nil
		look()
		if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, wrong.Error()) {
			t.Errorf("%d: %s", n, text)
		}
	}
}

// A broker of one session lives as long as that, and so would each look.
func TestShortSessionsDoNotKeepOldRecordings(t *testing.T) {
	top := rootOnly(t)
	for n := range 2000 {
		put(t, top+"/alice/"+id(n)+".cast", 1, n)
	}
	run := state.RunDir(t.TempDir())
	begun := make(chan struct{}, 9)
	k, _ := newKeeper(t, run, func() ([]policy.RecordLimit, error) {
		begun <- struct{}{}
		return []policy.RecordLimit{{Template: top + "/%u/%x.cast", Most: 160 << 10}}, nil
	})
	k.Started()
	<-begun
	k.Finish(0)
	if n := len(left(t, top)); n != 10 {
		t.Errorf("%d are left", n)
	}
}

func TestWhatTheLastSessionRecordedIsLookedAtAfterItsEnd(t *testing.T) {
	top := rootOnly(t)
	limits := func() ([]policy.RecordLimit, error) {
		return []policy.RecordLimit{{Template: top + "/%u/%x.cast", Most: 32 << 10}}, nil
	}
	run := state.RunDir(t.TempDir())
	end, ok := run.BeginTrim(0, 0)
	if !ok {
		t.Fatal("another looks")
	}
	end(time.Second)
	for n := range 4 {
		put(t, top+"/alice/"+id(n)+".cast", 1, n)
	}
	k, _ := newKeeper(t, run, limits)
	k.Finish(time.Minute)
	if n := len(left(t, top)); n != 4 {
		t.Errorf("nothing was recorded, and %d are left", n)
	}
	k.Started()
	k.Finish(time.Minute)
	if n := len(left(t, top)); n != 2 {
		t.Errorf("%d are left", n)
	}
	put(t, top+"/alice/"+id(5)+".cast", 1, 5)
	begun := time.Now()
	k.Finish(0)
	if n := len(left(t, top)); n != 3 || time.Since(begun) > minPause/2 {
		t.Errorf("within the pause %d are left, after %v", n, time.Since(begun))
	}
}

func TestKeeperLeavesAloneWhatHasAnotherLimit(t *testing.T) {
	top := rootOnly(t)
	for n := range 4 {
		put(t, top+"/audited/"+id(n)+".cast", 64, n)
		put(t, top+"/alice/"+id(n)+".cast", 64, n)
	}
	k, _ := newKeeper(t, state.RunDir(t.TempDir()), func() ([]policy.RecordLimit, error) {
		return []policy.RecordLimit{{Template: top + "/%u/%x.cast", Most: 64 << 10, Others: []string{top + "/audited/%x.cast"}}}, nil
	})
	if !k.trim(0) || len(left(t, top)) != 5 {
		t.Errorf("left: %q", left(t, top))
	}
}
