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

// files returns the files of the tree whose names end in suffix, but for what was
// built.
func files(t *testing.T, suffix string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || path == "build" || path == "bin"):
			return filepath.SkipDir
		case strings.HasSuffix(path, suffix):
			found = append(found, path)
		}
		return nil
	})
	if err != nil || len(found) == 0 {
		t.Fatalf("%d files end in %s, %v", len(found), suffix, err)
	}
	return found
}

func TestREADMEIsReadInFiveMinutes(t *testing.T) {
	const limit = 1200
	if n := len(strings.Fields(read(t, "README.md"))); n > limit {
		t.Errorf("README.md has %d words, and may have %d", n, limit)
	}
}

// plain removes the macros from a paragraph of mdoc(7).
func plain(mdoc string) string {
	mdoc = regexp.MustCompile(`(?m)^\.Fl `).ReplaceAllString(mdoc, "-")
	mdoc = regexp.MustCompile(`(?m)^\.[A-Z][a-z] `).ReplaceAllString(mdoc, "")
	mdoc = regexp.MustCompile(`\s+`).ReplaceAllString(strings.ReplaceAll(mdoc, `\&`, ""), " ")
	return regexp.MustCompile(` ([,.;:])(?: |$)`).ReplaceAllString(mdoc, "$1 ")
}

func TestManualPageHasTheTableOfSettings(t *testing.T) {
	_, text, _ := strings.Cut(read(t, "docs/man/dockershrc.5"), ".Sh SETTINGS\n")
	text, _, _ = strings.Cut(text, ".Sh ")
	head := regexp.MustCompile(`^(\S+)\n\.Em (\w+) (?:\.|,\ndefault\n\.Ql (.*) \.)\n`)
	items := strings.Split(text, "\n.It Ic ")[1:]
	table := config.Table()
	if len(items) != len(table) {
		t.Errorf("dockershrc.5 has %d settings, config.Table %d", len(items), len(table))
	}
	for i, d := range table[:min(len(table), len(items))] {
		m := head.FindStringSubmatch(items[i])
		if m == nil || m[1] != d.Key || m[2] != d.Type || m[3] != d.Default {
			t.Errorf("item %d of dockershrc.5 must begin as %s, %s, %q, and begins as\n%.60s", i+1, d.Key, d.Type, d.Default, items[i])
			continue
		}
		meaning := strings.ToUpper(d.Meaning[:1]) + d.Meaning[1:] + ". "
		if got := plain(items[i][len(m[0]):]) + " "; !strings.HasPrefix(got, meaning) {
			t.Errorf("dockershrc.5, %s: must begin\n%s\nand begins\n%.*s", d.Key, meaning, len(meaning), got)
		}
	}
}

func TestExamplesAreListedAndParsedAndShownAsTheyAre(t *testing.T) {
	examples, err := filepath.Glob("docs/examples/*.dockershrc")
	if err != nil || len(examples) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	list := read(t, "docs/examples/README.md")
	byFirstLine := map[string]string{}
	for _, path := range examples {
		text := read(t, path)
		if _, err := config.Parse(path, []byte(text)); err != nil {
			t.Error(err)
		}
		if name := filepath.Base(path); !strings.Contains(list, "]("+name+")") {
			t.Errorf("docs/examples/README.md has no link to %s", name)
		}
		first, _, _ := strings.Cut(text, "\n")
		byFirstLine[first] = text
	}
	block := regexp.MustCompile("(?ms)^```\\w*\n(.*?)^```$")
	shown := map[string]bool{}
	for _, page := range files(t, ".md") {
		for _, m := range block.FindAllStringSubmatch(read(t, page), -1) {
			first, _, _ := strings.Cut(m[1], "\n")
			text, known := byFirstLine[first]
			if known && text != m[1] {
				t.Errorf("%s does not show the example that begins %q as it is", page, first)
			}
			shown[page] = shown[page] || known
		}
	}
	for _, page := range []string{"README.md", "docs/course.md"} {
		if !shown[page] {
			t.Errorf("%s shows none of the examples", page)
		}
	}
}

// A page that names a test or a file of ours names one that is there.
func TestPagesNameTestsAndFilesThatExist(t *testing.T) {
	tests := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	for _, path := range files(t, "_test.go") {
		for _, m := range declared.FindAllStringSubmatch(read(t, path), -1) {
			tests[m[1]] = true
		}
	}
	named := regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z]\w+`)
	ours := regexp.MustCompile("`((?:internal|cmd|docs|dist|scripts|test)/[\\w./-]+)`")
	for _, page := range files(t, ".md") {
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

var heading = regexp.MustCompile(`(?m)^#+ (.*)$`)

