package config

import (
	"errors"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/rules/syntax"
)

// wrongLines stand on line 2, under [dockersh].
var wrongLines = []struct{ line, want string }{
	// keys
	{`imagname = x`, `2:1: unknown setting "imagname" [did you mean "imagename"?]`},
	{`  image = x`, `2:3: unknown setting "image" [did you mean "imagename"?]`},
	{`image-name = x`, `2:1: unknown setting "image-name" [did you mean "imagename"?]`},
	{`image_name = x`, `2:1: unknown setting "image_name" [did you mean "imagename"?]`},
	{`cap.drop = ALL`, `2:1: unknown setting "cap.drop" [did you mean "capdrop"?]`},
	{`zzzzzz`, `2:1: unknown setting "zzzzzz"`},
	{`moutnhome`, `2:1: unknown setting "moutnhome" [did you mean "mounthome"?]`},
	{`enableuserimage = true`, `2:1: unknown setting "enableuserimage" [did you mean "enableuserimagename"?]`},
	{`enableuserpull = true`, `2:1: unknown setting "enableuserpull" [users cannot be allowed to set "pull"]`},
	{`enableuserhostshell = true`, `2:1: unknown setting "enableuserhostshell" [users cannot be allowed to set "hostshell"]`},
	{`enableuserenableuserconfig = true`, `2:1: unknown setting "enableuserenableuserconfig" [users cannot be allowed to set "enableuserconfig"]`},
	// syntax
	{`cmd`, `2:1: setting "cmd" needs a value [write cmd = VALUE]`},
	{`shell /bin/sh`, `2:7: expected "=" after "shell"`},
	{`pull: never`, `2:1: unknown setting "pull:" [did you mean "pull"?]`},
	{`= x`, `2:1: expected a section or a setting`},
	{`"x"`, `2:1: expected a section or a setting`},
	{`banner = "open`, `2:10: banner: the quote does not end on this line`},
	{`banner = a\qb`, `2:12: banner: unknown escape sequence [a backslash itself is written twice]`},
	{`banner = "a\`, `2:10: banner: the quote does not end on this line`},
	{`banner = \bell`, `2:10: banner: control character U+0008`},
	{"banner = a\x1b[31m", `2:11: control character U+001B`},
	{"banner = a\x00", `2:11: control character U+0000`},
	{"banner = a\rb", `2:11: control character U+000D`},
	{"# caf\xe9", `2:6: byte 0xe9 is not UTF-8 [save the file as UTF-8]`},
	{"banner = \u0085", `2:10: banner: control character U+0085`},
	{`shell = "/bin/a\nb"`, `2:16: shell: control character U+000A`},
	{`shell = /bin/a\tb`, `2:15: shell: control character U+0009`},
	// sections
	{`[dokersh]`, `2:2: unknown section "dokersh" [did you mean "dockersh"?]`},
	{`[Users "a"]`, `2:2: unknown section "Users" [did you mean "user"?]`},
	{`[core]`, `2:2: unknown section "core" [the sections are [dockersh], [group "NAME"] and [user "NAME"]]`},
	{`[dockersh "x"]`, `2:11: section "dockersh" has no name [write [dockersh]]`},
	{`[user]`, `2:2: section "user" needs a name [write [user "NAME"]]`},
	{`[group ""]`, `2:2: section "group" needs a name [write [group "NAME"]]`},
	{`[user alice]`, `2:7: expected the closing bracket of the section [a name is written in quotes, as in [user "alice"]]`},
	{`[user "alice"`, `2:14: expected the closing bracket of the section`},
	{`[user "alice]`, `2:7: the quote does not end on this line`},
	{`[user "DOM\alice"]`, `2:12: unknown escape sequence [a backslash itself is written twice]`},
	{`[`, `2:1: expected the name of a section after the bracket [the sections are [dockersh], [group "NAME"] and [user "NAME"]]`},
	{`[user!]`, `2:6: illegal character U+0021 '!'`},
	{`[us_er "x"]`, `2:4: illegal character U+005F '_'`},
	{`!x = 1`, `2:1: illegal character U+0021 '!'`},
	{`shell ! x`, `2:7: expected "=" after "shell"`},
	{`["x"]`, `2:1: expected the name of a section after the bracket [the sections are [dockersh], [group "NAME"] and [user "NAME"]]`},
	{`[dockersh] pull = never`, `2:12: expected nothing after the closing bracket [write the setting on a line of its own]`},
	// types
	{`mounthome = maybe`, `2:13: mounthome: "maybe" is neither true nor false [write true, yes, on or 1, or false, no, off or 0]`},
	{`mounthome =`, `2:12: mounthome: "" is neither true nor false [write true, yes, on or 1, or false, no, off or 0]`},
	{`pidslimit = many`, `2:13: pidslimit: "many" is not a whole number`},
	{`pidslimit = 99999999999999999999`, `2:13: pidslimit: "99999999999999999999" is too large`},
	{`pidslimit = -1`, `2:13: pidslimit: the number may not be negative [0 means no limit]`},
	{`linger = 15`, `2:10: linger: "15" is not a duration [write a number with its unit, such as 90s, 15m or 1h30m]`},
	{`linger = -1s`, `2:10: linger: a duration may not be negative`},
	{`cpus = lots`, `2:8: cpus: "lots" is not a positive decimal number [write a number of processors, such as 1.5]`},
	{`cpus = 1e3`, `2:8: cpus: "1e3" is not a positive decimal number [write a number of processors, such as 1.5]`},
	{`cpus = 0`, `2:8: cpus: "0" is not a positive decimal number [write a number of processors, such as 1.5]`},
	{`memory = 1x`, `2:10: memory: "1x" is not a size [write bytes or a number with b, k, m or g, such as 512m]`},
	{`memory = m`, `2:10: memory: "m" is not a size [write bytes or a number with b, k, m or g, such as 512m]`},
	{`pull = alway`, `2:8: pull: "alway" is not missing, always or never [did you mean "always"?]`},
	{`onchange = x`, `2:12: onchange: "x" is not keep, apply or recreate`},
	// sequences
	{`imagename = a%z`, `2:14: imagename: unknown sequence "%z" [the sequences are %u, %h, %U, %G, %s, %i, %k, %x and %%]`},
	{`imagename = "a\"%ü"`, `2:17: imagename: unknown sequence "%ü" [the sequences are %u, %h, %U, %G, %s, %i, %k, %x and %%]`},
	{`banner = 100%`, `2:13: banner: a single % at the end [a percent sign itself is written %%]`},
	{`env = A=%`, `2:9: env: a single % at the end [a percent sign itself is written %%]`},
	// values
	{`imagename =`, `2:12: imagename: the value may not be empty`},
	{`imagename = -x`, `2:13: imagename: "-x" begins with a dash`},
	{`imagename = a b`, `2:14: imagename: "a b" has a space in it`},
	{`shell = bash`, `2:9: shell: "bash" is not an absolute path`},
	{`shell = /bin/bash -l`, `2:18: shell: "/bin/bash -l" has a space in it [write the path of the program alone, without arguments]`},
	{`shell = %u`, `2:9: shell: "user" is not an absolute path`},
	{`usercwd = ~`, `2:11: usercwd: "~" is not an absolute path`},
	{`mounthometo = home`, `2:15: mounthometo: "home" is not an absolute path`},
	{`hostshell = sh`, `2:13: hostshell: "sh" is not an absolute path`},
	{`entrypoint = interal`, `2:14: entrypoint: "interal" is not an absolute path [did you mean "internal"?]`},
	{`entrypoint = sh`, `2:14: entrypoint: "sh" is not an absolute path [write "internal" or an absolute path]`},
	{`containername = a/b`, `2:18: containername: "/" is not allowed in the name of a container [a name has letters, digits, dots, dashes and underscores]`},
	{`containername = %u:x`, `2:19: containername: ":" is not allowed in the name of a container [a name has letters, digits, dots, dashes and underscores]`},
	{`containername = %uü`, `2:19: containername: "ü" is not allowed in the name of a container [a name has letters, digits, dots, dashes and underscores]`},
	{`containername = a%%`, `2:18: containername: "%" is not allowed in the name of a container [a name has letters, digits, dots, dashes and underscores]`},
	{`containername = .a`, `2:17: containername: the name of a container begins with a letter or a digit`},
	{`containername = a`, `2:17: containername: the name of a container has 2 to 100 characters`},
	{`containerusername = a:b`, `2:22: containerusername: "a:b" is not a user name [write a name, a numeric uid or uid:gid]`},
	{`containerusername = 1:b`, `2:21: containerusername: "1:b" is not a numeric uid or uid:gid`},
	{`containerusername = 4294967295`, `2:21: containerusername: "4294967295" is not a numeric uid or uid:gid`},
	{`dockersocket = tcp://h`, `2:16: dockersocket: "h" is not HOST:PORT`},
	{`dockersocket = tcp://-h:1`, `2:16: dockersocket: "-h:1" is not HOST:PORT`},
	{`dockersocket = tcp://h:1/x`, `2:16: dockersocket: "h:1/x" is not HOST:PORT`},
	{`dockersocket = tcp://[::1:1`, `2:16: dockersocket: "[::1:1" is not HOST:PORT`},
	{`dockersocket = ssh://-oProxyCommand=x`, `2:16: dockersocket: "-oProxyCommand=x" is not USER@HOST:PORT`},
	{`dockersocket = ssh://-l@h`, `2:16: dockersocket: "-l@h" is not USER@HOST:PORT`},
	{`dockersocket = ssh://u@h:0`, `2:16: dockersocket: "u@h:0" is not USER@HOST:PORT`},
	{`dockersocket = ftp://h`, `2:16: dockersocket: "ftp://h" is not the address of an engine [write the path of a socket, tcp://HOST:PORT, ssh://USER@HOST or kubernetes://NAMESPACE]`},
	{`dockersocket = docker.sock`, `2:16: dockersocket: "docker.sock" is not an absolute path`},
	{`dockersocket = unix://docker.sock`, `2:16: dockersocket: "docker.sock" is not an absolute path`},
	{`capdrop = net_raw`, `2:11: capdrop: "net_raw" is not a capability [write its name in capitals, such as NET_RAW, one a line, or ALL]`},
	{`capadd = SETUID SETGID`, `2:10: capadd: "SETUID SETGID" is not a capability [write its name in capitals, such as NET_RAW, one a line, or ALL]`},
	{`acceptenv = LC_*,TZ`, `2:17: acceptenv: "LC_*,TZ" is not a pattern for names of variables [write one name a line; * stands for any characters, ? for one]`},
	{`env = A B=1`, `2:8: env: "A B" is not the name of a variable [write NAME=VALUE]`},
	{`env = =1`, `2:7: env: "" is not the name of a variable [write NAME=VALUE]`},
	{`env = 1A=1`, `2:7: env: "1A" is not the name of a variable [write NAME=VALUE]`},
	{`volume = data`, `2:10: volume: "data" is not an absolute path`},
	{`volume = ./data:/x`, `2:10: volume: "./data" is neither an absolute path nor the name of a volume`},
	{`volume = /a:b`, `2:13: volume: "b" is not an absolute path [write SOURCE:TARGET or SOURCE:TARGET:ro]`},
	{`hostname = a_b c`, `2:15: hostname: "a_b c" is not a host name [a host name has letters, digits, dashes and dots]`},
	{`hostname = -a`, `2:12: hostname: "-a" is not a host name [it begins with a letter or digit and has at most 64]`},
	{`network = a b`, `2:12: network: "a b" has a space in it`},
	{`reverseforward = 80`, `2:18: reverseforward: "80" is not HOSTPORT:CONTAINERPORT`},
	{`reverseforward = 0:80`, `2:18: reverseforward: "0:80" is not HOSTPORT:CONTAINERPORT`},
	{`dockeropt = x`, `2:13: dockeropt: "x" is not an option [an option begins with a dash, such as -v or --label]`},
	{`dockeropt = --`, `2:13: dockeropt: "--" is not an option`},
	{`dockeropt = -v 'a`, `2:13: dockeropt: a quote is not closed, or a backslash ends the option`},
	{`dockeropt = --%u=1`, `2:13: dockeropt: the name of an option cannot have a %-sequence`},
	{`record = x.cast`, `2:10: record: "x.cast" is not an absolute path`},
	{`record = /var/log/%u/`, `2:10: record: "/var/log/user/" is not the path of a file`},
	{`recordmax = lots`, `2:13: recordmax: "lots" is not a size [write bytes or a number with b, k, m or g, such as 512m]`},
	{`recordmax = %U`, `2:13: recordmax: "%U" is not a size [write bytes or a number with b, k, m or g, such as 512m]`},
	{`recordmax = 0`, `2:13: recordmax: "0" is not a size [write bytes or a number with b, k, m or g, such as 512m]`},
	{`record = /var/log/../%u`, `2:10: record: "/var/log/../user" has .. in it`},
}

func TestWrongLineIsReportedWithItsPlaceAndAHint(t *testing.T) {
	for _, c := range wrongLines {
		_, err := Parse("rc", []byte("[dockersh]\n"+c.line+"\n"))
		if got := lines(t, err); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.line, got, c.want)
		}
		// The same without an end of line, where the file ends in the error.
		_, err = Parse("rc", []byte("[dockersh]\n"+c.line))
		if err == nil {
			t.Errorf("%s: accepted at the end of the file", c.line)
		}
	}
}

var rightLines = []string{
	`imagename = localhost:5000/a/b:1.0@sha256:0123`, `imagename = img-%u`,
	`containername = classroom`, `containername = %u-%U.%G_x`, `containername = %h`, `containername = -%u`,
	`containerusername = root`, `containerusername = 0`, `containerusername = 1000:1000`, `containerusername = %U:%G`,
	`containerusername = DOM\\alice`, `containerusername = a@b.example`, `containerusername = www-data`, `containerusername = 4294967294`,
	`shell = %s`, `shell = /bin/bash`, `usercwd = /`, `usercwd = %h/work`, `mounthomefrom = /srv/homes/%u`, `mounthomefrom = "/a b"`,
	`dockersocket = /run/user/%U/docker.sock`, `dockersocket = unix:///run/docker.sock`,
	`entrypoint = /sbin/init`, `entrypoint = internal`,
	`pull = never`, `memory = 32m`, `memory = 1.5G`, `memory = 67108864`, `memory =`, `cpus = 0.5`, `cpus = 2`, `cpus =`,
	`pidslimit = 0`, `env = A=b c`, `env = A=`, `env = A`, `env = _=%u %%`, `volume = /a:/b:ro`, `volume = data:/b`, `volume = /cache`,
	`network = none`, `network = container:x`, `network =`, `hostname = %u`, `hostname = lab.example`, `hostname =`,
	`capdrop = ALL`, `capdrop = CAP_NET_RAW`, `capadd = SYS_PTRACE`, `acceptenv = LC_*`, `acceptenv = GIT_?`, `acceptenv = *`,
	`record = /var/log/dockersh/%u/%x.cast`, `record = /r/a..b`, `record =`, `recordmax = 1.5g`, `recordmax =`,
	`banner = Hello %u\n`, `hostshell = /bin/bash`, `hostshell =`, `cmd = ""`, `cmd =`,
	`dockeropt = -v /srv/data:/data:ro`, `dockeropt = -m 32m`, "dockeropt = -m\t32m", `dockeropt = --privileged`,
	`enableuserconfig`, `enableuserimagename = false`, `enableuserreverseforward`,
	`reverseforward =`, `reverseforward = 8080:80`, `reverseforward = 5432:5432`,
}

func TestRightValuesAreAccepted(t *testing.T) {
	for _, line := range rightLines {
		parsed(t, "[user \"x\"]\n"+line+"\n")
	}
}

func TestAllErrorsAreReportedAtOnceAndInOrder(t *testing.T) {
	_, err := Parse("rc", []byte("shell = /x\n[dockersh\npull = x\nimagname = y\n[core]\nnosuch = 1\n[user \"a\"]\nmemory = z\nenv = A=\"\n"))
	want := `1:1: setting "shell" is before any section [begin with [dockersh]]
2:10: expected the closing bracket of the section
5:2: unknown section "core" [the sections are [dockersh], [group "NAME"] and [user "NAME"]]
8:10: memory: "z" is not a size [write bytes or a number with b, k, m or g, such as 512m]
9:7: env: the quote does not end on this line`
	if got := lines(t, err); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := err.Error(); got != `rc:1:1: setting "shell" is before any section (and 4 more)` {
		t.Errorf("in one line: %s", got)
	}
	var one *syntax.Error
	if !errors.As(err, &one) || one.Origin.String() != "rc:1" {
		t.Errorf("first error %v", one)
	}
}

func TestBinaryFileGivesFewErrors(t *testing.T) {
	_, err := Parse("rc", []byte(strings.Repeat("\x7fELF\x00\xff", 1000)))
	var es syntax.Errors
	if !errors.As(err, &es) || len(es) != 10 {
		t.Errorf("%d errors", len(es))
	}
}

func TestFileThatIsTooLargeIsRefused(t *testing.T) {
	for _, c := range []struct {
		parse func(string, []byte) (*File, error)
		limit int
		want  string
	}{
		{Parse, MaxFile, "1:1: the file is larger than 1024 KiB"},
		{ParseUser, MaxUserFile, "1:1: the file is larger than 64 KiB"},
	} {
		text := []byte("#" + strings.Repeat("x", c.limit))
		_, err := c.parse("rc", text)
		if got := lines(t, err); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
		if _, err := c.parse("rc", text[:c.limit]); err != nil {
			t.Errorf("at the limit: %v", err)
		}
	}
}

func TestErrorRepeatsLittleOfTheValue(t *testing.T) {
	_, err := Parse("rc", []byte("[dockersh]\npull = "+strings.Repeat("é", 5000)))
	if got := err.Error(); len(got) > 200 || strings.ContainsRune(got, '\n') {
		t.Errorf("%d bytes: %s", len(got), got)
	}
}
