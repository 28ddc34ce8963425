package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// CountRefusal counts a refused login for processes that serve one login each: whose is the
// user, or what stands for several. It reports whether the refusal is to be written, since the
// last one that was is more than period ago, and how many were counted since then. Of two
// refusals at the same moment one may be counted alone.
func (d RunDir) CountRefusal(whose string, now time.Time, period time.Duration) (write bool, counted int, err error) {
	dir := filepath.Join(string(d), "refused") // for nobody else: it shows who was refused
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return true, 0, err
	}
	path := filepath.Join(dir, whose)
	var at int64
	text, err := os.Readlink(path)
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return true, 0, err
	}
	if _, err := fmt.Sscanf(text, "%d %d", &at, &counted); err != nil {
		at, counted = 0, 0 // there was none
	}
	if age := now.Sub(time.Unix(at, 0)); age < 0 || age >= period {
		return true, counted, d.writeRefusals(path, now.Unix(), 0)
	}
	return false, counted + 1, d.writeRefusals(path, at, counted+1)
}

func (d RunDir) writeRefusals(path string, at int64, counted int) error {
	return writeLink(path, fmt.Sprintf("%s.new-%d", path, os.Getpid()), fmt.Sprintf("%d %d", at, counted))
}
