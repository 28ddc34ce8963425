package engine

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestManualPageListsEveryLabel(t *testing.T) {
	source, err := os.ReadFile("labels.go")
	if err != nil {
		t.Fatal(err)
	}
	manual, err := os.ReadFile("../../docs/man/dockershd.8")
	if err != nil {
		t.Fatal(err)
	}
	labels := regexp.MustCompile(`= "(dockersh\.\w+)"`).FindAllSubmatch(source, -1)
	if len(labels) != 19 {
		t.Errorf("found %d labels", len(labels))
	}
	for _, l := range labels {
		if !strings.Contains(string(manual), ".It Li "+string(l[1])+"\n") {
			t.Errorf("dockershd(8) does not list %s", l[1])
		}
	}
}
