package state

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Source is a directory of the host that is mounted into a container, as it was when the
// container was started. Another directory may be there by now: mounted again, or made
// again.
type Source struct {
	Path     string
	Dev, Ino uint64
}

// Sources returns what was mounted into the container when it was started; nil if that is
// nothing, or not known.
func (c ContainerDir) Sources() (all []Source) {
	text, err := os.ReadFile(c.file("sources"))
	if err != nil {
		return nil
	}
	for entry := range strings.SplitSeq(strings.TrimSuffix(string(text), "\x00"), "\x00") {
		numbers, path, _ := strings.Cut(entry, " ")
		dev, ino, _ := strings.Cut(numbers, ":")
		s := Source{Path: path}
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
func (c ContainerDir) HasSources() bool {
	_, err := os.Lstat(c.file("sources"))
	return err == nil
}

// SetSources writes what is mounted into the container. The caller holds the lock.
func (c ContainerDir) SetSources(all []Source) error {
	if len(all) == 0 {
		return unlink(c.file("sources"))
	}
	var text strings.Builder
	for _, s := range all {
		fmt.Fprintf(&text, "%d:%d %s\x00", s.Dev, s.Ino, s.Path) // a path can have any byte but this
	}
	if err := os.WriteFile(c.file("sources.new"), []byte(text.String()), 0o600); err != nil {
		return err
	}
	return os.Rename(c.file("sources.new"), c.file("sources"))
}
