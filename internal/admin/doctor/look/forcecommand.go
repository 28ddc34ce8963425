package look

import "strings"

// forced are the users and groups whom a file of sshd leads to a program.
type forced struct {
	users, groups []string
	everybody     bool
}

// forcedIn returns the names in the Match blocks of an sshd_config that have program as
// ForceCommand. It passes over patterns and other criteria.
func forcedIn(text, program string) forced {
	var out, block forced
	block.everybody = true // until the first Match
	for line := range strings.Lines(text) {
		words := strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" \t\r\n=\"", r) })
		if len(words) < 2 {
			continue
		}
		switch strings.ToLower(words[0]) {
		case "match":
			block = criteria(words[1:])
		case "forcecommand":
			if words[1] == program {
				out.users, out.groups = append(out.users, block.users...), append(out.groups, block.groups...)
				out.everybody = out.everybody || block.everybody
			}
		}
	}
	return out
}

// criteria parses a Match line: criteria and their lists of names in turn.
func criteria(words []string) forced {
	var f forced
	f.everybody = strings.EqualFold(words[0], "all")
	for len(words) > 1 {
		var names []string
		for _, n := range strings.Split(words[1], ",") {
			if n != "" && !strings.ContainsAny(n, "*?!") {
				names = append(names, n)
			}
		}
		switch strings.ToLower(words[0]) {
		case "user":
			f.users = append(f.users, names...)
		case "group":
			f.groups = append(f.groups, names...)
		}
		words = words[2:]
	}
	return f
}
