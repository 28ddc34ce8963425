package metrics

import (
	"path/filepath"
	"reflect"
	"testing"

	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// service is a service that answers with answer, or ends the connection.
func service(t *testing.T, answer wire.Message) (socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "s")
	fd, err := seqpacket.Bind(socket, 0o600, 8)
	if err != nil {
		t.Fatal(err)
	}
	l, err := seqpacket.NewListener(fd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	var packet []byte
	if answer != nil {
		if packet, err = wire.Encode(answer); err != nil {
			t.Fatal(err)
		}
	}
	go func() {
		raw, err := l.Accept()
		if err != nil {
			return
		}
		c := channel.Conn{Socket: raw}
		defer c.Close()
		if m, _, err := c.Recv(); err != nil || !reflect.DeepEqual(m, &wire.ReadCounters{Version: wire.Version}) {
			t.Errorf("%#v, %v", m, err)
		}
		if packet != nil {
			_ = c.Socket.Send(packet)
		}
	}()
	return socket
}

func TestCountersComeFromTheService(t *testing.T) {
	want := &wire.Counters{Started: 7, Refused: []uint64{1}, Warm: []uint64{2}, Cold: []uint64{}}
	if got, err := readCounters(service(t, want)); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, answer := range []wire.Message{nil, &wire.Error{Text: "no"}, &wire.Progress{}} {
		if got, err := readCounters(service(t, answer)); err == nil {
			t.Errorf("%#v: %+v", answer, got)
		}
	}
	if _, err := readCounters(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a service that is not there answered")
	}
}
