package ctl

import (
	"fmt"
	"strings"
)

// options are what may stand among the words of a command, by name ("--json",
// "-s"): a *bool is set, a *string takes a value (--name VALUE or --name=VALUE),
// a *[]string one more each time.
type options map[string]any

// parse takes the options off the arguments; what follows "--" is words. At least
// and at most so many words may be there; most < 0 is no limit.
func (o options) parse(args []string, least, most int) (words []string, err error) {
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
			return nil, fmt.Errorf("%w: unknown option %q", errMisuse, arg)
		}
		if isFlag {
			*flag = true
			continue
		}
		if !with {
			if len(args) == 0 {
				return nil, fmt.Errorf("%w: %s needs a value", errMisuse, name)
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
		return nil, fmt.Errorf("%w: wrong number of arguments", errMisuse)
	}
	return words, nil
}
