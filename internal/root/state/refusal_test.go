package state

import (
	"os"
	"testing"
	"time"
)

func TestRefusalsOfManyProcessesAreOneAMinute(t *testing.T) {
	run := RunDir(t.TempDir())
	begin := time.Unix(1_800_000_000, 0)
	written, counted := 0, 0
	for n := range 1000 { // ten a second
		write, before, err := run.CountRefusal("7", begin.Add(time.Duration(n)*100*time.Millisecond), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if write {
			written++
			counted += before
		}
	}
	if written != 2 || counted != 599 {
		t.Errorf("%d are written, with the number %d", written, counted)
	}
	if write, before, err := run.CountRefusal("8", begin, time.Minute); !write || before != 0 || err != nil {
		t.Errorf("the first of another user: %v %d %v", write, before, err)
	}
	// The clock was set back.
	if write, _, err := run.CountRefusal("7", begin.Add(-time.Hour), time.Minute); !write || err != nil {
		t.Errorf("%v %v", write, err)
	}
	if all, err := os.ReadDir(string(run) + "/refused"); err != nil || len(all) != 2 {
		t.Errorf("left: %v %v", all, err)
	}
}
