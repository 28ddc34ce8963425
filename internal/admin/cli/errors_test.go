package cli

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/usererr"
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

func TestHintForAnEngineThatIsDownIsToLookAtTheHost(t *testing.T) {
	down := fmt.Errorf("engine /run/docker.sock: %w: connection refused", engine.ErrDown)
	const hint = "to see what has to be started, run: dockershctl doctor"
	var b strings.Builder
	PrintError(&b, Join(down))
	if want := "dockershctl: error: " + down.Error() + "\nhint: " + hint + "\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
	if got, want := OneLine(down), down.Error()+" ("+hint+")"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// An engine repeats what a user wrote.
func TestPrintedErrorSteersNoTerminal(t *testing.T) {
	var b strings.Builder
	PrintError(&b, Join(usererr.New(usererr.Denied, "no \x1b[2J", "run \u009b2J", nil), errors.New("one\n\u202etwo")))
	const want = "dockershctl: error: no ?[2J\nhint: run ?2J\ndockershctl: error: one\n?two\n"
	if b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}
