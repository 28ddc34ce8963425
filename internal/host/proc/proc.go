// Package proc reads about processes in /proc (proc(5)).
package proc

import (
	"errors"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Stat is part of /proc/PID/stat. Pid and Start together identify a process: the kernel
// reuses numbers, but not at the same time.
type Stat struct {
	Pid    int
	Parent int
	Name   string // of the program, at most 15 bytes; the process can change it
	State  byte   // R, S, D, Z ...
	TTY    uint32 // device of the controlling terminal; 0 for none
	Start  uint64 // in clock ticks since boot
}

// ErrGone means that the process has ended, even if its parent has not waited for it.
var ErrGone = errors.New("no such process")

// Of returns the state of a process, or ErrGone.
func Of(pid int) (Stat, error) {
	var b [1024]byte
	text, err := readFile(pid, "stat", b[:])
	if err != nil {
		return Stat{}, err
	}
	s, err := parse(text)
	if err == nil && (s.State == 'Z' || s.State == 'X') {
		err = ErrGone
	}
	return s, err
}

// readFile returns what a file of a process begins with, as much as fits into b; ErrGone.
func readFile(pid int, name string, b []byte) (string, error) {
	// It is read at every login, and os.ReadFile takes three times as long.
	fd, err := unix.Open("/proc/"+strconv.Itoa(pid)+"/"+name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) {
		return "", ErrGone
	}
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	n, err := unix.Read(fd, b)
	if errors.Is(err, unix.ESRCH) {
		return "", ErrGone
	}
	if err != nil {
		return "", err
	}
	return string(b[:n]), nil
}

var errFormat = errors.New("the file in /proc is not as proc(5) says")

// parse parses the line. The second field is the name of the program in parentheses, which
// may contain anything, even parentheses and blanks.
func parse(line string) (s Stat, err error) {
	number, rest, ok := strings.Cut(line, " (")
	end := strings.LastIndex(rest, ") ")
	if !ok || end < 0 {
		return s, errFormat
	}
	f := strings.Fields(rest[end+2:]) // f[0] is the third field
	if len(f) < 20 || len(f[0]) != 1 {
		return s, errFormat
	}
	s.Name, s.State = strings.Clone(rest[:end]), f[0][0] // a broker keeps it
	var errs [4]error
	s.Pid, errs[0] = strconv.Atoi(number)
	s.Parent, errs[1] = strconv.Atoi(f[1])
	tty, err := strconv.ParseInt(f[4], 10, 64) // signed in the kernel
	s.TTY, errs[2] = uint32(tty), err
	s.Start, errs[3] = strconv.ParseUint(f[19], 10, 64)
	if errors.Join(errs[:]...) != nil {
		return s, errFormat
	}
	return s, nil
}
