package fate

import (
	"errors"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/engine/enginetest"
)

func TestEngineWithoutAnAnswerIsAskedAgain(t *testing.T) {
	e := enginetest.New()
	e.Fail("Find", errors.New("container state improper"))
	time.AfterFunc(300*time.Millisecond, func() { e.Fail("Find", nil) })
	if got := Of(t.Context(), e, "gone", false); got != "the container was removed" {
		t.Errorf("it says %q", got)
	}
}
