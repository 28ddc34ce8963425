package history

import (
	"bytes"
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

// Read returns all events in the order of time: those of the file, and those of files
// that rotation made of it. These have longer names (sessions.log.1,
// sessions.log-20261124.gz) and may be compressed with gzip. Read skips lines that are
// not events. A missing file, or a missing directory, has no events.
func Read(path string) ([]Event, error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []Event
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), filepath.Base(path)) || !entry.Type().IsRegular() {
			continue
		}
		name := filepath.Join(filepath.Dir(path), entry.Name())
		text, err := load(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // rotated meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for line := range bytes.Lines(text) {
			if e, ok := parse(string(line)); ok {
				all = append(all, e)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Event) int { return a.Time.Compare(b.Time) })
	return all, nil
}

// load reads a file. Of a gzip file that is being written it returns what is there.
func load(name string) ([]byte, error) {
	text, err := os.ReadFile(name)
	if err != nil || !strings.HasSuffix(name, ".gz") {
		return text, err
	}
	z, err := gzip.NewReader(bytes.NewReader(text))
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	text, err = io.ReadAll(z)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return text, err
}
