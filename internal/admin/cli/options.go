package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/proto/printable"
)

// Options are the options of a command by name, such as "--json" or "-s", and the
// variables that they set: a *bool takes no value, a *string takes one (--name VALUE
// or --name=VALUE), and a *[]string takes one each time that the option is given.
type Options map[string]any

// Parse sets the options among the arguments and returns the other words. What follows
// "--" is words. There must be at least least words and at most most; most < 0 means
// no limit. Errors are ErrMisuse.
func (o Options) Parse(args []string, least, most int) (words []string, err error) {
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if arg == "--" {
			words = append(words, args...)
			break
		}
		if len(arg) < 2 || arg[0] != '-' {
			words = append(words, arg)
			continue
		}
		name, value, with := strings.Cut(arg, "=")
		to, known := o[name]
		flag, isFlag := to.(*bool)
		if !known || isFlag && with {
			return nil, fmt.Errorf("%w: unknown option %q", ErrMisuse, arg)
		}
		if isFlag {
			*flag = true
			continue
		}
		if !with {
			if len(args) == 0 {
				return nil, fmt.Errorf("%w: %s needs a value", ErrMisuse, name)
			}
			value, args = args[0], args[1:]
		}
		switch to := to.(type) {
		case *string:
			*to = value
		case *[]string:
			*to = append(*to, value)
		}
	}
	if len(words) < least || most >= 0 && len(words) > most {
		return nil, fmt.Errorf("%w: wrong number of arguments", ErrMisuse)
	}
	return words, nil
}

// Selection is what a command acts on: NAME..., --user USER, or --all.
type Selection struct {
	Names []string
	User  string
	All   bool
}

// Parse reads the selection and the options in more from the arguments of a command.
// It returns the last words, which are not part of the selection: last of them.
func (s *Selection) Parse(args []string, more Options, last int) (own []string, err error) {
	o := Options{"--user": &s.User, "--all": &s.All}
	maps.Copy(o, more)
	words, err := o.Parse(args, last, -1)
	if err != nil {
		return nil, err
	}
	s.Names, own = words[:len(words)-last], words[len(words)-last:]
	kinds := 0
	for _, given := range []bool{len(s.Names) > 0, s.User != "", s.All} {
		if given {
			kinds++
		}
	}
	if kinds != 1 {
		return nil, fmt.Errorf("%w: give either names, or --user, or --all", ErrMisuse)
	}
	return own, nil
}

// CheckUser returns an error if this host has no user of the selection's name. known
// are names to suggest instead.
func (s *Selection) CheckUser(ctx context.Context, known []string) error {
	if _, err := account.New(0).ByName(ctx, s.User); !errors.Is(err, account.ErrUnknown) {
		return nil
	}
	return Unknown("no user "+printable.Text(s.User), s.User, known, "getent passwd")
}
