package state

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/dockersh/dockersh/internal/host/proc"
)

// LastStart is what is known of the last start of a container.
type LastStart struct{ dir ContainerDir }

// SetVerified notes that the container's mounts are in place since process 1 was started.
// The caller holds the lock.
func (l LastStart) SetVerified(one proc.Stat) error {
	return l.dir.writeLink("verified", processText(one))
}

// IsVerified reports whether SetVerified was called for this process 1.
func (l LastStart) IsVerified(one proc.Stat) bool {
	text, err := os.Readlink(l.dir.file("verified"))
	return err == nil && text == processText(one)
}

// Process returns process 1 of the last start whose mounts were looked at. It may have ended;
// ErrGone if there was none.
func (l LastStart) Process() (proc.Stat, error) {
	text, err := os.Readlink(l.dir.file("verified"))
	if err != nil {
		return proc.Stat{}, proc.ErrGone
	}
	pid, start, _ := strings.Cut(text, ":")
	var p proc.Stat
	var pidErr, startErr error
	p.Pid, pidErr = strconv.Atoi(pid)
	p.Start, startErr = strconv.ParseUint(start, 10, 64)
	return p, errors.Join(pidErr, startErr)
}

func processText(p proc.Stat) string {
	return strconv.Itoa(p.Pid) + ":" + strconv.FormatUint(p.Start, 10)
}

// MountSource is a directory of the host that is mounted into a container, as it was when the
// container was started. Another directory may be there by now: mounted again, or made
// again.
type MountSource struct {
	Path     string
	Dev, Ino uint64
}

// Sources returns what was mounted into the container when it was started; nil if that is
// nothing, or not known.
func (l LastStart) Sources() (all []MountSource) {
	text, err := os.ReadFile(l.dir.file("sources"))
	if err != nil {
		return nil
	}
	for entry := range strings.SplitSeq(strings.TrimSuffix(string(text), "\x00"), "\x00") {
		numbers, path, _ := strings.Cut(entry, " ")
		dev, ino, _ := strings.Cut(numbers, ":")
		s := MountSource{Path: path}
		var devErr, inoErr error
		s.Dev, devErr = strconv.ParseUint(dev, 10, 64)
		s.Ino, inoErr = strconv.ParseUint(ino, 10, 64)
		if devErr != nil || inoErr != nil {
			return nil
		}
		all = append(all, s)
	}
	return all
}

// HasSources reports whether a directory of the host is mounted, as far as is known.
func (l LastStart) HasSources() bool {
	_, err := os.Lstat(l.dir.file("sources"))
	return err == nil
}

// SetSources writes what is mounted into the container. The caller holds the lock.
func (l LastStart) SetSources(all []MountSource) error {
	if len(all) == 0 {
		return unlink(l.dir.file("sources"))
	}
	var text strings.Builder
	for _, s := range all {
		fmt.Fprintf(&text, "%d:%d %s\x00", s.Dev, s.Ino, s.Path) // a path can have any byte but this
	}
	if err := os.WriteFile(l.dir.file("sources.new"), []byte(text.String()), 0o600); err != nil {
		return err
	}
	return os.Rename(l.dir.file("sources.new"), l.dir.file("sources"))
}
