package look

import (
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
)

func TestPathsThatDoNotAnswerAreGivenUp(t *testing.T) {
	hung := make(chan bool)
	defer close(hung)
	var p userPaths
	start := time.Now()
	for range maxSlow {
		p.silent.Add(1) // as after so many
	}
	for range 10 {
		if p.try(t.Context(), func() { <-hung }) {
			t.Error("it answered")
		}
	}
	if d := time.Since(start); d < 10*shortLimit || d > 10*pathLimit {
		t.Errorf("it took %v", d)
	}
	if path, answered := p.realPath(t.Context(), t.TempDir()+"/../x/."); !answered || path == "" {
		t.Errorf("%q %v", path, answered)
	}
}

func TestDirectoriesThatDoNotExistAreMissing(t *testing.T) {
	dir := t.TempDir()
	got := new(userPaths).missing(t.Context(), []facts.Source{{Path: dir}, {Path: dir + "/none"}})
	if len(got) != 1 || got[0].Path != dir+"/none" {
		t.Errorf("%+v", got)
	}
}
