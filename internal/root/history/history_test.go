package history

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

var when = time.Date(2026, 11, 24, 12, 0, 0, 5e6, time.UTC)

func place(t testing.TB) string {
	return filepath.Join(t.TempDir(), "log", "sessions.log")
}

func add(t *testing.T, path string, all ...Event) {
	t.Helper()
	for _, r := range all {
		if err := Append(path, r); err != nil {
			t.Fatal(err)
		}
	}
}

func read(t *testing.T, path string) (all []Event) {
	t.Helper()
	if err := Each(path, func(e Event) { all = append(all, e) }); err != nil {
		t.Fatal(err)
	}
	return all
}

func ids(t *testing.T, path string) string {
	t.Helper()
	var b strings.Builder
	for _, r := range read(t, path) {
		b.WriteString(r.ID)
	}
	return b.String()
}

func start(id string, seconds int) Event {
	return Event{Time: when.Add(time.Duration(seconds) * time.Second), Kind: Start, ID: id}
}

func TestEventIsReadBackAsItWasWritten(t *testing.T) {
	path, exit := place(t), 7
	want := []Event{
		{Time: when, Kind: Start, ID: "a", User: `DOM\jörg`, UID: 1<<32 - 1, Door: "service", Client: "2001:db8::1", Key: "x-_", Container: "c",
			Image: "sha256:1", TTY: "pts/3", Pid: 7, Terminal: true, Command: "echo \x1b[2J\n\u009b\u202e😀 {\"time\":\"", Cut: true},
		{Time: when.Add(time.Second), Kind: End, ID: "a", Since: when, Exit: &exit},
		{Time: when.Add(2 * time.Second), Kind: Refused, Reason: "x"},
	}
	add(t, path, want...)
	if got := read(t, path); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	text, err := os.ReadFile(path)
	if err != nil || strings.Trim(strings.ReplaceAll(string(text), "\n", ""), printables) != "" || strings.Count(string(text), "\n") != 3 {
		t.Errorf("%v: %q", err, text)
	}
}

const printables = ` !"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_` + "`abcdefghijklmnopqrstuvwxyz{|}~"

func TestOnlyTheWriterMayReadTheFile(t *testing.T) {
	path := place(t)
	add(t, path, start("a", 0))
	for name, mode := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700 | os.ModeDir} {
		if st, err := os.Stat(name); err != nil || st.Mode() != mode {
			t.Errorf("%s: %v %v", name, st.Mode(), err)
		}
	}
}

func TestNothingIsWrittenWhereOthersCanReachIt(t *testing.T) {
	for what, prepare := range map[string]func(dir, file string) error{
		"a directory that others read": func(dir, _ string) error { return os.Mkdir(dir, 0o755) },
		"a link in its place":          func(dir, _ string) error { return os.Symlink(t.TempDir(), dir) },
		"a file in its place":          func(dir, _ string) error { return os.WriteFile(dir, nil, 0o600) },
		"a link in place of the file": func(dir, file string) error {
			return errors.Join(os.Mkdir(dir, 0o700), os.Symlink("elsewhere", file))
		},
		"a fifo in place of the file": func(dir, file string) error {
			return errors.Join(os.Mkdir(dir, 0o700), unix.Mkfifo(file, 0o600))
		},
		"a directory in place of the file": func(_, file string) error { return os.MkdirAll(file, 0o700) },
	} {
		path := place(t)
		if err := prepare(filepath.Dir(path), path); err != nil {
			t.Fatal(err)
		}
		if err := Append(path, start("a", 0)); err == nil {
			t.Errorf("%s: it was written", what)
		}
	}
}

