package values

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func TestDockerOptIsSplitAsAShellWould(t *testing.T) {
	for _, opt := range []string{
		`-v /srv/data:/data:ro`, `--label=a=b`, `-m32m`, `-v '/a b:/c'`, `-v "/a b:/c"`, `-v /a\ b:/c`,
		`--label "a\"b\\c\d"`, `--label 'a"b\c'`, `--label a''b"c"'d'`, `--label ''`, "  -m \t 1g  ", `--label a\'b`,
		`--label 'a$b'`, `--label "a;b&c|d"`, `--label grün`,
	} {
		got, bad := SplitDockerOpt(opt)
		if bad != nil {
			t.Errorf("%s: %s", opt, bad.Text)
			continue
		}
		out, err := exec.Command("/bin/sh", "-c", `printf '%s\n' `+opt).Output()
		if err != nil {
			t.Fatal(err)
		}
		if want := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n"); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, the shell says %q", opt, got, want)
		}
	}
}

func TestNothingInDockerOptIsExpanded(t *testing.T) {
	for opt, want := range map[string]string{
		`-e A=$HOME`:     "-e|A=$HOME",
		"-e A=`id`":      "-e|A=`id`",
		`-e A=$(id)`:     "-e|A=$(id)",
		`-v ~/x:/*`:      "-v|~/x:/*",
		`-e "A=${B}"`:    "-e|A=${B}",
		`--label a;b`:    "--label|a;b",
		`--label a&&b`:   "--label|a&&b",
		`--label #x`:     "--label|#x",
		`--label a{b,c}`: "--label|a{b,c}",
	} {
		got, bad := SplitDockerOpt(opt)
		if bad != nil || strings.Join(got, "|") != want {
			t.Errorf("%s: got %q, %v", opt, got, bad)
		}
	}
}

func TestDockerOptIsExactlyOneOption(t *testing.T) {
	for opt, want := range map[string]string{
		``:                    "the option is empty",
		`   `:                 "the option is empty",
		`ubuntu`:              `"ubuntu" is not an option`,
		`''`:                  `"" is not an option`,
		`-`:                   `"-" is not an option`,
		`--`:                  `"--" is not an option`,
		`-- ubuntu`:           `"--" is not an option`,
		`--=x`:                `"--=x" is not an option`,
		`-v /a:/b ubuntu`:     "3 words, but an option has one value at most",
		`-v /a:/b; rm -rf /`:  "5 words, but an option has one value at most",
		`--label=a ubuntu`:    `"--label" already has its value`,
		`--privileged ubuntu`: `"--privileged" takes no value`,
		`-it ubuntu`:          `"-it" takes no value`,
		`-v "a`:               "a quote is not closed, or a backslash ends the option",
		`-v a\`:               "a quote is not closed, or a backslash ends the option",
		`--%u x`:              "the name of an option cannot have a %-sequence",
		`-%u`:                 "the name of an option cannot have a %-sequence",
		`--cap-%u=NET_RAW`:    "the name of an option cannot have a %-sequence",
		`%u`:                  `"%u" is not an option`,
	} {
		_, bad := SplitDockerOpt(opt)
		if bad == nil || bad.Text != want {
			t.Errorf("%s: got %v, want %s", opt, bad, want)
		}
	}
}
