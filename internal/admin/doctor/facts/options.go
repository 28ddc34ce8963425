package facts

import "strings"

// Options are the effective options of sshd: names in lower case, and a value for each
// line with that name.
type Options map[string][]string

// ParseOptions parses the output of `sshd -T`: an option on each line, the name first.
func ParseOptions(text string) Options {
	o := Options{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		if name == "" || strings.ToLower(name) != name || strings.ContainsFunc(name, notPrintable) {
			continue
		}
		o[name] = append(o[name], strings.TrimSpace(value))
	}
	return o
}

func notPrintable(r rune) bool { return r <= ' ' || r >= 0x7f }

// Get returns the first value of an option, or nothing if this release of sshd does not
// have the option.
func (o Options) Get(name string) string {
	if len(o[name]) == 0 {
		return ""
	}
	return o[name][0]
}

// Words returns the words of all values of an option.
func (o Options) Words(name string) []string {
	var words []string
	for _, v := range o[name] {
		words = append(words, strings.Fields(v)...)
	}
	return words
}

// On reports whether an option is yes.
func (o Options) On(name string) bool { return o.Get(name) == "yes" }

// Forces reports whether ForceCommand runs program.
func (o Options) Forces(program string) bool {
	words := o.Words("forcecommand")
	return len(words) > 0 && words[0] == program
}
