package bringup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/trustedpath"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// createRecording makes the file of a session's recording, and writes beside the session
// entry which it is. Without one there is no session.
func (b *Bringup) createRecording(l Login) (*os.File, error) {
	if err := policy.AdmitRecording(os.Geteuid()); err != nil {
		return nil, err
	}
	file, err := newRecording(l.Plan.Record)
	if err == nil {
		err = b.State.Sessions().SetRecording(l.Session, file.Name())
		if err != nil {
			_ = os.Remove(file.Name())
			_ = file.Close()
		}
	}
	if err != nil {
		return nil, usererr.New(usererr.Unavailable, "this session cannot be recorded", usererr.ReadLog, err)
	}
	b.Log.Info("session recorded", "uid", l.Session.UID, "user", l.Session.User, "container", l.Plan.Container, "pid", l.Session.Pid,
		"file", file.Name())
	return file, nil
}

// maxOfOneName is how many recordings may differ by their number alone.
const maxOfOneName = 9999

// newRecording makes a file that did not exist, in a directory that only root can
// change. If the name is taken a number is added.
func newRecording(path string) (*os.File, error) {
	if err := trustedpath.Make(filepath.Dir(path)); err != nil {
		return nil, err
	}
	for n := 1; n <= maxOfOneName; n++ {
		f, err := os.OpenFile(numbered(path, n), unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
		if !errors.Is(err, os.ErrExist) {
			return f, err
		}
	}
	return nil, fmt.Errorf("%d recordings have the name %s: put %%x into it", maxOfOneName, path)
}

func numbered(path string, n int) string {
	const ext = ".cast"
	if n == 1 {
		return path
	}
	stem, ok := strings.CutSuffix(path, ext)
	if !ok {
		return fmt.Sprintf("%s.%d", path, n)
	}
	return fmt.Sprintf("%s.%d%s", stem, n, ext)
}
