package asciicast

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/dockersh/dockersh/internal/proto/printable"
)

func TestWrittenRecordingIsReadBackUnchanged(t *testing.T) {
	h := Header{Width: 80, Height: 24, Timestamp: 1, Title: `a "title" <&>`, Env: map[string]string{"TERM": "xterm", "SHELL": "/bin/sh"}}
	events := []Event{
		{0, Output, "\x1b[2J\"\\\r\n\t\x00\x7fGrüße 世界 🐚\u2028"},
		{1500 * time.Millisecond, Resize, SizeData(133, 41)},
		{90*time.Hour + time.Microsecond, Marker, "a gap"},
		{91 * time.Hour, "x", ""},
	}
	b := AppendHeader(nil, h)
	for _, e := range events {
		b = AppendEvent(b, e.At, e.Kind, e.Data)
	}
	d := NewDecoder(bytes.NewReader(b))
	if got, err := d.Header(); err != nil || !reflect.DeepEqual(got, h) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, want := range events {
		if got, err := d.Next(); err != nil || got != want {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
	}
	if _, err := d.Next(); err != io.EOF {
		t.Errorf("after the last: %v", err)
	}
	if w, h, ok := events[1].Size(); w != 133 || h != 41 || !ok {
		t.Errorf("%d %d %v", w, h, ok)
	}
}

// Other players read these lines, so every byte counts.
func TestLinesHaveTheDocumentedFormat(t *testing.T) {
	if got := string(AppendEvent(nil, 1234567*time.Microsecond, Output, "a\x1b\xffé\n")); got != `[1.234567, "o", "a\u001b\ufffdé\n"]`+"\n" {
		t.Errorf("%s", got)
	}
	if got := string(AppendHeader(nil, Header{Width: 80, Height: 24, Timestamp: 5})); got != `{"version":2,"width":80,"height":24,"timestamp":5}`+"\n" {
		t.Errorf("%s", got)
	}
}

// Somebody looks into the file with another program than a player.
func TestLineSteersNoTerminal(t *testing.T) {
	const data = "é\x1b]\x7f\u009b31m\u202e\u2066\U000e0041é"
	line := string(AppendEvent(nil, 0, Output, data))
	if strings.ContainsFunc(strings.TrimSuffix(line, "\n"), printable.IsUnsafe) || !strings.Contains(line, `é\u001b]\u007f\u009b31m\u202e\u2066\udb40\udc41é`) {
		t.Errorf("%q", line)
	}
	head := string(AppendHeader(nil, Header{Width: 80, Height: 24, Title: data, Env: map[string]string{"TERM": data}}))
	if strings.ContainsFunc(strings.TrimSuffix(head, "\n"), printable.IsUnsafe) {
		t.Errorf("%q", head)
	}
	d := NewDecoder(strings.NewReader(head + line))
	h, err := d.Header()
	e, err2 := d.Next()
	if err != nil || err2 != nil || h.Title != data || h.Env["TERM"] != data || e.Data != data {
		t.Errorf("%+v %+v, %v %v", h, e, err, err2)
	}
}

func TestInvalidLineIsReportedWithItsNumber(t *testing.T) {
	const head = `{"version": 2, "width": 80, "height": 24}` + "\n"
	for text, want := range map[string]string{
		"root:x:0:0\n":                                      "line 1: not a recording",
		`{"version":1}` + "\n":                              "line 1: version 1",
		`{"version":3}` + "\n":                              "line 1: a header of version 3 without term, the size of the terminal",
		`{"version":4}` + "\n":                              "line 1: version 4",
		"[1]\n":                                             "line 1: not a recording",
		"{\"version\":2,\"width\":-1}\n":                    "line 1: not a valid terminal size",
		head + "x\n":                                        "line 2: not an event",
		head + "[0,\"o\"]\n":                                "line 2: not an event",
		head + "[-1,\"o\",\"\"]\n":                          "line 2: not an event",
		head + "[1e300,\"o\",\"\"]\n":                       "line 2: not an event",
		head + "[null,\"o\",\"\"]\n":                        "line 2: not an event",
		head + "[0,\"o\",\"\"]\n[0,1,2]\n":                  "line 3: not an event",
		head + "\"" + strings.Repeat("x", maxLine) + "\"\n": "line 2: line too long",
	} {
		d := NewDecoder(strings.NewReader(text))
		_, err := d.Header()
		for err == nil {
			_, err = d.Next()
		}
		var wrong *Error
		if !errors.As(err, &wrong) || !strings.HasPrefix(wrong.Error(), want) {
			t.Errorf("%.60q: %v, want %s", text, err, want)
		}
	}
}

// The writer may have been killed: what is there counts.
func TestTimesOfVersion3AreSinceTheLastEvent(t *testing.T) {
	d := NewDecoder(strings.NewReader(`{"version": 3, "term": {"cols": 80, "rows": 24, "type": "xterm"}, "timestamp": 7}
[0.5, "o", "a"]
# a remark
[1.25, "o", "b"]

[0, "x", "0"]
`))
	h, err := d.Header()
	if err != nil || h.Width != 80 || h.Height != 24 || h.Timestamp != 7 {
		t.Fatalf("%+v %v", h, err)
	}
	for _, want := range []Event{{500 * time.Millisecond, "o", "a"}, {1750 * time.Millisecond, "o", "b"}, {1750 * time.Millisecond, "x", "0"}} {
		if e, err := d.Next(); err != nil || e != want {
			t.Errorf("%+v %v, want %+v", e, err, want)
		}
	}
	if _, err := d.Next(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

func TestIncompleteLastLineIsTheEnd(t *testing.T) {
	whole := AppendEvent(AppendHeader(nil, Header{Width: 80, Height: 24}), time.Second, Output, "hello")
	first := bytes.IndexByte(whole, '\n') + 1
	for n := range len(whole) {
		d := NewDecoder(bytes.NewReader(whole[:n]))
		_, err := d.Header()
		if n < first-1 && err != io.EOF || n >= first && err != nil {
			t.Errorf("%d bytes: header %v", n, err)
		}
		if n < first {
			continue
		}
		if e, err := d.Next(); err != io.EOF && (err != nil || n < len(whole)-1 || e.Data != "hello") {
			t.Errorf("%d bytes: %+v %v", n, e, err)
		}
	}
}

func TestSplitCharacterIsHeldBack(t *testing.T) {
	var text Text
	if got := text.Add([]byte("a\xe4\xb8")); string(got) != "a" {
		t.Errorf("%q", got)
	}
	if got := text.Add([]byte("\x96b\xf0")); string(got) != "世b" {
		t.Errorf("%q", got)
	}
	if got := text.Rest(); string(got) != "\xf0" {
		t.Errorf("%q", got)
	}
	if got := text.Rest(); len(got) != 0 {
		t.Errorf("%q twice", got)
	}
}

// However the bytes are cut into pieces, the result is the same bytes, and each piece
// is text if all of them are.
func FuzzText(f *testing.F) {
	f.Add([]byte("Grüße, 世界 🐚"), uint64(1))
	f.Add([]byte("\xff\xf0\x9f\x90\xe4\x80\xc3"), uint64(2))
	f.Fuzz(func(t *testing.T, all []byte, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 0))
		var text Text
		var got []byte
		for rest := all; len(rest) > 0; {
			n := 1 + r.IntN(min(len(rest), 5))
			got = append(got, text.Add(rest[:n])...)
			rest = rest[n:]
			if text.n >= utf8.UTFMax {
				t.Fatalf("%d bytes are held back", text.n)
			}
			if utf8.Valid(all) && !utf8.Valid(got) {
				t.Fatalf("%q has half a character of %q", got, all)
			}
		}
		if got = append(got, text.Rest()...); !bytes.Equal(got, all) {
			t.Fatalf("%q, want %q", got, all)
		}
	})
}

// Whatever the bytes, an event is one line of JSON with the same data.
func FuzzEvent(f *testing.F) {
	f.Add([]byte("\x1b[0m\r\n\"\\\x00\xff\xed\xa0\x80é"))
	f.Fuzz(func(t *testing.T, data []byte) {
		line := AppendEvent(nil, time.Second, Output, data)
		if bytes.Count(line, []byte("\n")) != 1 || !json.Valid(line) {
			t.Fatalf("%q", line)
		}
		e, err := NewDecoder(bytes.NewReader(line)).Next()
		if want := string([]rune(string(data))); err != nil || e.Data != want {
			t.Fatalf("%q, %v, want %q", e.Data, err, want)
		}
	})
}

// Whatever the file, the decoder returns events or an error, and each event can be
// written and read back.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("{\"version\":2,\"width\":80,\"height\":24}\n[0.1,\"o\",\"x\"]\n[1,\"r\",\"80x24\"]\n"))
	f.Add([]byte("{\"version\":2}\n\n[1e3,\"o\",\"\\ud800\"]"))
	f.Fuzz(func(t *testing.T, file []byte) {
		d := NewDecoder(bytes.NewReader(file))
		if _, err := d.Header(); err != nil {
			return
		}
		for {
			e, err := d.Next()
			if err != nil {
				return
			}
			if e.At < 0 || e.At > maxTime || !utf8.ValidString(e.Data) {
				t.Fatalf("%+v", e)
			}
			again, err := NewDecoder(bytes.NewReader(AppendEvent(nil, e.At, e.Kind, e.Data))).Next()
			if err != nil || again != e {
				t.Fatalf("%+v, then %+v, %v", e, again, err)
			}
		}
	})
}
