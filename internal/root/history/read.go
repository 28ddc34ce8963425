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

// Read gives all records in the order of time: those of the file, and of what
// was made of it by rotation: files whose names go on after it (sessions.log.1,
// sessions.log-20261124.gz), compressed with gzip or not. What is no record is
// passed over. Without any file there are none.
func Read(path string) ([]Record, error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []Record
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), filepath.Base(path)) || !e.Type().IsRegular() {
			continue
		}
		name := filepath.Join(filepath.Dir(path), e.Name())
		text, err := load(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // rotated meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for line := range bytes.Lines(text) {
			if r, ok := parse(string(line)); ok {
				all = append(all, r)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Record) int { return a.Time.Compare(b.Time) })
	return all, nil
}

// load reads a file. Of a gzip that is being written it gives what is there.
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
