package lifecycle

import (
	"testing"
	"time"
)

// A user who logs in ten thousand times has as many containers, one after the other.
func TestContainersThatAreGoneAreForgotten(t *testing.T) {
	var j jobs
	j.asked = map[string]time.Time{"now": time.Now(), "gone": time.Now().Add(-time.Hour)}
	j.forgetOldQuestions()
	if _, now := j.asked["now"]; !now || len(j.asked) != 1 {
		t.Errorf("%v", j.asked)
	}
}

func TestFailureIsNewsOnce(t *testing.T) {
	var j jobs
	for i, failed := range []bool{true, true, false, false, true} {
		if news := j.setFailed("c", failed); news != (i != 1 && i != 3) {
			t.Errorf("step %d: news %v", i, news)
		}
	}
}

func TestNoWorkBeginsAfterStop(t *testing.T) {
	var j jobs
	if !j.begin("c") || j.begin("c") || !j.begin("d") {
		t.Error("one piece of work for each container at a time")
	}
	j.end("c")
	j.end("d")
	j.stop()
	if j.begin("c") || j.add() {
		t.Error("work began after stop")
	}
}
