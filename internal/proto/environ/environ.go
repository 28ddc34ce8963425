// Package environ looks variables up in an environment, a list of NAME=VALUE, and replaces
// them.
package environ

import "strings"

// Lookup returns the value of a variable, that of the first entry as getenv(3) does, and
// whether there is one.
func Lookup(environ []string, name string) (value string, ok bool) {
	for _, entry := range environ {
		if n, v, ok := strings.Cut(entry, "="); ok && n == name {
			return v, true
		}
	}
	return "", false
}

// Get returns the value of a variable, "" where there is none.
func Get(environ []string, name string) string {
	value, _ := Lookup(environ, name)
	return value
}

// Overlay returns base and over together; entries of over replace those of the same name.
func Overlay(base []string, over ...string) []string {
	out := make([]string, 0, len(base)+len(over))
	for _, entry := range base {
		name, _, _ := strings.Cut(entry, "=")
		if _, replaced := Lookup(over, name); !replaced {
			out = append(out, entry)
		}
	}
	return append(out, over...)
}
