package player

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"time"
)

// follow reads a file that is being written, until nobody writes it any more. It
// gives whole lines only: what comes after the last of them may be taken back.
type follow struct {
	ctx  context.Context
	file *os.File
	live func() bool // somebody writes it

	at   int64  // of what was not yet read
	rest []byte // of what was
	buf  []byte
}

// look is how often a file is looked at.
const look = 50 * time.Millisecond

// longest is more than a line has, in bytes.
const longest = 1 << 20

func (f *follow) Read(p []byte) (int, error) {
	for ending := false; len(f.rest) == 0; {
		ok, err := f.lines()
		if err != nil {
			return 0, err
		}
		if ok {
			break
		}
		if ending {
			return 0, io.EOF
		}
		ending = !f.live() // and once more, for the last words
		select {
		case <-f.ctx.Done():
			return 0, f.ctx.Err()
		case <-time.After(look):
		}
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

// lines reads those that are whole; false if there is none.
func (f *follow) lines() (bool, error) {
	for size := 64 << 10; size <= longest; size *= 4 {
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
	return false, errors.New("a line that is too long")
}
