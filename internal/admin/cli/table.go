package cli

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/dockersh/dockersh/internal/proto/printable"
)

// Column is a column of a table of rows.
type Column[Row any] struct {
	Head  string
	Value func(Row) string // empty: unknown, or there is none
	Hide  bool
}

// PrintTable prints a heading and a line for each row, with all that is unsafe for a
// terminal replaced. An empty value is shown as "-", but for the last column.
func PrintTable[Row any](out io.Writer, rows []Row, columns []Column[Row]) error {
	var table bytes.Buffer // the writer writes each cell by itself
	w := tabwriter.NewWriter(&table, 0, 8, 2, ' ', 0)
	line := func(cell func(Column[Row]) string) {
		var cells []string
		for i, c := range columns {
			if c.Hide {
				continue
			}
			text := printable.Text(cell(c))
			if i < len(columns)-1 {
				text = cmp.Or(text, "-")
			}
			cells = append(cells, text)
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	line(func(c Column[Row]) string { return c.Head })
	for _, r := range rows {
		line(func(c Column[Row]) string { return c.Value(r) })
	}
	_ = w.Flush()
	_, err := table.WriteTo(out)
	return err
}
