package bridge

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/proto/asciicast"
	"github.com/dockersh/dockersh/internal/proto/frames"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// recorded returns a recorder, and a function that returns what was recorded.
func recorded(t *testing.T, path string) (*recorder, func() []asciicast.Event) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	r := &recorder{fd: int(f.Fd()), log: slog.New(slog.DiscardHandler)}
	if err := r.start("title", &wire.Start{Rows: 24, Cols: 80, Path: "/bin/sh", Env: []string{"TERMX=x", "TERM=xterm", "TERM=dumb"}}); err != nil {
		t.Fatal(err)
	}
	return r, func() (all []asciicast.Event) {
		t.Helper()
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		d := asciicast.NewDecoder(f)
		if h, err := d.Header(); err != nil || h.Env["TERM"] != "xterm" || h.Width != 80 || h.Height != 24 {
			t.Errorf("%+v, %v", h, err)
		}
		for {
			e, err := d.Next()
			if errors.Is(err, io.EOF) {
				return all
			}
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, e)
		}
	}
}

// A pod's output that waited comes in one piece. A control character takes six bytes in the file.
func TestLongOutputIsRecordedInEventsThatCanBeRead(t *testing.T) {
	r, all := recorded(t, t.TempDir()+"/x")
	want := strings.Repeat("\x01世", frames.Window/4)
	if n, err := r.Write([]byte(want)); n != len(want) || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := r.Write(bytes.Repeat([]byte{1}, frames.Window)); n != frames.Window || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	var got strings.Builder
	for _, e := range all() {
		got.WriteString(e.Data)
	}
	if got.String() != want+strings.Repeat("\x01", frames.Window) {
		t.Errorf("%d bytes", got.Len())
	}
}

func TestOutputAndSizesAreRecordedInOrder(t *testing.T) {
	r, all := recorded(t, t.TempDir()+"/x")
	for _, s := range []string{"one", "half \xe4\xb8", "\x96", "\xf0\x9f"} {
		if n, err := r.Write([]byte(s)); n != len(s) || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
	r.resize(30, 90)
	r.close()
	var got []string
	for _, e := range all() {
		got = append(got, e.Kind+e.Data)
	}
	if want := "oone ohalf  o世 r90x30 o\ufffd\ufffd"; strings.Join(got, " ") != want {
		t.Errorf("%q, want %q", strings.Join(got, " "), want)
	}
}

// A reader of a recording sees only whole lines, however full the disk was.
func TestLineWithoutRoomIsTakenBack(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can mount")
	}
	dir := t.TempDir()
	if err := unix.Mount("small", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skip("cannot mount here: ", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	r, all := recorded(t, dir+"/x")
	line := strings.Repeat("x", 5000)
	for range 40 {
		_, _ = r.Write([]byte(line))
	}
	before := all()
	if n := len(before); n == 0 || n >= 40 || r.lost != (40-n)*5000 {
		t.Fatalf("%d lines, %d lost", len(before), r.lost)
	}
	r.tried = time.Time{}
	_, _ = r.Write([]byte("y")) // there is room for this line, but not for more
	if n := len(all()); n != len(before) {
		t.Errorf("%d lines, want %d", n, len(before))
	}
	r.resize(30, 90)
	if err := unix.Mount("small", dir, "tmpfs", unix.MS_REMOUNT, "size=4m"); err != nil {
		t.Fatal(err)
	}
	r.tried = time.Time{}
	_, _ = r.Write([]byte("z"))
	after := all()[len(before):]
	if len(after) != 3 || after[0].Kind != asciicast.Marker || after[1].Data != "90x30" || after[2].Data != "z" {
		t.Errorf("%+v", after)
	}
}
