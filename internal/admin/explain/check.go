package explain

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/admin/installed"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/settings"
	"github.com/dockersh/dockersh/internal/rules/syntax"
)

// finding is an error in a settings file.
type finding struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Col  int    `json:"column"`
	Text string `json:"text"`
	Hint string `json:"hint,omitempty"`
}

// Check is the command check: it shows the errors in the file that logins read, or in
// another one before it is installed. Groups are those of this host. With --engine the settings
// are tried, too.
func Check(ctx context.Context, env cli.Env, args []string) error {
	asJSON, tries := false, false
	words, err := cli.Options{"--json": &asJSON, "--engine": &tries}.Parse(args, 0, 1)
	if err == nil && tries {
		err = cli.RequireRoot("check --engine")
	}
	if err != nil {
		return err
	}
	var name string
	var file *config.File
	if len(words) == 1 {
		name = words[0]
		file, err = parse(ctx, name)
	} else {
		name = installedFile()
		if file, err = installed.Settings(); err == nil {
			err = checkSections(ctx, file)
		}
	}
	if err == nil && tries {
		err = tryEngines(ctx, env, file)
	}
	found := findings(err)
	if err != nil && found == nil {
		return err // the file cannot be read
	}
	if asJSON {
		if found == nil {
			found = []finding{}
		}
		if err := cli.PrintJSON(env.Out, found); err != nil {
			return err
		}
	} else {
		for _, f := range found {
			fmt.Fprintf(env.Out, "%s:%d:%d: %s\n", printable.Text(f.File), f.Line, f.Col, printable.Text(f.Text))
			if f.Hint != "" {
				fmt.Fprintf(env.Out, "    hint: %s\n", printable.Text(f.Hint))
			}
		}
		if found == nil {
			fmt.Fprintf(env.Out, "%s: no errors\n", printable.Text(name))
		}
	}
	if found != nil {
		return cli.ErrReported
	}
	return nil
}

// installedFile returns the name of the settings file that logins read.
func installedFile() string {
	for _, p := range paths.Settings() {
		if _, err := os.Lstat(p); !errors.Is(err, fs.ErrNotExist) {
			return p
		}
	}
	return "built-in defaults (no " + paths.Settings()[0] + ")"
}

// checkGroups returns the errors of sections with groups that this host does not have.
func checkGroups(ctx context.Context, file *config.File) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	err := installed.Accounts(time.Minute).FindGroups(ctx, file.Groups())
	var lost *account.NoGroupError
	if errors.As(err, &lost) {
		return settings.GroupErrors(file, lost)
	}
	return err
}

// parse reads a settings file, and returns the errors in it.
func parse(ctx context.Context, name string) (*config.File, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	file, err := settings.Parse(name, b)
	if err != nil {
		return nil, err
	}
	// Some errors show only once all sections are merged: here for a user in no group.
	if _, err = settings.Written(file, "", ""); err != nil {
		return nil, err
	}
	return file, checkSections(ctx, file)
}

// checkSections returns the errors that show only where sections are taken together.
func checkSections(ctx context.Context, file *config.File) error {
	if err := settings.SharedHomes(file); err != nil {
		return err
	}
	return checkGroups(ctx, file)
}

// findings returns the errors in a settings file that err consists of; nil: it is
// another error.
func findings(err error) []finding {
	var all syntax.Errors
	if !errors.As(err, &all) {
		var one *syntax.Error
		if !errors.As(err, &one) {
			return nil
		}
		all = syntax.Errors{one}
	}
	var out []finding
	for _, e := range all {
		out = append(out, finding{e.Origin.File, e.Origin.Line, e.Origin.Col, e.Text, e.Hint})
	}
	return out
}
