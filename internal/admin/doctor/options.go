package doctor

import (
	"slices"
	"strings"
)

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

// get gives the value of an option that stands once; empty when it is not there:
// a release that does not have it.
func (o Options) get(name string) string {
	if len(o[name]) == 0 {
		return ""
	}
	return o[name][0]
}

// words gives all words of all values.
func (o Options) words(name string) []string {
	var words []string
	for _, v := range o[name] {
		words = append(words, strings.Fields(v)...)
	}
	return words
}

func (o Options) on(name string) bool { return o.get(name) == "yes" }

// forces tells whether ForceCommand runs program.
func (o Options) forces(program string) bool {
	words := o.words("forcecommand")
	return len(words) > 0 && words[0] == program
}

// local tells whether a client may reach a port on the host, or behind it.
func (o Options) local() bool {
	return !o.on("disableforwarding") && slices.Contains([]string{"yes", "all", "local"}, o.get("allowtcpforwarding")) && slices.ContainsFunc(o.words("permitopen"), anywhere)
}

// remote tells whether a client may listen on the host.
func (o Options) remote() bool {
	return !o.on("disableforwarding") && slices.Contains([]string{"yes", "all", "remote"}, o.get("allowtcpforwarding")) && slices.ContainsFunc(o.words("permitlisten"), anyPort)
}

// sockets tells whether a client may reach, or make, unix sockets on the host.
func (o Options) sockets() bool {
	v := o.get("allowstreamlocalforwarding")
	return !o.on("disableforwarding") && v != "" && v != "no"
}

// anywhere tells of a word of PermitOpen that stands for all hosts or all ports.
// What is listed one by one is the administrator's word.
func anywhere(place string) bool { return place == "any" || strings.Contains(place, "*") }

// anyPort is the same for PermitListen, where a port alone is written "*:8080".
func anyPort(place string) bool { return place == "any" || strings.HasSuffix(place, ":*") }
