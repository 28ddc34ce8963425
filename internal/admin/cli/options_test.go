package cli

import (
	"errors"
	"slices"
	"testing"
)

func TestOptionsStandAnywhereAmongTheWords(t *testing.T) {
	var on bool
	var one string
	var many []string
	o := Options{"--on": &on, "--one": &one, "--many": &many}
	words, err := o.Parse([]string{"a", "--many=x", "--on", "--one", "-1", "b", "--many", "y=z", "--", "--on=", "-"}, 0, -1)
	if err != nil || !slices.Equal(words, []string{"a", "b", "--on=", "-"}) || !on || one != "-1" || !slices.Equal(many, []string{"x", "y=z"}) {
		t.Errorf("%q %v: %v %q %q", words, err, on, one, many)
	}
	for _, bad := range [][]string{{"--off"}, {"--on=1"}, {"--one"}, {"a", "b", "c"}, {}} {
		if _, err := o.Parse(bad, 1, 2); !errors.Is(err, ErrMisuse) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
