package scp

import (
	"errors"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// control is what a client sends before a file (C) or a directory (D).
type control struct {
	kind byte
	mode uint32
	size int64
	name string
}

var errControl = errors.New("protocol error: expected control record")

// parseControl reads "C0644 123 name". The name is one name: no path, and none that leads
// elsewhere (CVE-2018-20685 and CVE-2019-6111 are of this class).
func parseControl(line string) (control, error) {
	c := control{}
	if line == "" || line[0] != 'C' && line[0] != 'D' {
		return c, errControl
	}
	c.kind = line[0]
	mode, rest, _ := strings.Cut(line[1:], " ")
	size, name, ok := strings.Cut(rest, " ")
	if !ok || len(mode) != 4 || !digits(mode) || !digits(size) {
		return c, errControl
	}
	bits, err := strconv.ParseUint(mode, 8, 32)
	if err != nil {
		return c, errors.New("protocol error: bad mode")
	}
	if c.size, err = strconv.ParseInt(size, 10, 64); err != nil {
		return c, errors.New("protocol error: size out of range")
	}
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
		return c, errors.New("error: unexpected filename: " + name)
	}
	c.mode, c.name = uint32(bits), name
	return c, nil
}

// parseTimes reads "T1183832947 0 1183832948 0": the times of change and of access, in
// seconds and microseconds.
func parseTimes(line string) (access, change unix.Timeval, err error) {
	bad := errors.New("protocol error: bad times")
	f := strings.Split(strings.TrimPrefix(line, "T"), " ")
	if len(f) != 4 {
		return access, change, bad
	}
	var n [4]int64
	for i, word := range f {
		if n[i], err = strconv.ParseInt(word, 10, 64); err != nil || i%2 == 1 && (n[i] < 0 || n[i] > 999999) {
			return access, change, bad
		}
	}
	return unix.Timeval{Sec: n[2], Usec: n[3]}, unix.Timeval{Sec: n[0], Usec: n[1]}, nil
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
