//go:build e2e

package e2e

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestTerminalOnlyWhenAsked(t *testing.T) {
	both(t, func(t *testing.T, u *account) {
		ssh(t, u, "-T", "--", "test -t 0 || test -t 1 || test -t 2 || echo none").want(t, "none\n", "", 0)
		// Without a terminal of the client's own -t asks for none.
		ssh(t, u, "-t", "--", "test -t 0 || echo none").want(t, "none\n", "", 0)
		ssh(t, u, "-tt", "--", "test -t 0 && test -t 1 && test -t 2 && echo all").want(t, "all\r\n", "", 0)
	})
}

func TestTerminalFromTheClientsTerminal(t *testing.T) {
	both(t, func(t *testing.T, u *account) {
		c := newConsole(t, 24, 80, sshArgv(u, "-t", "127.0.0.1", "test -t 0 && echo yes; exit 9")...)
		c.expect("yes")
		if status := c.wait(); status != 9 {
			t.Errorf("status %d, want 9", status)
		}
	})
}

func TestTTYNamesATerminalThatIsThere(t *testing.T) {
	both(t, func(t *testing.T, u *account) {
		r := ssh(t, u, "-tt", "--", `t=$(tty) && test -c "$t" && echo "$t" && echo through >"$t"`)
		if !regexp.MustCompile(`^/dev/pts/\d+\r\nthrough\r\n$`).MatchString(r.stdout) || r.status != 0 {
			t.Errorf("%q, %d", r.stdout, r.status)
		}
	})
}

func TestWindowSizeIsRightFromTheFirstByte(t *testing.T) {
	both(t, func(t *testing.T, u *account) {
		for _, size := range [][2]uint16{{24, 80}, {41, 133}, {3, 1000}} {
			c := newConsole(t, size[0], size[1], sshArgv(u, "-tt", "127.0.0.1", "stty size")...)
			want := strconv.Itoa(int(size[0])) + " " + strconv.Itoa(int(size[1]))
			c.expect(`(?m)^` + want + `\r$`)
			c.wait()
		}
	})
}

func TestWindowSizeFollowsEveryResize(t *testing.T) {
	both(t, func(t *testing.T, u *account) {
		c := sshConsole(t, u)
		c.login()
		for _, size := range [][2]uint16{{30, 90}, {50, 200}, {24, 80}} {
			c.size(size[0], size[1])
			want := strconv.Itoa(int(size[0])) + " " + strconv.Itoa(int(size[1]))
			eventually(t, "size "+want, func() bool { return c.run("stty size") == want })
		}
		// A shell without job control: all of it is in the foreground.
		c.line(`exec sh -c 'trap "stty size; exit 3" WINCH; echo rea\dy; while :; do sleep 0.1; done'`)
		c.expect("ready")
		c.size(33, 77)
		c.expect("33 77")
		if status := c.wait(); status != 3 {
			t.Errorf("status %d, want 3", status)
		}
	})
}

func TestTERMIsTheClients(t *testing.T) {
	both(t, func(t *testing.T, u *account) {
		if got := ssh(t, u, "-tt", "--", "echo $TERM"); strings.TrimSpace(got.stdout) == "" {
			t.Errorf("TERM is empty: %q", got.stdout)
		}
		c := sshConsole(t, u, "echo", "[$TERM]")
		c.expect(`\[xterm\]`)
	})
}

func TestLastBytesOfATerminalArrive(t *testing.T) {
	both(t, func(t *testing.T, u *account) {
		for range 5 {
			r := ssh(t, u, "-tt", "--", "head -c 200000 /dev/zero | tr '\\0' x; printf END; exit 6")
			if len(r.stdout) != 200_003 || !strings.HasSuffix(r.stdout, "xEND") || r.status != 6 {
				t.Errorf("%d bytes, end %q, status %d", len(r.stdout), r.stdout[max(0, len(r.stdout)-8):], r.status)
			}
		}
	})
}

func TestTerminalTakes200kB(t *testing.T) {
	const lines = 2000
	input := strings.Repeat(strings.Repeat("y", 99)+"\n", lines)
	both(t, func(t *testing.T, u *account) {
		c := sshConsole(t, u, "stty -echo; echo go; head -n", strconv.Itoa(lines), "| wc -c; exit 0")
		c.expect("go\r\n")
		go func() { _, _ = c.master.WriteString(input) }()
		c.expect(`(?m)^200000\r$`)
	})
}

func TestTerminalCarriesUTF8(t *testing.T) {
	both(t, func(t *testing.T, u *account) {
		c := sshConsole(t, u, "stty -echo; echo go; cat")
		c.expect("go\r\n")
		c.send("Grüße, 世界 🐚\r\x04")
		c.expect("Grüße, 世界 🐚\r\n")
		if status := c.wait(); status != 0 {
			t.Errorf("status %d", status)
		}
	})
}

func TestRawTerminalCarriesEveryByte(t *testing.T) {
	both(t, func(t *testing.T, u *account) {
		c := sshConsole(t, u, "stty raw -echo; echo go; head -c 255 | od -An -v -tu1 | tr -s ' \\n' ' '; echo end")
		c.expect("go\n")
		// ssh's own escape is a tilde after a newline: bytes in falling order
		// never make one. Byte 0 is left out: od pads nothing.
		var all strings.Builder
		for i := 255; i > 0; i-- {
			all.WriteByte(byte(i))
		}
		c.send(all.String())
		got := strings.Fields(c.expect(`(?s)^\s*(.*)end`)[1])
		if len(got) != 255 {
			t.Fatalf("%d numbers: %q", len(got), got)
		}
		for i, s := range got {
			if s != strconv.Itoa(255-i) {
				t.Errorf("byte %d is %s, want %d", i, s, 255-i)
			}
		}
	})
}
