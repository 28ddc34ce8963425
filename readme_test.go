package dockersh

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/rules/config"
)

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestREADMEHasTheTableOfSettings(t *testing.T) {
	_, text, ok := strings.Cut(read(t, "README.md"), "| setting | type | default | meaning |\n|---|---|---|---|\n")
	text, _, _ = strings.Cut(text, "\n\n")
	if !ok {
		t.Fatal("README.md has no table of settings")
	}
	rows := strings.Split(text, "\n")
	table := config.Table()
	if len(rows) != len(table) {
		t.Errorf("README.md has %d settings, config.Table %d", len(rows), len(table))
	}
	for i, d := range table {
		want := "| " + strings.Join([]string{d.Key, d.Type, d.Default, d.Meaning}, " | ") + " |"
		if i >= len(rows) || rows[i] != want {
			t.Errorf("row %d of README.md must be\n%s", i+1, want)
		}
	}
}

func TestTheManualPageHasTheTableOfSettings(t *testing.T) {
	text := read(t, "docs/man/dockershrc.5")
	item := regexp.MustCompile(`(?m)^\.It Ic (\S+)\n\.Em (\w+) (?:\.|,\ndefault\n\.Ql (.*) \.)$`)
	var got, want []string
	for _, m := range item.FindAllStringSubmatch(text, -1) {
		got = append(got, m[1]+" "+m[2]+" "+m[3])
	}
	for _, d := range config.Table() {
		want = append(want, d.Key+" "+d.Type+" "+d.Default)
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("dockershrc.5 has\n%s\nconfig.Table has\n%s", g, w)
	}
}

func TestThePagesShowTheExamplesAsTheyAre(t *testing.T) {
	pages := read(t, "README.md") + read(t, "docs/course.md")
	files, err := filepath.Glob("docs/examples/*.dockershrc")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, path := range files {
		text := read(t, path)
		if !strings.Contains(pages, "```\n"+text+"```\n") {
			t.Errorf("neither README.md nor docs/course.md shows %s as it is", path)
		}
		if _, err := config.Parse(path, []byte(text)); err != nil {
			t.Error(err)
		}
	}
}

// A page that names a test or a file of ours names one that is there.
func TestThePagesNameWhatIsThere(t *testing.T) {
	tests := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || path == "build" || path == "bin"):
			return filepath.SkipDir
		case strings.HasSuffix(path, "_test.go"):
			for _, m := range declared.FindAllStringSubmatch(read(t, path), -1) {
				tests[m[1]] = true
			}
		}
		return nil
	})
	if err != nil || len(tests) == 0 {
		t.Fatalf("%d tests, %v", len(tests), err)
	}
	named := regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z]\w+`)
	ours := regexp.MustCompile("`((?:internal|cmd|docs|dist|scripts|test)/[\\w./-]+)`")
	topics, err := filepath.Glob("docs/design/*.md")
	if err != nil || len(topics) == 0 {
		t.Fatalf("%d pages of topics, %v", len(topics), err)
	}
	for _, page := range append(topics, "README.md", "DESIGN.md", "PROTOCOL.md", "SECURITY.md", "NEWS.md") {
		text := read(t, page)
		for _, name := range named.FindAllString(text, -1) {
			if !tests[name] {
				t.Errorf("%s: there is no %s", page, name)
			}
		}
		for _, m := range ours.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(m[1]); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
}
