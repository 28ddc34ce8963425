// Package pattern matches names as sshd_config(5) does (PATTERNS in ssh_config(5)). It
// stands apart from package sshd because a program that starts per session links it.
package pattern

import "strings"

// Match reports whether s is meant by a pattern: * stands for any bytes, ? for one.
func Match(pattern, s string) bool {
	star, from := -1, 0
	p, i := 0, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0: // let the last star stand for one byte more
			from++
			p, i = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// MatchAny reports whether one of the patterns matches s.
func MatchAny(patterns []string, s string) bool {
	for _, p := range patterns {
		if Match(p, s) {
			return true
		}
	}
	return false
}
