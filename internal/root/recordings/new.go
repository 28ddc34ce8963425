package recordings

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/trustedpath"
)

// maxOfOneName is how many recordings may differ by their number alone.
const maxOfOneName = 9999

// New makes a file that did not exist, in a directory that only root can change. If the name is
// taken a number is added. The file is locked as long as its descriptor or a copy of it is open,
// in any process: it is being written.
func New(path string) (*os.File, error) {
	if err := trustedpath.Make(filepath.Dir(path)); err != nil {
		return nil, err
	}
	for n := 1; n <= maxOfOneName; n++ {
		f, err := os.OpenFile(numbered(path, n), unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err != nil || lock(f) {
			return f, err
		}
		_ = f.Close()
	}
	return nil, fmt.Errorf("%d recordings have the name %s: put %%x into it", maxOfOneName, path)
}

// lock locks a new file; false if it was being removed before that. A file system that has no locks
// has none for who removes recordings either, and keeps them all.
func lock(f *os.File) bool {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	var st unix.Stat_t
	return !errors.Is(err, unix.EWOULDBLOCK) && unix.Fstat(int(f.Fd()), &st) == nil && st.Nlink > 0
}

const ext = ".cast"

func numbered(path string, n int) string {
	if n == 1 {
		return path
	}
	stem, ok := strings.CutSuffix(path, ext)
	if !ok {
		return fmt.Sprintf("%s.%d", path, n)
	}
	return fmt.Sprintf("%s.%d%s", stem, n, ext)
}

// unnumbered removes the number that numbered added; a name that has none stays as it is.
func unnumbered(name string) string {
	stem, cast := strings.CutSuffix(name, ext)
	at := strings.LastIndexByte(stem, '.')
	if at < 0 || at == len(stem)-1 || strings.Trim(stem[at+1:], "0123456789") != "" {
		return name
	}
	stem = stem[:at]
	if cast {
		return stem + ext
	}
	return stem
}
