package state

import (
	"os"
	"testing"
	"time"
)

func TestRecordingsAreLookedForByOneProcessAtATimeWithPauses(t *testing.T) {
	run := RunDir(t.TempDir())
	end, ok := run.BeginTrim()
	if !ok {
		t.Fatal("the first time")
	}
	if _, ok := run.BeginTrim(); ok {
		t.Error("two at a time")
	}
	end(time.Minute)
	if _, ok := run.BeginTrim(); ok {
		t.Error("within the pause")
	}
	past := time.Now().Add(-time.Second)
	if err := os.Chtimes(string(run)+"/trim", past, past); err != nil {
		t.Fatal(err)
	}
	if end, ok = run.BeginTrim(); !ok {
		t.Fatal("after the pause")
	}
	end(0)
	future := time.Now().Add(48 * time.Hour) // the clock was set back
	if err := os.Chtimes(string(run)+"/trim", future, future); err != nil {
		t.Fatal(err)
	}
	if end, ok = run.BeginTrim(); !ok {
		t.Fatal("after a change of the clock")
	}
	end(0)
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
