package state

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/dockersh/dockersh/internal/host/proc"
)

// AcquireReverse returns the file that names the container's reverse forwards, with its lock, for
// the caller to carry those of process 1. If another process carries them, the file is nil, and
// carried is what was passed to WriteReverse. A process that carries those of an earlier start is
// about to end: AcquireReverse waits for it, until ctx ends.
func (l LastStart) AcquireReverse(ctx context.Context, one proc.Stat) (file *os.File, carried []string, err error) {
	path := l.dir.file("reverse")
	for {
		fd, err := openLocked(path)
		if err == nil {
			return os.NewFile(uintptr(fd), path), nil, nil
		}
		if !errors.Is(err, errLocked) {
			return nil, nil, err
		}
		text, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, nil, err
		}
		line, whole := strings.CutSuffix(string(text), "\n") // it may be on its way
		if start, forwards, _ := strings.Cut(line, " "); whole && start == processText(one) {
			return nil, strings.Fields(forwards), nil
		}
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// WriteReverse writes which forwards the holder of the file that AcquireReverse returned carries.
func (l LastStart) WriteReverse(file *os.File, one proc.Stat, carried []string) error {
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err := file.WriteAt([]byte(processText(one)+" "+strings.Join(carried, " ")+"\n"), 0)
	return err
}
