package environ

import (
	"slices"
	"testing"
)

func TestFirstEntryOfAVariableCounts(t *testing.T) {
	env := []string{"A", "AB=x", "A=1=2", "A=3", "EMPTY=", "=odd"}
	for _, c := range []struct {
		name, value string
		ok          bool
	}{
		{"A", "1=2", true}, {"AB", "x", true}, {"EMPTY", "", true}, {"B", "", false}, {"A=1", "", false},
	} {
		if value, ok := Lookup(env, c.name); value != c.value || ok != c.ok || Get(env, c.name) != c.value {
			t.Errorf("%s: got %q, %v", c.name, value, ok)
		}
	}
}

func TestOverlayReplacesVariablesOfTheSameName(t *testing.T) {
	base := []string{"A=1", "B=2", "A=3", "C"}
	got := Overlay(base, "A=4", "C=5", "D=6")
	if want := []string{"B=2", "A=4", "C=5", "D=6"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if want := []string{"A=1", "B=2", "A=3", "C"}; !slices.Equal(base, want) {
		t.Errorf("the base became %q", base)
	}
}
