package ctl

import (
	"regexp"
	"slices"
	"strings"
)

// option is an option of a command, as its help describes it.
type option struct {
	short, name string // short may be empty
	value       string // what it takes, such as USER; empty: nothing
	text        string
}

var optionLine = regexp.MustCompile(`(?m)^  (?:(-[a-z]), )?(--[a-z-]+)(?: ([A-Z][A-Z.,]*))?  *(\S.*)$`)

// options returns the options of a command. Each stands in a line of its help.
func (c command) options() (all []option) {
	for _, m := range optionLine.FindAllStringSubmatch(c.more, -1) {
		all = append(all, option{m[1], m[2], strings.TrimSuffix(m[3], "..."), m[4]})
	}
	return append(all, option{"-h", "--help", "", "show the help of the command"})
}

// option returns the option of a name, short or long.
func (c command) option(name string) (option, bool) {
	all := c.options()
	i := slices.IndexFunc(all, func(o option) bool { return name != "" && (o.name == name || o.short == name) })
	if i < 0 {
		return option{}, false
	}
	return all[i], true
}

// argument is a word that a command takes, such as ID|NAME.
type argument struct {
	kinds []string
	many  bool
}

// arguments returns the words that a command takes in their order, by its usage.
func (c command) arguments() (all []argument) {
	fields := strings.Fields(c.args)
	for i, f := range fields {
		f = strings.Trim(f, "[]")
		if f == "OPTION..." || strings.ToUpper(f) != f || strings.Trim(f, "|") == "" || strings.HasPrefix(f, "-") {
			continue
		}
		if i > 0 {
			if o, ok := c.option(strings.Trim(fields[i-1], "[]")); ok && o.value != "" {
				continue // it is the option's
			}
		}
		word, many := strings.CutSuffix(f, "...")
		all = append(all, argument{strings.Split(word, "|"), many})
	}
	return all
}

// argumentAt returns the word that a command takes after n others.
func (c command) argumentAt(n int) (argument, bool) {
	all := c.arguments()
	switch i := slices.IndexFunc(all, func(a argument) bool { return a.many }); {
	case i >= 0 && n >= i:
		return all[i], true
	case n < len(all):
		return all[n], true
	}
	return argument{}, false
}
