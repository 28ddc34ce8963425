package kubernetes

import (
	"bytes"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// reportOf runs a script on this host and returns its output and what was reported of it. The program
// must wait until its input is closed.
func reportOf(t *testing.T, shell []string, in []byte, script string, args ...string) (out, end string) {
	t.Helper()
	var kept bytes.Buffer
	r := &report{to: &kept, mark: []byte("MARK"), ended: make(chan []byte, 1)}
	argv := append(append(shell, "-c", reported, "sh", "MARK", strconv.Itoa(len(in)), script), args...)
	cmd := exec.Command(argv[0], argv[1:]...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = stdin.Write(in) }()
	over := make(chan error, 1)
	go func() {
		buf := make([]byte, 3)
		for {
			n, err := iotest.HalfReader(stdout).Read(buf)
			if _, err := r.Write(buf[:n]); err != nil {
				over <- err
				return
			}
			if err != nil {
				over <- nil
				return
			}
		}
	}()
	select {
	case text := <-r.ended:
		end = string(text)
	case err := <-over:
		t.Fatalf("it ended before the connection: %v", err)
	case <-time.After(30 * time.Second):
		t.Fatal("no report")
	}
	select {
	case <-over:
		t.Fatal("it ends before the connection")
	case <-time.After(20 * time.Millisecond):
	}
	_ = stdin.Close()
	if err := <-over; err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	return kept.String(), end
}

func TestScriptsReportTheirEndBeforeTheyEnd(t *testing.T) {
	for _, shell := range [][]string{{"/bin/sh"}, {"busybox", "sh"}} {
		for _, c := range []struct{ in, script, out, end string }{
			{"", `printf %s "$1"`, "a  b", "0 "},
			{"", `exit 44`, "", "44 "},
			{"", `echo why >&2; echo out; exec false`, "out\n", "1 why"},
			{"one\ntwo", "cat", "one\ntwo", "0 "},
			{"one\ntwo", `cat >/dev/null; printf 'M%s' ARMARMA`, "MARMARMA", "0 "},
			{strings.Repeat("x", 1<<20), "wc -c | tr -d ' '", "1048576\n", "0 "},
			{"unread", ":", "", "0 "},
		} {
			if out, end := reportOf(t, shell, []byte(c.in), c.script, "a  b"); out != c.out || end != c.end {
				t.Errorf("%s: %q: %q, %q", shell[0], c.script, out, end)
			}
		}
	}
}

func TestReportHasALimit(t *testing.T) {
	r := &report{to: &bytes.Buffer{}, mark: []byte("MARK"), ended: make(chan []byte, 1)}
	if _, err := r.Write([]byte("MARK" + strings.Repeat("x", maxReport+1))); err == nil {
		t.Error("it is kept")
	}
}
