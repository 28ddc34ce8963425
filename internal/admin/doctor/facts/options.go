package facts

import "strings"

// Options are the effective options of sshd: the name in small letters, and a
// value for each time that it stands there.
type Options map[string][]string

// ParseOptions reads what `sshd -T` writes: an option a line, the name first.
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

// Get gives the value of an option that stands once; empty when it is not there:
// a release that does not have it.
func (o Options) Get(name string) string {
	if len(o[name]) == 0 {
		return ""
	}
	return o[name][0]
}

// Words gives all words of all values.
func (o Options) Words(name string) []string {
	var words []string
	for _, v := range o[name] {
		words = append(words, strings.Fields(v)...)
	}
	return words
}

func (o Options) On(name string) bool { return o.Get(name) == "yes" }

// Forces tells whether ForceCommand runs program.
func (o Options) Forces(program string) bool {
	words := o.Words("forcecommand")
	return len(words) > 0 && words[0] == program
}
