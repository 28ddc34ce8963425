package config

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// only finds the first byte of s that is none of the letters, digits and extra.
func only(s, extra string) (at int, ok bool) {
	for i := 0; i < len(s); i++ {
		if c := s[i]; !alnum(c) && strings.IndexByte(extra, c) < 0 {
			return i, false
		}
	}
	return 0, true
}

func alnum(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// checkWord keeps a value from being read as an option, or as two words.
func checkWord(s string) *problem {
	if strings.HasPrefix(s, "-") {
		return &problem{0, quote(s) + " begins with a dash", ""}
	}
	if i := strings.IndexFunc(s, unicode.IsSpace); i >= 0 {
		return &problem{i, quote(s) + " has a space in it", ""}
	}
	return nil
}

func checkImage(s string) *problem { return checkWord(s) }

func checkPath(s string) *problem {
	if !strings.HasPrefix(s, "/") {
		return &problem{0, quote(s) + " is not an absolute path", ""}
	}
	return nil
}

// checkFile takes the path of a file that is to be made, in the directory that is
// written down and in no other.
func checkFile(s string) *problem {
	if bad := checkPath(s); bad != nil {
		return bad
	}
	if strings.HasSuffix(s, "/") {
		return &problem{0, quote(s) + " is not the path of a file", ""}
	}
	if slices.Contains(strings.Split(s, "/"), "..") {
		return &problem{0, quote(s) + " has .. in it", ""}
	}
	return nil
}

// checkProgram refuses arguments: "/bin/bash -l" is no program.
func checkProgram(s string) *problem {
	if bad := checkPath(s); bad != nil {
		return bad
	}
	if i := strings.IndexFunc(s, unicode.IsSpace); i >= 0 {
		return &problem{i, quote(s) + " has a space in it", "write the path of the program alone, without arguments"}
	}
	return nil
}

func checkEntrypoint(s string) *problem {
	if s == Internal {
		return nil
	}
	bad := checkProgram(s)
	if bad != nil && !strings.HasPrefix(s, "/") {
		bad.hint = didYouMean(s, []string{Internal}, `write "internal" or an absolute path`)
	}
	return bad
}

// checkUserName takes a name, a uid or uid:gid. What name services know is not
// ours to narrow, apart from what separates fields.
func checkUserName(s string) *problem {
	uid, gid, pair := strings.Cut(s, ":")
	if digits(uid) {
		if !isID(uid) || pair && !isID(gid) {
			return &problem{0, quote(s) + " is not a numeric uid or uid:gid", ""}
		}
		return nil
	}
	if i := strings.IndexFunc(s, func(r rune) bool { return r == ':' || r == '/' || unicode.IsSpace(r) }); i >= 0 {
		return &problem{i, quote(s) + " is not a user name", "write a name, a numeric uid or uid:gid"}
	}
	return checkWord(s)
}

// isID leaves out the highest number, which means "no change" to the kernel.
func isID(s string) bool {
	n, err := strconv.ParseUint(s, 10, 32)
	return err == nil && digits(s) && n != 1<<32-1
}

func checkSocket(s string) *problem {
	scheme, rest, ok := strings.Cut(s, "://")
	switch {
	case ok && (scheme == "tcp" || scheme == "ssh"):
		return checkAddress(scheme, rest)
	case ok && scheme != "unix":
		return &problem{0, quote(s) + " is not the address of an engine", "write the path of a socket, tcp://HOST:PORT or ssh://USER@HOST"}
	}
	return checkPath(plainSocket(s))
}

// checkAddress takes HOST:PORT for tcp, and [USER@]HOST[:PORT] for ssh. Nothing of
// it may look like an option, to ssh least of all.
func checkAddress(scheme, s string) *problem {
	const names = "-._"
	bad := &problem{0, quote(s) + " is not HOST:PORT", ""}
	host := s
	if scheme == "ssh" {
		bad.text = quote(s) + " is not USER@HOST:PORT"
		user, rest, ok := strings.Cut(s, "@")
		if _, plain := only(user, names); ok && (user == "" || user[0] == '-' || !plain) {
			return bad
		}
		if ok {
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
		if _, plain := only(inner, ":."); !six || !plain || inner == "" {
			return bad
		}
	} else if _, plain := only(host, names); !plain || host == "" || host[0] == '-' {
		return bad
	}
	if scheme == "tcp" && port == "" {
		return bad
	}
	return nil
}

func plainSocket(s string) string { return strings.TrimPrefix(s, "unix://") }

func checkHostname(s string) *problem {
	if at, ok := only(s, "-._"); !ok {
		return &problem{at, quote(s) + " is not a host name", "a host name has letters, digits, dashes and dots"}
	}
	if len(s) > 64 || s == "" || !alnum(s[0]) {
		return &problem{0, quote(s) + " is not a host name", "it begins with a letter or digit and has at most 64"}
	}
	return nil
}

func checkCapability(s string) *problem {
	plain := plainCapability(s)
	if plain == "" || strings.Trim(plain, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") != "" || !alnum(plain[0]) {
		return &problem{0, quote(s) + " is not a capability", "write its name in capitals, such as NET_RAW, one a line, or ALL"}
	}
	return nil
}

func plainCapability(s string) string { return strings.TrimPrefix(s, "CAP_") }

func checkEnvPattern(s string) *problem {
	if at, ok := only(s, "_*?"); !ok {
		return &problem{at, quote(s) + " is not a pattern for names of variables", "write one name a line; * and ? stand for any characters and for one"}
	}
	return nil
}

func checkEnv(s string) *problem {
	name, _, _ := strings.Cut(s, "=")
	at, ok := only(name, "_")
	if !ok || name == "" || '0' <= name[0] && name[0] <= '9' {
		return &problem{at, quote(name) + " is not the name of a variable", "write NAME=VALUE"}
	}
	return nil
}

// checkVolume leaves the rest to the engine, whose syntax it is.
func checkVolume(s string) *problem {
	src, dst, two := strings.Cut(s, ":")
	if !two {
		return checkPath(src)
	}
	if src == "" || strings.HasPrefix(src, ".") || strings.HasPrefix(src, "~") {
		return &problem{0, quote(src) + " is neither an absolute path nor the name of a volume", ""}
	}
	if bad := checkWord(src); bad != nil && !strings.HasPrefix(src, "/") {
		return bad
	}
	if !strings.HasPrefix(dst, "/") {
		return &problem{len(src) + 1, quote(dst) + " is not an absolute path", "write SOURCE:TARGET or SOURCE:TARGET:ro"}
	}
	return nil
}

func checkForward(s string) *problem {
	host, inside, two := strings.Cut(s, ":")
	if !two || !isPort(host) || !isPort(inside) {
		return &problem{0, quote(s) + " is not HOSTPORT:CONTAINERPORT", ""}
	}
	return nil
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && digits(s) && n > 0
}
