package history

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Each calls visit with each event of the file, and of files that rotation made of it: these have
// longer names (sessions.log.1, sessions.log-20261124.gz) and may be compressed with gzip. The oldest
// file comes first, and in a file the order is that of writing. Lines that are not events are
// skipped. A missing file, or a missing directory, has no events. However many events there are, one is
// in memory at a time.
func Each(path string, visit func(Event)) error {
	all, err := openAll(path)
	defer func() {
		for _, f := range all {
			_ = f.file.Close()
		}
	}()
	if err != nil {
		return err
	}
	for _, f := range all {
		ok, err := f.begin()
		for ; ok && err == nil; ok, err = f.advance() {
			visit(f.next)
		}
		if err != nil {
			return err
		}
		f.lines = nil
	}
	return nil
}

// part is a file that has a next event.
type part struct {
	file  *os.File
	lines *bufio.Reader
	next  Event
}

// maxLine is more bytes than two events have: one that was cut short, and one behind it.
const maxLine = 128 << 10

// maxListings is how often a directory is listed that rotation changes meanwhile.
const maxListings = 10

// openAll opens the files that have events, in the order of their first ones, but that which is being
// written last: a clock may have been wrong. All are opened before any is read, so that none is missed
// whose name rotation changes meanwhile.
func openAll(path string) (all []*part, err error) {
	for n, gone := 0, true; gone && err == nil && n < maxListings; n++ {
		for _, p := range all {
			_ = p.file.Close()
		}
		all, gone, err = openListed(path)
	}
	if err != nil {
		return all, err
	}
	opened := all
	all = nil
	for i, p := range opened {
		ok, err := p.begin()
		if err != nil {
			return append(all, opened[i:]...), err
		}
		p.lines = nil // until its turn comes: with a decompressor that is much, for many files
		if ok {
			all = append(all, p)
		} else {
			_ = p.file.Close()
		}
	}
	slices.SortStableFunc(all, func(a, b *part) int {
		if isLast := a.file.Name() == path; isLast != (b.file.Name() == path) {
			if isLast {
				return 1
			}
			return -1
		}
		return a.next.Time.Compare(b.next.Time)
	})
	return all, nil
}

// openListed opens the files of a directory; gone reports whether one is not there any more.
func openListed(path string) (all []*part, gone bool, err error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	plain := map[string]bool{}
	for _, entry := range entries {
		name := filepath.Join(filepath.Dir(path), entry.Name())
		if !strings.HasPrefix(entry.Name(), filepath.Base(path)) || !entry.Type().IsRegular() {
			continue
		}
		if of, ok := strings.CutSuffix(name, gz); ok && of != path && plain[of] {
			continue // it is being made of that one, whose name comes first
		}
		file, err := os.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			gone = true
			continue // rotated meanwhile
		}
		if err != nil {
			return all, gone, err
		}
		plain[name] = true
		all = append(all, &part{file: file})
	}
	return all, gone, nil
}

const gz = ".gz"

// begin reads the first event; false if there is none.
func (p *part) begin() (bool, error) {
	if _, err := p.file.Seek(0, io.SeekStart); err != nil {
		return false, err
	}
	p.lines = bufio.NewReaderSize(p.file, maxLine)
	if strings.HasSuffix(p.file.Name(), gz) {
		z, err := gzip.NewReader(p.lines)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return false, nil // it is being written
		}
		if err != nil {
			return false, fmt.Errorf("%s: %w", p.file.Name(), err)
		}
		p.lines = bufio.NewReaderSize(z, maxLine)
	}
	return p.advance()
}

// advance reads the next event; false at the end. Of a file that is being compressed that is the end
// of what is there.
func (p *part) advance() (bool, error) {
	for {
		line, err := p.lines.ReadSlice('\n')
		if e, ok := parse(string(line)); ok {
			p.next = e
			return true, nil
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return false, nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return false, fmt.Errorf("%s: %w", p.file.Name(), err)
		}
	}
}
