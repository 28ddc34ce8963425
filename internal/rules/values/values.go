// Package values judges the values of settings, one at a time: text in, what is wrong with it
// out. A function returns nil for a right value.
package values

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/dockersh/dockersh/internal/rules/suggest"
	"github.com/dockersh/dockersh/internal/rules/syntax"
)

// The types.

// Bool reads what gcfg reads as a Boolean, and returns "true" or "false".
func Bool(s string) (string, *syntax.Problem) {
	switch syntax.Lower(s) {
	case "true", "yes", "on", "1":
		return "true", nil
	case "false", "no", "off", "0":
		return "false", nil
	}
	return "", syntax.Wrong(syntax.Quote(s)+" is neither true nor false", "write true, yes, on or 1, or false, no, off or 0")
}

// Int reads a whole number, and returns its digits.
func Int(s string) (string, *syntax.Problem) {
	n, err := strconv.Atoi(s)
	if errors.Is(err, strconv.ErrRange) {
		return "", syntax.Wrong(syntax.Quote(s)+" is too large", "")
	}
	if err != nil {
		return "", syntax.Wrong(syntax.Quote(s)+" is not a whole number", "")
	}
	return strconv.Itoa(n), nil
}

// Duration reads a duration as time.ParseDuration does, and returns it as Go writes it.
func Duration(s string) (string, *syntax.Problem) {
	d, err := time.ParseDuration(s)
	if err != nil {
		return "", syntax.Wrong(syntax.Quote(s)+" is not a duration", "write a number with its unit, such as 90s, 15m or 1h30m")
	}
	if d < 0 {
		return "", syntax.Wrong("a duration may not be negative", "")
	}
	return d.String(), nil
}

// Numbers.

// NotNegative accepts 0 and more.
func NotNegative(s string) *syntax.Problem {
	if strings.HasPrefix(s, "-") {
		return syntax.Wrong("the number may not be negative", "0 means no limit")
	}
	return nil
}

// Bytes returns a size in the engine's syntax, in bytes; 0 for what is none.
func Bytes(s string) float64 {
	number, unit := s, 1.0
	if s != "" {
		if i := strings.IndexByte("bkmgBKMG", s[len(s)-1]); i >= 0 {
			number, unit = s[:len(s)-1], float64(int(1)<<(10*(i%4)))
		}
	}
	f, _ := decimal(number)
	return f * unit
}

// Memory accepts the engine's syntax of sizes.
func Memory(s string) *syntax.Problem {
	if Bytes(s) <= 0 {
		return syntax.Wrong(syntax.Quote(s)+" is not a size", "write bytes or a number with b, k, m or g, such as 512m")
	}
	return nil
}

// CPUs accepts what the engine can count: billionths of a processor.
func CPUs(s string) *syntax.Problem {
	_, frac, _ := strings.Cut(s, ".")
	if f, ok := decimal(s); !ok || f <= 0 || len(frac) > 9 {
		return syntax.Wrong(syntax.Quote(s)+" is not a positive decimal number", "write a number of processors, such as 1.5")
	}
	return nil
}

