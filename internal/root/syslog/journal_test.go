package syslog

import (
	"bytes"
	"errors"
	"log/slog"
	"log/syslog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestJournalIsFoundByItsSocket(t *testing.T) {
	for path, is := range map[string]bool{
		"/run/systemd/journal/stdout": true, "/run/systemd/journal.space/stdout": true,
		"/run/systemd/journal/socket": false, "/run/systemd/journalx/stdout": false, "/run/systemd/journal.a/b/stdout": false, "/run/other/stdout": false, "": false,
	} {
		if isJournalSocket(path) != is {
			t.Errorf("%q: %v", path, !is)
		}
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[1])
	socket := os.NewFile(uintptr(pair[0]), "socket")
	defer socket.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if isJournal(socket) || isJournal(null) || isJournal(&bytes.Buffer{}) {
		t.Error("found where there is none")
	}
}

func TestJournalHasEachLineOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	system, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer system.Close()
	for _, c := range []struct {
		what                     string
		journal, works, onStderr bool
	}{
		{"stderr is another log", false, true, true},
		{"stderr is the journal", true, true, false},
		{"the system log is away", true, false, true},
	} {
		w, err := syslog.Dial("unixgram", path, syslog.LOG_INFO, "test")
		if err != nil {
			t.Fatal(err)
		}
		if !c.works {
			if err := errors.Join(w.Close(), os.Remove(path)); err != nil {
				t.Fatal(err)
			}
		}
		var out bytes.Buffer
		l := start(&out, func() (*syslog.Writer, error) { return w, nil }, c.journal)
		slog.New(l.Handler()).Warn("refused")
		l.Flush(10 * time.Second)
		if onStderr := strings.Contains(out.String(), "msg=refused"); onStderr != c.onStderr {
			t.Errorf("%s: on stderr %v", c.what, onStderr)
		}
		if !c.works {
			continue
		}
		buf := make([]byte, 1000)
		_ = system.SetReadDeadline(time.Now().Add(10 * time.Second))
		if n, err := system.Read(buf); err != nil || !strings.Contains(string(buf[:n]), "msg=refused") {
			t.Errorf("%s: the system log has %q, %v", c.what, buf[:n], err)
		}
	}
}
