package cli

import (
	"testing"
)

func TestHintForAnUnknownWordNamesTheLikestOrTheCommandThatListsAll(t *testing.T) {
	user := Selection{User: "dockersh-nobody"}
	for _, c := range []struct {
		err  error
		hint string
	}{
		{Unknown("no", "alcie", []string{"bob", "alice"}, "dockershctl ls"), "did you mean alice?"},
		{Unknown("no", "alice", nil, "dockershctl ls"), "to list them, run: dockershctl ls"},
		{UnknownSession("x", nil), "to list them, run: dockershctl sessions"},
		{user.CheckUser(t.Context(), nil), "to list them, run: getent passwd"},
	} {
		if got := hintOf(c.err); got != c.hint {
			t.Errorf("%v: %q, want %q", c.err, got, c.hint)
		}
	}
}
