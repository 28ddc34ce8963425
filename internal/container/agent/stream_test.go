package agent

import (
	"os"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/proto/frames"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// The connection of a host that lost its power stays open.
func TestClientThatIsSilentIsGone(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	s := &streamed{gone: make(chan struct{}), credit: frames.NewCredit(), alive: 300 * time.Millisecond}
	go s.read(r)
	if _, err := w.Write(frames.Append(nil, frames.Alive, nil)); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.gone:
	case <-time.After(10 * time.Second):
		t.Error("it is waited for")
	}
}

func TestFramesThatDoNotBelongEndTheClient(t *testing.T) {
	message := func(m wire.Message) []byte {
		p, err := wire.Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		return frames.Append(nil, frames.Message, p)
	}
	for what, stream := range map[string][]byte{
		"input before the start":  frames.Append(nil, frames.Input, []byte("x")),
		"a start without a user":  message(&wire.Start{Path: "/bin/true", Argv: []string{"true"}}),
		"a signal before a start": message(&wire.Signal{Number: 1}),
		"another message":         message(&wire.Count{}),
		"no message":              frames.Append(nil, frames.Message, []byte("\xff")),
		"output":                  frames.Append(nil, frames.Output, nil),
		"output that nobody sent": frames.Append(nil, frames.Taken, frames.Number(1)),
		"garbage":                 []byte("garbage"),
	} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		s := &streamed{gone: make(chan struct{}), credit: frames.NewCredit(), alive: time.Minute}
		go s.read(r)
		if _, err := w.Write(stream); err != nil {
			t.Fatal(err)
		}
		select {
		case <-s.gone:
		case <-time.After(10 * time.Second):
			t.Errorf("%s: it goes on", what)
		}
		_ = w.Close()
	}
}
