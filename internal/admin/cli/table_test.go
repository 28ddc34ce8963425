package cli

import (
	"io"
	"testing"
)

// writes counts the writes to it: each is a system call.
type writes int

func (w *writes) Write(p []byte) (int, error) { *w++; return len(p), nil }

func TestTableIsWrittenAtOnce(t *testing.T) {
	rows := make([]int, 1000)
	column := Column[int]{Head: "A", Value: func(int) string { return "x" }}
	var w writes
	if err := PrintTable(&w, rows, []Column[int]{column, column}); err != nil || w != 1 {
		t.Errorf("%d writes, %v", w, err)
	}
	_, gone := io.Pipe()
	_ = gone.CloseWithError(io.ErrShortWrite)
	if err := PrintTable(gone, rows, []Column[int]{column}); err == nil {
		t.Error("no error of the writer")
	}
}
