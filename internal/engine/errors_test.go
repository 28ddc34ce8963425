package engine

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/dockersh/dockersh/internal/proto/usererr"
)

func TestEngineErrorsAreExplainedWithoutTheEnginesText(t *testing.T) {
	for _, c := range []struct {
		err  error
		code usererr.Code
		text string
	}{
		{ErrDown, usererr.Unavailable, "the container engine does not answer"},
		{ErrDenied, usererr.Unavailable, "no dockersh service runs, and you may not use the container engine yourself"},
		{context.DeadlineExceeded, usererr.Unavailable, "the container was not ready in time"},
		{context.Canceled, usererr.Unavailable, "the container was not ready in time"},
		{ErrOption, usererr.Settings, "the container engine refuses an option of the settings"},
		{ErrNameTaken, usererr.Container, "the container name is in use"},
		{ErrNotFound, usererr.Container, "otherwise"},
		{errors.New("x"), usererr.Container, "otherwise"},
	} {
		err := fmt.Errorf("%w: secret of the host", c.err)
		var e *usererr.Error
		if !errors.As(Explain(err, "otherwise"), &e) || e.Code != c.code || e.Text != c.text || e.Hint == "" || !errors.Is(e.Cause, err) {
			t.Errorf("%v: %+v", c.err, e)
		}
	}
}

func TestExplainedErrorStaysAsItIs(t *testing.T) {
	if err := Explain(nil, "otherwise"); err != nil {
		t.Errorf("no error became %v", err)
	}
	known := usererr.New(usererr.Denied, "no", "", ErrDown)
	if err := Explain(fmt.Errorf("a step: %w", known), "otherwise"); usererr.For(err) != known {
		t.Errorf("got %v", err)
	}
}

func TestClientsOpenEachEngineOnce(t *testing.T) {
	opened := 0
	c := &Clients{Open: func(Address) (Engine, error) { opened++; return struct{ Engine }{}, nil }}
	for _, host := range []string{"/a", "/b", "/a"} {
		if _, err := c.Get(Address{Host: host}); err != nil {
			t.Error(err)
		}
	}
	if opened != 2 {
		t.Errorf("opened %d times", opened)
	}
	if _, err := new(Clients).Get(Address{}); !errors.Is(err, ErrNoClient) {
		t.Errorf("without an opener: %v", err)
	}
}