func TestTruncatedLineSpoilsNoOther(t *testing.T) {
	path := place(t)
	add(t, path, start("a", 0))
	whole := string(encode(start("x", 1)))
	for cut := 1; cut < len(whole); cut += 7 {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(whole[:cut]); err != nil {
			t.Fatal(err)
		}
		f.Close()
		add(t, path, start("b", 2))
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got := ids(t, path)
	if n := strings.Count(got, "b"); n < 10 || strings.ReplaceAll(got, "b", "") != "a" || strings.Count(string(text), "\n"+begin) < n {
		t.Errorf("got %q of\n%s", got, text)
	}
	// Two writers may both find the last line whole, and one of them be cut short.
	if r, ok := parse(whole[:30] + whole); !ok || r.ID != "x" {
		t.Errorf("got %+v", r)
	}
}

func TestLinesOfSeveralWritersDoNotMix(t *testing.T) {
	path := place(t)
	r := start("a", 0)
	r.Command = strings.Repeat("\n", 4096)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			for range 20 {
				if err := Append(path, r); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if got := ids(t, path); got != strings.Repeat("a", 400) {
		t.Errorf("%d events", len(got))
	}
}

func TestRotatedFilesAreReadInTheOrderOfTime(t *testing.T) {
	path := place(t)
	add(t, path, start("a", 0), start("b", 1))
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path + ".2.gz")
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(f)
	if _, err := z.Write(text); err != nil || z.Close() != nil || f.Close() != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	add(t, path, start("c", 2))
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	add(t, path, start("d", 3))
	if err := os.WriteFile(path+".3.gz", nil, 0o600); err != nil { // being written
		t.Fatal(err)
	}
	if got := ids(t, path); got != "abcd" {
		t.Errorf("got %q", got)
	}
	if got := ids(t, place(t)); got != "" {
		t.Errorf("without a file: %q", got)
	}
}

func TestSessionsArePutTogetherFromTheirEvents(t *testing.T) {
	exit := 0
	var c Collector
	for _, e := range []Event{
		{Time: when, Kind: Start, ID: "a"}, {Time: when, Kind: Start, ID: "b"}, {Time: when, Kind: Refused},
		{Time: when, Kind: Start, ID: "b"}, // read twice, while it was rotated
		{Time: when.Add(time.Second), Kind: End, ID: "b", Exit: &exit},
		{Time: when.Add(2 * time.Second), Kind: End, ID: "b"},
		{Time: when.Add(3 * time.Second), Kind: End, ID: "old", Since: when.Add(-time.Hour), Signal: "TERM"},
		{Time: when, Kind: Start, ID: "c"}, {Time: when, Kind: End, ID: "c", Lost: "the container was stopped"},
		{Time: when, Kind: Start, ID: "d"}, {Time: when, Kind: End, ID: "d"}, {Time: when, Kind: HostShell},
	} {
		c.Add(e)
	}
	all := c.Sessions()
	var got []string
	for _, s := range all {
		got = append(got, s.Status(true))
	}
	want := "signal TERM,still in,exit 0,refused,lost,unknown,host shell"
	if strings.Join(got, ",") != want || !all[2].Until.Equal(when.Add(time.Second)) || !all[0].Time.Equal(when.Add(-time.Hour)) || all[1].Status(false) != "unknown" {
		t.Errorf("got %q: %+v", got, all)
	}
}

func TestFailureToWriteIsLoggedOnceAndLostEventsAreCounted(t *testing.T) {
	var b strings.Builder
	path := filepath.Join(t.TempDir(), "not", "there", "sessions.log")
	l := Open(path, slog.New(slog.NewTextHandler(&b, nil)))
	for range 5 {
		l.Put(start("a", 0))
	}
	l.Flush(10 * time.Second)
	if n := strings.Count(b.String(), "cannot be written"); n != 1 {
		t.Errorf("logged %d times: %s", n, b.String())
	}
	if err := os.Mkdir(filepath.Dir(filepath.Dir(path)), 0o700); err != nil {
		t.Fatal(err)
	}
	l.Put(start("b", 0))
	l.Flush(10 * time.Second)
	if !strings.Contains(b.String(), "number=5") || ids(t, path) != "b" {
		t.Errorf("%q: %s", ids(t, path), b.String())
	}
}

func FuzzParse(f *testing.F) {
	f.Add(string(encode(start("a", 0))), "")
	f.Add(`{"time":"2026-11-24T12:00:00Z","event":"end","uid":7,"exit":3}`, `{"time":"2026-11`)
	f.Add(`{"time":"2026-11-24T12:00:00Z","event":"end","uid":-1}`, "\xff\x00")
	f.Fuzz(func(t *testing.T, line, half string) {
		r, ok := parse(line)
		if !ok {
			return
		}
		r.Time, r.Since = r.Time.UTC().Truncate(time.Millisecond), r.Since.UTC().Truncate(time.Millisecond)
		text := string(encode(r))
		if again, ok := parse(text); text != "" && (!ok || !reflect.DeepEqual(again, r)) {
			t.Errorf("%q: %+v, again %+v", line, r, again)
		}
		// Whatever stands before an event, it is read.
		if again, ok := parse(half + text); text != "" && (!ok || !reflect.DeepEqual(again, r)) {
			t.Errorf("behind %q: %+v", half, again)
		}
	})
}

func FuzzEncode(f *testing.F) {
	f.Add("a\nb\x1b[2J\u009b\xff😀")
	f.Add(begin)
	f.Fuzz(func(t *testing.T, s string) {
		text := string(encode(Event{Time: when, Kind: Start, Command: s, User: s}))
		if body, ok := strings.CutSuffix(text, "\n"); !ok || strings.Trim(body, printables) != "" {
			t.Fatalf("%q", text)
		}
		if r, ok := parse(text); !ok || utf8.ValidString(s) && r.Command != s {
			t.Errorf("%q became %q", s, r.Command)
		}
	})
}

func TestSessionsSinceATimeAreThoseThatWereLiveThen(t *testing.T) {
	at := func(n int) time.Time { return when.Add(time.Duration(n) * time.Hour) }
	c := Collector{Since: at(10), Live: map[string]bool{"goes on": true}, Keep: func(e Event) bool { return e.User != "bob" }}
	for _, e := range []Event{
		{Time: at(0), Kind: Start, ID: "goes on", Client: "c"}, {Time: at(1), Kind: Start, ID: "lost"}, {Time: at(2), Kind: Start, ID: "over"},
		{Time: at(3), Kind: Start, ID: "was live", Client: "c"}, {Time: at(4), Kind: Start, ID: "bob", User: "bob"}, {Time: at(5), Kind: Refused, ID: "old"},
		{Time: at(6), Kind: End, ID: "over"},
		{Time: at(2), Kind: Start, ID: "over"}, {Time: at(3), Kind: Start, ID: "was live"}, // again, while files are rotated
		{Time: at(10), Kind: Refused, ID: "refused"}, {Time: at(11), Kind: End, ID: "was live"}, {Time: at(12), Kind: Start, ID: "lost later"},
		{Time: at(13), Kind: End, ID: "bob", User: "bob"},
	} {
		c.Add(e)
	}
	if n := len(c.open); n != 4 {
		t.Errorf("%d sessions are kept as open", n)
	}
	var got []string
	for _, s := range c.Sessions() {
		got = append(got, s.ID+s.Client)
	}
	if want := "goes onc,was livec,refused,lost later"; strings.Join(got, ",") != want {
		t.Errorf("%q", got)
	}
}

// A year of a busy host is more than its memory.
func TestHistoryIsReadInLittleMemory(t *testing.T) {
	path := place(t)
	add(t, path, start("a", 0))
	var lines []byte
	for n := range 10_000 {
		e := start(strings.Repeat("x", 12), n)
		e.Command = strings.Repeat("y", 1000)
		lines = append(lines, encode(e)...)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(lines); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".1.gz", packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	size := len(lines)
	lines = nil
	runtime.GC()
	var most, before runtime.MemStats
	runtime.ReadMemStats(&before)
	n := 0
	if err := Each(path, func(Event) {
		if n++; n%2000 == 0 {
			runtime.GC()
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			most.HeapAlloc = max(most.HeapAlloc, now.HeapAlloc)
		}
	}); err != nil || n != 10_001 {
		t.Fatalf("%d events, %v", n, err)
	}
	if grown := int64(most.HeapAlloc) - int64(before.HeapAlloc); grown > 4<<20 || size < 10<<20 {
		t.Errorf("%d MB more in memory, for %d MB", grown>>20, size>>20)
	}
}

func TestFileThatIsBeingCompressedIsReadOnce(t *testing.T) {
	path := place(t)
	add(t, path, start("a", 0))
	if err := os.Rename(path, path+".2"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path + ".2")
	if err != nil {
		t.Fatal(err)
	}
	add(t, path, start("b", 1))
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(text); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	for n := range packed.Len() + 1 {
		if err := os.WriteFile(path+".2.gz", packed.Bytes()[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if got := ids(t, path); got != "ab" {
			t.Fatalf("%d bytes are compressed: %q", n, got)
		}
	}
	if err := os.Remove(path + ".2"); err != nil {
		t.Fatal(err)
	}
	if got := ids(t, path); got != "ab" {
		t.Errorf("when it is compressed: %q", got)
	}
}

func packed(t *testing.T, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(text); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// As logrotate(8) does it, between the listing of the directory and the opening.
func TestFileThatWasCompressedMeanwhileIsRead(t *testing.T) {
	path := place(t)
	add(t, path, start("b", 1))
	text := encode(start("a", 0))
	if err := os.WriteFile(path+".1.gz", packed(t, text), 0o600); err != nil {
		t.Fatal(err)
	}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
			}
			for _, err := range []error{
				os.WriteFile(path[:len(path)-1], text, 0o600), os.Rename(path[:len(path)-1], path+".1"), os.Remove(path + ".1"),
			} {
				if err != nil {
					t.Error(err)
					return
				}
			}
		}
	}()
	missed := 0
	for range 500 {
		if ids(t, path) != "ab" {
			missed++
		}
	}
	close(stop)
	<-done
	if missed > 0 {
		t.Errorf("missed %d times", missed)
	}
}

// A host without a battery begins in 1970, or long after today.
func TestWrongClockTurnsNoSessionRound(t *testing.T) {
	path, exit := place(t), 7
	wrong := start("wrong", 1e6)
	open := start("a", 0)
	open.Client, open.Command = "192.0.2.1", "make"
	add(t, path, wrong, open)
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	add(t, path, Event{Time: when.Add(time.Second), Kind: End, ID: "a", Since: when, Exit: &exit})
	if got := ids(t, path); got != "wronga"+"a" {
		t.Errorf("%q", got)
	}
	if err := os.Rename(path+".1", path+".2"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	var c Collector
	if err := Each(path, c.Add); err != nil {
		t.Fatal(err)
	}
	for _, s := range c.Sessions() {
		if s.ID == "a" && (s.Client != open.Client || s.Command != "make" || s.Exit == nil || *s.Exit != 7 || !s.Ended || !s.Time.Equal(when) || s.Kind != Start) {
			t.Errorf("%+v", s)
		}
	}
}

func TestStartAfterItsEndIsPutTogetherWithIt(t *testing.T) {
	var c Collector
	for _, e := range []Event{
		{Time: when.Add(time.Hour), Kind: End, ID: "c", Connection: true, Since: when},
		{Time: when.Add(time.Hour), Kind: End, ID: "s", Since: when, Signal: "TERM"},
		{Time: when.Add(time.Hour), Kind: End, ID: "alone", Connection: true, Since: when},
		{Time: when, Kind: Start, ID: "c", Connection: true, Client: "x"},
		{Time: when, Kind: Start, ID: "s", Client: "y"}, {Time: when, Kind: Start, ID: "s", Client: "z"},
	} {
		c.Add(e)
	}
	var got []string
	for _, s := range c.Sessions() {
		got = append(got, s.ID+" "+s.Client+" "+s.Status(true))
	}
	slices.Sort(got)
	if want := "c x closed,s y signal TERM"; strings.Join(got, ",") != want {
		t.Errorf("%q", got)
	}
}

func TestManyCompressedFilesTakeLittleMemory(t *testing.T) {
	path := place(t)
	add(t, path, start("z", 1000))
	for n := range 100 {
		text := append(encode(start("a", n)), encode(start("b", n))...)
		if err := os.WriteFile(fmt.Sprintf("%s.%d.gz", path, n+1), packed(t, text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	n := 0
	if err := Each(path, func(Event) {
		if n++; n == 3 {
			runtime.GC()
			runtime.ReadMemStats(&now)
		}
	}); err != nil || n != 201 {
		t.Fatalf("%d events, %v", n, err)
	}
	if grown := int64(now.HeapAlloc) - int64(before.HeapAlloc); grown > 4<<20 {
		t.Errorf("%d MB more in memory", grown>>20)
	}
}

// Whatever is in a file, the events on lines of their own behind it are read.
func FuzzEach(f *testing.F) {
	f.Add([]byte("\x1f\x8b\x08\x00"), false)
	f.Add([]byte(strings.Repeat("x", 3*maxLine)), true)
	f.Add(encode(start("z", 0))[:40], true)
	f.Fuzz(func(t *testing.T, text []byte, packed bool) {
		path := place(t)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		name, all := path, append(append(slices.Clone(text), '\n'), encode(start("last", 5))...)
		if packed {
			name += ".1.gz"
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			if _, err := z.Write(all); err != nil || z.Close() != nil {
				t.Fatal(err)
			}
			all = b.Bytes()
		}
		if err := os.WriteFile(name, all, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := ids(t, path); !strings.HasSuffix(got, "last") {
			t.Errorf("%q", got)
		}
		// Bytes that are no gzip are an error, or nothing.
		if err := os.WriteFile(path+".2.gz", text, 0o600); err != nil {
			t.Fatal(err)
		}
		_ = Each(path, func(Event) {})
	})
}
