package cli

import (
	"encoding/json"
	"io"

	"github.com/dockersh/dockersh/internal/proto/printable"
)

// PrintJSON prints a value as JSON on one line, in printable ASCII: what foreigners wrote
// stays as it is, and steers no terminal.
func PrintJSON(out io.Writer, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	_, err = out.Write(append(printable.JSON(text), '\n'))
	return err
}
