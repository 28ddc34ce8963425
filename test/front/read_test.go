package front_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// reader is the part of the program that reads messages, as a program of its own.
type reader struct {
	in  io.Writer
	out io.Reader
}

// newReader builds and starts it.
func newReader(t testing.TB) reader {
	t.Helper()
	path := filepath.Join(t.TempDir(), "read")
	const front = "../../front/"
	must(t, compile(path, "-I"+front, "testdata/read.c", front+"wire.c", front+"message.c", front+"clock.c", front+"terminal.c"))
	cmd := exec.Command(path)
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	var text bytes.Buffer
	cmd.Stderr = &text
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %s", err, &text)
		}
	})
	return reader{in, out}
}

// read returns the fields of a packet behind its kind, which are none if it is not a message.
func (r reader) read(t testing.TB, packet []byte) []byte {
	t.Helper()
	_, err := r.in.Write(append(binary.NativeEndian.AppendUint32(nil, uint32(len(packet))), packet...))
	must(t, err)
	var isMessage [1]byte
	if _, err := io.ReadFull(r.out, isMessage[:]); err != nil || isMessage[0] == 0 {
		must(t, err)
		return nil
	}
	var size [4]byte
	_, err = io.ReadFull(r.out, size[:])
	must(t, err)
	got := make([]byte, binary.NativeEndian.Uint32(size[:]))
	_, err = io.ReadFull(r.out, got)
	must(t, err)
	return got
}

// FuzzPacketsMeanTheSameInBothLanguages: what is a message in Go is one in C, with the same fields.
func FuzzPacketsMeanTheSameInBothLanguages(f *testing.F) {
	for _, m := range append(ofABroker, append(ofAnAgent, hello, exit)...) {
		f.Add(encode(f, m))
	}
	f.Add([]byte("\x00a\x1b\xff\xc3\xbc\u202e\ufffd\U000e0001\u0600"))
	r := newReader(f)
	f.Fuzz(func(t *testing.T, packet []byte) {
		if len(packet) == 0 || len(packet) > wire.MaxPacket/3 {
			return
		}
		var want []byte
		if packet[0] == 0 {
			text := printable.Text(string(packet[1:]))
			want = append(binary.LittleEndian.AppendUint32([]byte{0}, uint32(len(text))), text...)
		} else {
			switch m := decode(packet).(type) {
			case *wire.Progress, *wire.Ready, *wire.HostShell, *wire.Error, *wire.Reason, *wire.Hello, *wire.Started, *wire.Exit, *wire.ReadFile:
				want = encode(t, m)
			}
		}
		if got := r.read(t, packet); !bytes.Equal(got, want) {
			t.Errorf("%q means %q instead of %q", packet, got, want)
		}
	})
}
