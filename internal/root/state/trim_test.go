package state

import (
	"os"
	"testing"
	"time"
)

func TestRecordingsAreLookedForByOneProcessAtATimeWithPauses(t *testing.T) {
	run := RunDir(t.TempDir())
	end, ok := run.BeginTrim(0, 0)
	if !ok {
		t.Fatal("the first time")
	}
	if _, ok := run.BeginTrim(0, 0); ok {
		t.Error("two at a time")
	}
	end(time.Minute)
	if _, ok := run.BeginTrim(0, 0); ok {
		t.Error("within the pause")
	}
	past := time.Now().Add(-time.Second)
	if err := os.Chtimes(string(run)+"/trim", past, past); err != nil {
		t.Fatal(err)
	}
	if end, ok = run.BeginTrim(0, 0); !ok {
		t.Fatal("after the pause")
	}
	end(0)
	future := time.Now().Add(48 * time.Hour) // the clock was set back
	if err := os.Chtimes(string(run)+"/trim", future, future); err != nil {
		t.Fatal(err)
	}
	if end, ok = run.BeginTrim(0, 0); !ok {
		t.Fatal("after a change of the clock")
	}
	end(0)
}

func TestLookThatIsKilledIsFollowedByAPause(t *testing.T) {
	run := RunDir(t.TempDir())
	if _, ok := run.BeginTrim(time.Minute, 0); !ok {
		t.Fatal("the first time")
	}
	if st, err := os.Stat(string(run) + "/trim"); err != nil || time.Until(st.ModTime()) < 50*time.Second {
		t.Errorf("%v: the next look is at %v", err, st.ModTime())
	}
}

func TestLookWaitsForTheEndOfAPause(t *testing.T) {
	run := RunDir(t.TempDir())
	end, _ := run.BeginTrim(0, 0)
	end(300 * time.Millisecond)
	begun := time.Now()
	if _, ok := run.BeginTrim(0, 100*time.Millisecond); ok {
		t.Error("the pause is longer")
	}
	if end, ok := run.BeginTrim(0, time.Minute); !ok || time.Since(begun) < 200*time.Millisecond {
		t.Errorf("%v after %v", ok, time.Since(begun))
	} else {
		end(50 * time.Minute)
	}
	if _, ok := run.BeginTrim(0, time.Minute); ok {
		t.Error("within the pause")
	}
	ago := time.Now().Add(50 * time.Minute) // the clock was set back by that
	if err := os.Chtimes(string(run)+"/trim", ago, ago.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, ok := run.BeginTrim(0, 0); !ok {
		t.Error("after the clock was set back")
	}
}

func TestRecordedSessionsAreSeenByTheirLinks(t *testing.T) {
	run := RunDir(t.TempDir())
	if err := run.Make(); err != nil {
		t.Fatal(err)
	}
	s := Session{ID: "a", Container: "c.cast", Pid: os.Getpid(), Start: 1, Since: time.Now()}
	if err := run.Sessions().Add(s); err != nil {
		t.Fatal(err)
	}
	if run.Sessions().AnyRecorded() {
		t.Error("a container of that name")
	}
	if err := run.Sessions().SetRecording(&s, "/r/x.cast"); err != nil {
		t.Fatal(err)
	}
	if !run.Sessions().AnyRecorded() {
		t.Error("recorded")
	}
	run.Sessions().Remove(s)
	if run.Sessions().AnyRecorded() {
		t.Error("after its end")
	}
}
