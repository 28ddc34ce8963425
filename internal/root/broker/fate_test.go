package broker

import (
	"testing"

	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// Fronts may ask while nothing is wrong.
func TestWhyAsksTheEngineFewTimesHoweverManyAsk(t *testing.T) {
	w := newWorld(t)
	var all []channel.Conn
	for range 30 {
		all = append(all, w.enters())
	}
	before := w.engine.Calls("Find")
	for _, c := range all {
		if err := c.Send(&wire.Why{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range all {
		m, _, err := c.Recv()
		if r, ok := m.(*wire.Reason); err != nil || !ok || r.Text != "the session's container was restarted, or its agent killed" {
			t.Errorf("%#v %v", m, err)
		}
	}
	if n := w.engine.Calls("Find") - before; n > 4 {
		t.Errorf("the engine was asked %d times", n)
	}
}