// anchors returns the anchors of a page's headings, as GitHub makes them.
func anchors(page string) map[string]bool {
	found := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(page, -1) {
		kept := regexp.MustCompile(`[^\w\s-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		found[strings.ReplaceAll(kept, " ", "-")] = true
	}
	return found
}

func TestLinksBetweenPagesResolve(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"`)
	seen := 0
	for _, page := range files(t, ".md") {
		for _, m := range link.FindAllStringSubmatch(read(t, page), -1) {
			target := m[1] + m[2]
			if strings.Contains(target, ":") {
				continue // not between pages
			}
			seen++
			path, anchor, _ := strings.Cut(target, "#")
			if path = filepath.Join(filepath.Dir(page), path); strings.HasPrefix(target, "#") {
				path = page
			}
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s: %v", page, err)
			} else if anchor != "" && !anchors(read(t, path))[anchor] {
				t.Errorf("%s: %s has no heading for #%s", page, path, anchor)
			}
		}
	}
	if seen == 0 {
		t.Error("no page has a link")
	}
}

// What dockershctl doctor prints behind "why:" leads somewhere.
func TestDoctorRefersToPagesAndHeadingsThatExist(t *testing.T) {
	reference := regexp.MustCompile(`why: +"([\w./-]+\.md)(?:, ([^"]+))?"`)
	seen := 0
	for _, path := range files(t, ".go") {
		if !strings.Contains(path, "/doctor/") {
			continue
		}
		for _, m := range reference.FindAllStringSubmatch(read(t, path), -1) {
			seen++
			if page := read(t, m[1]); m[2] != "" && !regexp.MustCompile(`(?m)^#+ `+regexp.QuoteMeta(m[2])+`$`).MatchString(page) {
				t.Errorf("%s: %s has no heading %q", path, m[1], m[2])
			}
		}
	}
	if seen == 0 {
		t.Error("no check refers to a page")
	}
}

// A newcomer who does not find a package on this page does not find it.
func TestDesignSaysWhereEveryPackageIs(t *testing.T) {
	page := read(t, "docs/design/where.md")
	for _, pkg := range golist(t, "./internal/...") {
		if name := own(pkg); !strings.Contains(page, "`"+name+"`") && !strings.Contains(page, "`"+name+"/") {
			t.Errorf("docs/design/where.md does not name %s", name)
		}
	}
}

// A page that names what a package or a type declares, as in `door.CheckProgram` or
// `Plan.CheckEntry`, names what it declares today; so does one that names it behind a file,
// as in `dir/file.go` (`word`).
func TestPagesNameWhatTheCodeDeclares(t *testing.T) {
	sources := map[string]string{}
	// The fields of a type, or one of its methods.
	ofType := regexp.MustCompile(`(?ms)^type (\w+) (?:struct|interface) \{\n(.*?)^\}|^func \(\w+ \*?(\w+)(?:\[[^\]]*\])?\) (\w+)\(`)
	for _, path := range files(t, ".go") {
		if !strings.HasSuffix(path, "_test.go") {
			sources[path] = read(t, path)
			sources[filepath.Base(filepath.Dir(path))+"."] += sources[path]
			for _, m := range ofType.FindAllStringSubmatch(sources[path], -1) {
				sources[m[1]+m[3]+"."] += m[2] + "\t" + m[4] + "\n"
			}
		}
	}
	declares := func(source, name string) bool {
		return regexp.MustCompile(`(?m)^(?:func (?:\([^)]*\) )?|type |var |const |\t)` + name + `\b`).MatchString(source)
	}
	dotted := regexp.MustCompile("`((?:[a-z]+|[A-Z]\\w*)\\.)([A-Z]\\w+)`")
	ofFile := regexp.MustCompile("`(internal/[\\w./]+\\.go)` \\(`(\\w+)`\\)")
	for _, page := range files(t, ".md") {
		text := read(t, page)
		for _, m := range append(dotted.FindAllStringSubmatch(text, -1), ofFile.FindAllStringSubmatch(text, -1)...) {
			if !declares(sources[m[1]], m[2]) {
				t.Errorf("%s: nothing declares %s", page, m[0])
			}
		}
	}
}

// The page on logins explains every reason why one is cold.
func TestTheLoginPageHasEveryColdReason(t *testing.T) {
	page := read(t, "docs/design/login.md")
	reasons := regexp.MustCompile(`(?m)^\t\w+\s+ColdReason = "(.+)"$`).FindAllStringSubmatch(read(t, "internal/root/bringup/bringup.go"), -1)
	if len(reasons) < 5 {
		t.Fatalf("%d reasons", len(reasons))
	}
	for _, r := range reasons {
		if !strings.Contains(page, r[1]) {
			t.Errorf("docs/design/login.md does not explain %q", r[1])
		}
	}
}
