package player

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// follower reads a file that is being written, until its writer has ended. It returns
// whole lines only: the writer may take back what comes after the last of them.
type follower struct {
	ctx  context.Context
	file *os.File
	live func() bool // reports whether the writer has not ended

	at   int64  // offset of what is not read yet
	rest []byte // read, and not returned yet
	buf  []byte
}

const (
	followEvery = 50 * time.Millisecond // between two looks at the file
	maxLine     = 1 << 20               // bytes; more than the writer puts into one
)

func (f *follower) Read(p []byte) (int, error) {
	for ending := false; len(f.rest) == 0; {
		ok, err := f.readLines()
		if err != nil {
			return 0, err
		}
		if ok {
			break
		}
		if ending {
			return 0, io.EOF
		}
		ending = !f.live() // then read once more, for what came last
		select {
		case <-f.ctx.Done():
			return 0, f.ctx.Err()
		case <-time.After(followEvery):
		}
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

// readLines reads the whole lines at the end of the file, and reports whether there are
// any.
func (f *follower) readLines() (bool, error) {
	for size := 64 << 10; size <= maxLine; size *= 4 {
		if len(f.buf) < size {
			f.buf = make([]byte, size)
		}
		n, err := f.file.ReadAt(f.buf, f.at)
		if err != nil && !errors.Is(err, io.EOF) {
			return false, err
		}
		if whole := bytes.LastIndexByte(f.buf[:n], '\n') + 1; whole > 0 {
			f.rest = f.buf[:whole]
			f.at += int64(whole)
			return true, nil
		}
		if n < len(f.buf) {
			return false, nil
		}
	}
	return false, fmt.Errorf("a line is longer than %d bytes", maxLine)
}