// decimal reads digits with at most one point among them; not 1e9, not Inf.
func decimal(s string) (float64, bool) {
	whole, frac, point := strings.Cut(s, ".")
	if !digits(whole) || point && !digits(frac) || len(s) > 30 {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// isID excludes the highest number, which means "no change" to the kernel.
func isID(s string) bool {
	n, err := strconv.ParseUint(s, 10, 32)
	return err == nil && digits(s) && n != 1<<32-1
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && digits(s) && n > 0
}

// Words.

// OnChange accepts what the setting onchange can be.
func OnChange(s string) *syntax.Problem { return oneOf(s, "keep", "apply", "recreate") }

// Log accepts what the setting log can be.
func Log(s string) *syntax.Problem { return oneOf(s, "sessions", "refusals") }

// Pull accepts what the setting pull can be.
func Pull(s string) *syntax.Problem { return oneOf(s, "missing", "always", "never") }

func oneOf(s string, words ...string) *syntax.Problem {
	if slices.Contains(words, s) {
		return nil
	}
	last := len(words) - 1
	return syntax.Wrong(fmt.Sprintf("%s is not %s or %s", syntax.Quote(s), strings.Join(words[:last], ", "), words[last]),
		suggest.Hint(syntax.Lower(s), words, ""))
}

// Word keeps a value from being read as an option, or as two words.
func Word(s string) *syntax.Problem {
	if strings.HasPrefix(s, "-") {
		return syntax.Wrong(syntax.Quote(s)+" begins with a dash", "")
	}
	if i := strings.IndexFunc(s, unicode.IsSpace); i >= 0 {
		return syntax.WrongAt(i, syntax.Quote(s)+" has a space in it", "")
	}
	return nil
}

// ImagePattern accepts a pattern of sshd_config(5), but for a negated one: a list of
// what is allowed has no use for it.
func ImagePattern(s string) *syntax.Problem {
	if strings.HasPrefix(s, "!") {
		return syntax.Wrong(syntax.Quote(s)+" cannot be negated", "list the images that users may name")
	}
	return Word(s)
}

// UserName accepts a name, a uid or uid:gid. It leaves names to the name services
// that know them, apart from what separates fields.
func UserName(s string) *syntax.Problem {
	uid, gid, pair := strings.Cut(s, ":")
	if digits(uid) {
		if !isID(uid) || pair && !isID(gid) {
			return syntax.Wrong(syntax.Quote(s)+" is not a numeric uid or uid:gid", "")
		}
		return nil
	}
	if i := strings.IndexFunc(s, func(r rune) bool { return r == ':' || r == '/' || unicode.IsSpace(r) }); i >= 0 {
		return syntax.WrongAt(i, syntax.Quote(s)+" is not a user name", "write a name, a numeric uid or uid:gid")
	}
	return Word(s)
}

// Hostname accepts a name that the kernel takes, in the letters of host names.
func Hostname(s string) *syntax.Problem {
	if at := syntax.FirstOther(s, "-._"); at >= 0 {
		return syntax.WrongAt(at, syntax.Quote(s)+" is not a host name", "a host name has letters, digits, dashes and dots")
	}
	if len(s) > 64 || s == "" || !syntax.Alnum(s[0]) {
		return syntax.Wrong(syntax.Quote(s)+" is not a host name", "it begins with a letter or digit and has at most 64")
	}
	return nil
}

// Capability accepts the name of a capability, with CAP_ or without.
func Capability(s string) *syntax.Problem {
	plain := PlainCapability(s)
	if plain == "" || strings.Trim(plain, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") != "" || !syntax.Alnum(plain[0]) {
		return syntax.Wrong(syntax.Quote(s)+" is not a capability", "write its name in capitals, such as NET_RAW, one a line, or ALL")
	}
	return nil
}

// PlainCapability removes CAP_ from the name of a capability.
func PlainCapability(s string) string { return strings.TrimPrefix(s, "CAP_") }

// EnvPattern accepts a name of a variable in which * and ? may stand.
func EnvPattern(s string) *syntax.Problem {
	if at := syntax.FirstOther(s, "_*?"); at >= 0 {
		return syntax.WrongAt(at, syntax.Quote(s)+" is not a pattern for names of variables",
			"write one name a line; * stands for any characters, ? for one")
	}
	return nil
}

// Env accepts NAME=VALUE and NAME.
func Env(s string) *syntax.Problem {
	name, _, _ := strings.Cut(s, "=")
	at := syntax.FirstOther(name, "_")
	if at >= 0 || name == "" || '0' <= name[0] && name[0] <= '9' {
		return syntax.WrongAt(max(0, at), syntax.Quote(name)+" is not the name of a variable", "write NAME=VALUE")
	}
	return nil
}

// Paths.

// Path accepts an absolute path.
func Path(s string) *syntax.Problem {
	if !strings.HasPrefix(s, "/") {
		return syntax.Wrong(syntax.Quote(s)+" is not an absolute path", "")
	}
	return nil
}

// File accepts the path of a file that is created in the directory that is written
// there and in no other.
func File(s string) *syntax.Problem {
	if bad := Path(s); bad != nil {
		return bad
	}
	if strings.HasSuffix(s, "/") {
		return syntax.Wrong(syntax.Quote(s)+" is not the path of a file", "")
	}
	if slices.Contains(strings.Split(s, "/"), "..") {
		return syntax.Wrong(syntax.Quote(s)+" has .. in it", "")
	}
	return nil
}

// Skel accepts a Boolean, or the path of a directory that new homes start from.
func Skel(s string) *syntax.Problem {
	if _, bad := Bool(s); bad == nil || strings.HasPrefix(s, "/") {
		return nil
	}
	return syntax.Wrong(syntax.Quote(s)+" is neither true nor false, nor an absolute path",
		"write true for /etc/skel, or another directory")
}

// SkelDir returns the directory of a value that Skel accepts; it is empty for false.
func SkelDir(s string) string {
	switch b, bad := Bool(s); {
	case bad != nil:
		return s
	case b == "true":
		return "/etc/skel"
	}
	return ""
}

// Program refuses arguments: "/bin/bash -l" is not a program.
func Program(s string) *syntax.Problem {
	if bad := Path(s); bad != nil {
		return bad
	}
	if i := strings.IndexFunc(s, unicode.IsSpace); i >= 0 {
		return syntax.WrongAt(i, syntax.Quote(s)+" has a space in it", "write the path of the program alone, without arguments")
	}
	return nil
}

// Volume leaves the rest to the engine, whose syntax it is.
func Volume(s string) *syntax.Problem {
	src, dst, two := strings.Cut(s, ":")
	if !two {
		return Path(src)
	}
	if src == "" || strings.HasPrefix(src, ".") || strings.HasPrefix(src, "~") {
		return syntax.Wrong(syntax.Quote(src)+" is neither an absolute path nor the name of a volume", "")
	}
	if bad := Word(src); bad != nil && !strings.HasPrefix(src, "/") {
		return bad
	}
	if !strings.HasPrefix(dst, "/") {
		return syntax.WrongAt(len(src)+1, syntax.Quote(dst)+" is not an absolute path", "write SOURCE:TARGET or SOURCE:TARGET:ro")
	}
	return nil
}

// Addresses.

// Socket accepts the address of an engine.
func Socket(s string) *syntax.Problem {
	scheme, rest, ok := strings.Cut(s, "://")
	switch {
	case ok && (scheme == "tcp" || scheme == "ssh"):
		return checkAddress(scheme, rest)
	case ok && scheme == "kubernetes":
		return checkNamespace(rest)
	case ok && scheme != "unix":
		return syntax.Wrong(syntax.Quote(s)+" is not the address of an engine",
			"write the path of a socket, tcp://HOST:PORT, ssh://USER@HOST or kubernetes://NAMESPACE")
	}
	return Path(PlainSocket(s))
}

// PlainSocket returns the path of a socket without unix://, and other addresses as they are.
func PlainSocket(s string) string { return strings.TrimPrefix(s, "unix://") }

// checkAddress accepts HOST:PORT for tcp, and [USER@]HOST[:PORT] for ssh. No part may
// look like an option, least of all to ssh.
func checkAddress(scheme, s string) *syntax.Problem {
	const names = "-._"
	plain := func(s, extra string) bool { return syntax.FirstOther(s, extra) < 0 }
	bad := syntax.Wrong(syntax.Quote(s)+" is not HOST:PORT", "")
	host := s
	if scheme == "ssh" {
		bad.Text = syntax.Quote(s) + " is not USER@HOST:PORT"
		if user, rest, ok := strings.Cut(s, "@"); ok {
			if user == "" || user[0] == '-' || !plain(user, names) {
				return bad
			}
			host = rest
		}
	}
	var port string
	i := strings.LastIndexByte(host, ':')
	if i > strings.LastIndexByte(host, ']') {
		host, port = host[:i], host[i+1:]
		if !isPort(port) {
			return bad
		}
	}
	if inner, six := strings.CutPrefix(host, "["); six {
		inner, six = strings.CutSuffix(inner, "]")
		if !six || !plain(inner, ":.") || inner == "" {
			return bad
		}
	} else if !plain(host, names) || host == "" || host[0] == '-' {
		return bad
	}
	if scheme == "tcp" && port == "" {
		return bad
	}
	return nil
}

// Forward accepts HOSTPORT:CONTAINERPORT.
func Forward(s string) *syntax.Problem {
	host, inside, two := strings.Cut(s, ":")
	if !two || !isPort(host) || !isPort(inside) {
		return syntax.Wrong(syntax.Quote(s)+" is not HOSTPORT:CONTAINERPORT", "")
	}
	return nil
}
