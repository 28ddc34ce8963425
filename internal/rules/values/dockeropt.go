package values

import (
	"fmt"
	"strings"

	shellquote "github.com/kballard/go-shellquote"

	"github.com/dockersh/dockersh/internal/rules/syntax"
)

// DockerOpt accepts what SplitDockerOpt can split.
func DockerOpt(s string) *syntax.Problem {
	_, bad := SplitDockerOpt(s)
	return bad
}

// SplitDockerOpt splits one dockeropt into its one or two words, as a POSIX shell would.
// Nothing is expanded, and $, ; and & are plain characters.
func SplitDockerOpt(s string) ([]string, *syntax.Problem) {
	words, err := shellquote.Split(s)
	if err != nil {
		return nil, syntax.Wrong("a quote is not closed, or a backslash ends the option", "")
	}
	if len(words) == 0 {
		return nil, syntax.Wrong("the option is empty", "")
	}
	opt := words[0]
	name, _, hasValue := strings.Cut(opt, "=")
	long := strings.HasPrefix(opt, "--")
	switch {
	case !strings.HasPrefix(opt, "-"):
		return nil, syntax.Wrong(syntax.Quote(opt)+" is not an option", "an option begins with a dash, such as -v or --label")
	case opt == "-", name == "--":
		return nil, syntax.Wrong(syntax.Quote(opt)+" is not an option", "")
	case long && strings.Contains(name, "%"), strings.HasPrefix(opt, "-%"):
		return nil, syntax.Wrong("the name of an option cannot have a %-sequence", "")
	case len(words) > 2:
		return nil, syntax.Wrong(fmt.Sprintf("%d words, but an option has one value at most", len(words)),
			"write one option a line, and single quotes around a value with spaces")
	case len(words) == 2 && long && hasValue:
		return nil, syntax.Wrong(fmt.Sprintf("%s already has its value", syntax.Quote(name)),
			"write one option a line, and single quotes around a value with spaces")
	case len(words) == 2 && isSwitch(opt):
		// Otherwise the engine would take the second word for the image.
		return nil, syntax.Wrong(syntax.Quote(opt)+" takes no value", "write one option a line")
	}
	return words, nil
}

// Option returns the name and the value of an option, as SplitDockerOpt has split it: --user
// and root for --user=root and --user root, -u and root for -uroot, -u=root and -u root.
func Option(words []string) (name, value string) {
	name, value, _ = strings.Cut(words[0], "=")
	if !strings.HasPrefix(name, "--") && len(words[0]) > 2 {
		name, value = words[0][:2], strings.TrimPrefix(words[0][2:], "=")
	}
	if len(words) > 1 {
		value = words[1]
	}
	return name, value
}

// isSwitch reports whether an option of docker create takes no value as a further word.
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
