package e2e

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestTableOfExceptionsInPodsNamesTests(t *testing.T) {
	all, err := notInPods("not-in-pods.txt")
	if err != nil || len(all) == 0 {
		t.Fatal(len(all), err)
	}
	tests := declaredTests(t)
	for i, e := range all {
		name, _, _ := strings.Cut(e.test, "/")
		if !slices.ContainsFunc(tests, func(d declaredTest) bool { return d.folder == e.folder && d.name == name }) {
			t.Errorf("%s has no %s", e.folder, name)
		}
		if i > 0 && all[i-1].folder+all[i-1].test >= e.folder+e.test {
			t.Errorf("%s %s is not in order", e.folder, e.test)
		}
		if regexp.QuoteMeta(e.test) != e.test {
			t.Errorf("%s has characters of a pattern", e.test)
		}
	}
}

func TestPatternIsThatOfTheTestsAlone(t *testing.T) {
	got := pattern([]exception{{test: "TestA"}, {test: "TestB/part"}})
	if want := "^TestA$|^TestB$/^part$"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestVerdictIsThatOfTheNamedTest(t *testing.T) {
	out := []byte("=== RUN   TestA\n--- FAIL: TestAB (0.1s)\n    --- PASS: TestA/b (0.00s)\n--- SKIP: TestC (0.00s)\n")
	for test, want := range map[string]string{"TestAB": "FAIL", "TestA/b": "PASS", "TestC": "SKIP", "TestA": ""} {
		if got := verdictOf(out, test); got != want {
			t.Errorf("%s: %q, want %q", test, got, want)
		}
	}
}
