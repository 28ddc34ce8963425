package explain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/settings"
)

// finding is one error of a settings file.
type finding struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Col  int    `json:"column"`
	Text string `json:"text"`
	Hint string `json:"hint,omitempty"`
}

// check reads the file that logins read, or another one before it is installed.
func Check(_ context.Context, out io.Writer, args []string) error {
	asJSON := false
	words, err := cli.Options{"--json": &asJSON}.Parse(args, 0, 1)
	if err != nil {
		return err
	}
	var name string
	if len(words) == 1 {
		name = words[0]
		err = checkFile(name)
	} else {
		name = installed()
		_, err = (&settings.Source{Paths: paths.Settings()}).Load()
	}
	found := findings(err)
	if err != nil && found == nil {
		return err // not an error in the file's text
	}
	if asJSON {
		if found == nil {
			found = []finding{}
		}
		if err := json.NewEncoder(out).Encode(found); err != nil {
			return err
		}
	} else {
		for _, f := range found {
			fmt.Fprintf(out, "%s:%d:%d: %s\n", f.File, f.Line, f.Col, f.Text)
			if f.Hint != "" {
				fmt.Fprintf(out, "    hint: %s\n", f.Hint)
			}
		}
		if found == nil {
			fmt.Fprintf(out, "%s: no errors\n", name)
		}
	}
	if found != nil {
		return cli.ErrReported
	}
	return nil
}

// installed names the settings file that counts.
func installed() string {
	for _, p := range paths.Settings() {
		if _, err := os.Lstat(p); !errors.Is(err, fs.ErrNotExist) {
			return p
		}
	}
	return "built-in defaults (no " + paths.Settings()[0] + ")"
}

func checkFile(name string) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	file, err := config.Parse(name, b)
	if err != nil {
		return err
	}
	// What only shows once everything is merged, for a user of no group.
	_, err = settings.Written(file, "", "")
	return err
}

func findings(err error) []finding {
	var all config.Errors
	if !errors.As(err, &all) {
		var one *config.Error
		if !errors.As(err, &one) {
			return nil
		}
		all = config.Errors{one}
	}
	var out []finding
	for _, e := range all {
		out = append(out, finding{e.Origin.File, e.Origin.Line, e.Origin.Col, e.Text, e.Hint})
	}
	return out
}
