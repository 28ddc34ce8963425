package ctl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/enginetest"
)

// completed returns the candidates for the last word.
func completed(t *testing.T, open engine.Opener, words ...string) (all []string) {
	t.Helper()
	var out, errs bytes.Buffer
	status := run(t.Context(), cli.Env{Out: &out, Engines: &engine.Clients{Open: open}}, &errs, append([]string{forCompletion}, words...))
	if status != 0 || errs.Len() > 0 {
		t.Errorf("%q: %d, %s", words, status, errs.String())
	}
	for line := range strings.Lines(out.String()) {
		word, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		all = append(all, word)
	}
	return all
}

func TestOptionsAndWordsAreThoseOfTheHelp(t *testing.T) {
	rm, _ := find("rm")
	want := []option{{"", "--user", "USER", "all containers that are this user's alone"}, {"", "--all", "", "all containers that dockersh made"},
		{"-f", "--force", "", "also containers with sessions in them, which end"}, {"-y", "--yes", "", "do not ask"}}
	if got := rm.options(); !slices.Equal(got[:len(got)-1], want) {
		t.Errorf("%q", got)
	}
	for name, want := range map[string]string{
		"ls": "[]", "reset": "[{[NAME] true}]", "commit": "[{[NAME] false} {[IMAGE] false}]", "kick": "[{[ID NAME] true}]",
		"message": "[{[ID NAME] true} {[TEXT] false}]", "explain": "[{[USER] false}]", "check": "[{[FILE] false}]", "replay": "[{[FILE] false}]",
		"sshd-config": "[{[USER] true}]", "doctor": "[{[USER] true}]", "start": "[{[NAME] true}]", "watch": "[{[ID NAME] false}]", "sessions": "[]",
		"metrics": "[]", "help": "[{[COMMAND] false}]",
	} {
		c, err := find(name)
		if got := fmt.Sprint(c.arguments()); err != nil || got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// The help, by which words are completed, and the parser of each command know the same options.
func TestEveryOptionOfTheHelpIsTakenByItsCommand(t *testing.T) {
	long := regexp.MustCompile(`--[a-z][a-z-]*`)
	for _, c := range commands() {
		for _, name := range long.FindAllString(c.args, -1) {
			if _, ok := c.option(name); !ok {
				t.Errorf("the help of %s has no line for %s", c.name, name)
			}
		}
		for _, o := range c.options() {
			if o.name == "--help" {
				continue // not the command's own
			}
			args := []string{o.name}
			if o.value != "" {
				args = append(args, "x")
			}
			err := c.run(t.Context(), cli.Env{Out: &bytes.Buffer{}, Engines: &engine.Clients{}}, append(args, "--no-such-option"))
			if !errors.Is(err, cli.ErrMisuse) || strings.Contains(err.Error(), "unknown option \""+o.name) {
				t.Errorf("%s %q: %v", c.name, args, err)
			}
		}
	}
}

func TestWordsAreCompletedByTheirPlace(t *testing.T) {
	none := func(engine.Address) (engine.Engine, error) { return nil, engine.ErrDown }
	for _, c := range []struct {
		words string // the last one may be empty
		want  string
	}{
		{"res", "restart reset"},
		{"re nonsense ", ""},
		{"", ""}, // as many as there are commands: below
		{"rm --f", "--force"},
		{"rm -- --f", ""},
		{"ls ", "--quiet --size --json --help"},
		{"ls --json --q", "--quiet"},
		{"explain roo", "root"},
		{"explain --client ", ""},
		{"explain --client 192.0.2.1 roo", "root"},
		{"explain root ", "--client --json --help"},
		{"kick --user roo", "root"},
		{"kick --user=roo", "--user=root"},
		{"kick --all=roo", ""},
		{"kick --nonsense=", ""},
		{"start --group roo", "root"},
		{"sshd-config --group roo", "root"},
		{"doctor --accept inv", "inventory"},
		{"doctor --accept=home-quota,inv", "--accept=home-quota,inventory"},
		{"doctor root roo", ""}, // it stands there already
		{"check ", files},
		{"check --engine /et", files},
		{"metrics --textfile /va", files},
		{"metrics --textfile=/va", ""},
		{"replay x.cast --sp", "--speed"},
		{"help mess", "message"},
		{"__complete ", ""},
	} {
		got := strings.Join(completed(t, none, strings.Split(c.words, " ")...), " ")
		if c.words == "" {
			if n := len(strings.Fields(got)); n != len(commands()) {
				t.Errorf("%d commands of %d", n, len(commands()))
			}
			continue
		}
		if got != c.want {
			t.Errorf("%q: %q, want %q", c.words, got, c.want)
		}
	}
	if got := completed(t, none); got != nil {
		t.Errorf("without a word: %q", got)
	}
}

func TestNamesThatAShellReadsOtherwiseAreNotOffered(t *testing.T) {
	for name, want := range map[string]bool{
		"alice": true, "a.b-c_D9": true, "alice@corp.example": true, "registry:5000/debian:12": true, "sha256:0a@b": true,
		"": false, "-rf": false, "+x": false, files: false, "alice\n": false, "$(reboot)": false, "a;b": false, "a b": false, "a`b`": false, "a'b": false, `a"b`: false, `DOM\a`: false,
		"a\nb": false, "a\tb": false, "a\x1b[2J": false, "a*": false, "a?": false, "a[b]": false, "{a,b}": false, "~a": false, "a~": false, "a!b": false,
		"a#b": false, "a&b": false, "a|b": false, "a<b": false, "a=b": false, "a%b": false, "ä": false, "a\u202eb": false, "a^b": false, "a(b)": false,
	} {
		if plain.MatchString(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}

func TestContainersAndImagesAreThoseOfTheEngines(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	e := enginetest.New()
	labels := map[string]string{engine.LabelOwner: "0", engine.LabelUser: "root", engine.LabelIdentity: "u=root"}
	for name, image := range map[string]string{"a_dockersh": "debian:12", "b_dockersh": "debian:12", "c_dockersh": "x$(reboot)"} {
		e.Add(engine.Container{Name: name, Image: image, Labels: labels})
	}
	open := func(engine.Address) (engine.Engine, error) { return e, nil }
	for words, want := range map[string]string{"stop ": "a_dockersh b_dockersh c_dockersh", "stop a_dockersh b_": "b_dockersh", "stop a_dockersh a_": "",
		"commit ": "a_dockersh b_dockersh c_dockersh", "commit a_dockersh ": "debian:12", "commit a_dockersh debian:1": "debian:12"} {
		if got := strings.Join(completed(t, open, strings.Split(words, " ")...), " "); got != want {
			t.Errorf("%q: %q, want %q", words, got, want)
		}
	}
	e.Fail("List", errors.New("no answer"))
	if got := completed(t, open, "stop", ""); got != nil {
		t.Errorf("of an engine that fails: %q", got)
	}
}

func TestCandidatesHaveALimitOfNumberAndTime(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	e := enginetest.New()
	for i := range maxCandidates + 10 {
		e.Add(engine.Container{Name: fmt.Sprint("c", i), Labels: map[string]string{engine.LabelOwner: "0", engine.LabelUser: "root", engine.LabelIdentity: "u=root"}})
	}
	open := func(engine.Address) (engine.Engine, error) { return e, nil }
	if n := len(completed(t, open, "stop", "")); n != maxCandidates {
		t.Errorf("%d candidates", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	complete(ctx, cli.Env{Out: &out, Engines: &engine.Clients{Open: open}}, []string{"stop", ""})
	if out.Len() > 0 {
		t.Errorf("after its end: %q", out.String())
	}
}

// They name no command and no option.
func TestCompletionsOfShellsAskTheProgram(t *testing.T) {
	for _, name := range []string{"dockershctl.bash", "_dockershctl", "dockershctl.fish"} {
		text := read(t, "dist/completion/"+name)
		if !strings.Contains(text, "dockershctl "+forCompletion+" ") || strings.Contains(text, "--json") || strings.Contains(text, "restart") {
			t.Errorf("%s", name)
		}
	}
}
