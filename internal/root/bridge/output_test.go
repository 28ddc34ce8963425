package bridge

import (
	"os"
	"strings"
	"testing"
)

// The terminal echoes the line that the prelude waits for: that is not output.
func TestOutputIsWhatFollowsTheLine(t *testing.T) {
	for _, c := range []struct {
		parts []string
		echo  int
		want  string
	}{
		{[]string{"LINE\nout", "put"}, 0, "output"},
		{[]string{"LI", "NE\r\n", "\r\n", "\r\nx"}, 2, "\r\nx"},
		{[]string{"LINE\r\n", "\r", "\n", "x"}, 2, "x"},
		{[]string{"LINE\r\n", "\nx"}, 2, "x"},
		{[]string{"LINE\r\n", "x\r\n"}, 2, "x\r\n"},
	} {
		p, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		o := &output{to: &sink{fd: int(w.Fd()), broken: func() { t.Error("broken") }}, first: make(chan string, 1), echo: c.echo}
		for _, part := range c.parts {
			if n, err := o.Write([]byte(part)); n != len(part) || err != nil {
				t.Errorf("%q: %d %v", part, n, err)
			}
		}
		_ = w.Close()
		got := make([]byte, 100)
		n, _ := p.Read(got)
		_ = p.Close()
		if string(got[:n]) != c.want || strings.TrimSuffix(<-o.first, "\r") != "LINE" {
			t.Errorf("%q: %q, want %q", c.parts, got[:n], c.want)
		}
	}
}
