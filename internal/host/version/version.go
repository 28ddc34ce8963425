// Package version knows the version of the running program: the Makefile's VERSION,
// or else what the go command wrote into the program (go version -m shows it), which
// for go install is the version asked for.
package version

import (
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// magic begins the build information in a program, which debug/buildinfo describes.
// runtime/debug reads it too, but links fmt, which is too much for a login shell.
const magic = "\xff Go buildinf:"

var number string // set at link time

// Get returns the version of this program, or "unknown".
func Get() string {
	if number != "" {
		return number
	}
	fd, err := unix.Open("/proc/self/exe", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return unknown
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return unknown
	}
	size := uintptr(st.Size) // megabytes, of which few are looked at
	at, err := unix.MmapPtr(fd, 0, nil, size, unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		return unknown
	}
	defer func() { _ = unix.MunmapPtr(at, size) }()
	return strings.Clone(find(unsafe.String((*byte)(at), size)))
}

const unknown = "unknown"

// find returns the second field behind "mod", the module's path being the first. The
// magic is in the program once more, as the constant above, but the build
// information is in the data segment, which comes last.
func find(exe string) string {
	_, info, _ := strings.Cut(exe[max(0, strings.LastIndex(exe, magic)):], "\nmod\t")
	line, _, _ := strings.Cut(info, "\n")
	fields := strings.Split(line, "\t")
	if len(fields) < 2 || fields[1] == "" {
		return unknown
	}
	return fields[1]
}
