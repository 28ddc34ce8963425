package config

import (
	"fmt"
	"strings"

	shellquote "github.com/kballard/go-shellquote"
)

// ParseDockerOpt splits one dockeropt into its one or two words, as a POSIX
// shell would; nothing is expanded, and $, ; and & are plain characters.
// %-sequences are replaced later, word by word, so that no user name can make
// two words of one.
func ParseDockerOpt(s string) ([]string, error) {
	words, bad := splitDockerOpt(s)
	if bad != nil {
		return nil, &Error{Text: bad.text, Hint: bad.hint}
	}
	return words, nil
}

func checkDockerOpt(s string) *problem {
	_, bad := splitDockerOpt(s)
	return bad
}

func splitDockerOpt(s string) ([]string, *problem) {
	words, err := shellquote.Split(s)
	if err != nil {
		return nil, &problem{0, "a quote or a backslash is left open", ""}
	}
	if len(words) == 0 {
		return nil, &problem{0, "the option is empty", ""}
	}
	opt := words[0]
	name, _, hasValue := strings.Cut(opt, "=")
	long := strings.HasPrefix(opt, "--")
	switch {
	case !strings.HasPrefix(opt, "-"):
		return nil, &problem{0, quote(opt) + " is not an option", "an option begins with a dash, such as -v or --label"}
	case opt == "-", name == "--":
		return nil, &problem{0, quote(opt) + " is not an option", ""}
	case long && strings.Contains(name, "%"), strings.HasPrefix(opt, "-%"):
		return nil, &problem{0, "the name of an option must be written out", ""}
	case len(words) > 2:
		return nil, &problem{0, fmt.Sprintf("%d words, but an option has one value at most", len(words)),
			"write one option a line, and single quotes around a value with spaces"}
	case len(words) == 2 && long && hasValue:
		return nil, &problem{0, fmt.Sprintf("%s has its value already", quote(name)), "write one option a line, and single quotes around a value with spaces"}
	case len(words) == 2 && isSwitch(opt):
		// Else the engine would take the second word for the image.
		return nil, &problem{0, quote(opt) + " takes no value", "write one option a line"}
	}
	return words, nil
}

// isSwitch knows the options of docker create that take no value as a further
// word.
func isSwitch(opt string) bool {
	switch opt {
	case "--disable-content-trust", "--help", "--init", "--interactive", "--no-healthcheck",
		"--oom-kill-disable", "--privileged", "--publish-all", "--quiet", "--read-only",
		"--rm", "--tty", "--use-api-socket":
		return true
	}
	// -it: nothing but switches.
	return !strings.HasPrefix(opt, "--") && strings.Trim(opt[1:], "iPqt") == ""
}
