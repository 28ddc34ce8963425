package e2e

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// lanes are all of them, by the names that tests write.
var lanes = map[string]Lane{
	"EveryDoor": EveryDoor, "RootDoors": RootDoors, "AnyDoor": AnyDoor, "AnyRootDoor": AnyRootDoor, "BehindDoors": BehindDoors,
	"ServiceDoor": ServiceDoor, "SetuidDoor": SetuidDoor, "DirectDoor": DirectDoor, "Bench": Bench,
}

// needNoReason are the lanes that leave no door out, or none that matters.
var needNoReason = []string{"EveryDoor", "AnyDoor", "BehindDoors", "Bench"}

// declaredTest is a test of a folder, with its first statement.
type declaredTest struct {
	folder, name string
	first        ast.Stmt
}

func declaredTests(t *testing.T) (all []declaredTest) {
	t.Helper()
	files, err := filepath.Glob("*/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Recv != nil || !strings.HasPrefix(f.Name.Name, "Test") || f.Name.Name == "TestMain" {
				continue
			}
			d := declaredTest{folder: filepath.Dir(path), name: f.Name.Name}
			if len(f.Body.List) > 0 {
				d.first = f.Body.List[0]
			}
			all = append(all, d)
		}
	}
	if len(all) < 250 {
		t.Fatalf("only %d tests in %d files", len(all), len(files))
	}
	return all
}

// lane returns the name of the test's lane and whether the test says why. The name is
// empty if the test does not begin with e2e.Run(t, e2e.LANE, ...) or
// e2e.Run(t, e2e.LANE.On(...), ...).
func (d declaredTest) lane() (name string, reason bool) {
	stmt, ok := d.first.(*ast.ExprStmt)
	if !ok {
		return "", false
	}
	call, ok := stmt.X.(*ast.CallExpr)
	if !ok || exported(call.Fun) != "Run" || len(call.Args) < 2 {
		return "", false
	}
	lane := call.Args[1]
	if on, ok := lane.(*ast.CallExpr); ok {
		if s, ok := on.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "On" {
			lane = s.X
		}
	}
	return exported(lane), len(call.Args) > 2
}

// exported returns X of an expression e2e.X.
func exported(e ast.Expr) string {
	s, ok := e.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	if x, ok := s.X.(*ast.Ident); !ok || x.Name != "e2e" {
		return ""
	}
	return s.Sel.Name
}

func TestEachTestNamesItsLane(t *testing.T) {
	for _, d := range declaredTests(t) {
		name, reason := d.lane()
		if _, ok := lanes[name]; !ok {
			t.Errorf("%s: %s does not begin with e2e.Run(t, e2e.LANE): it would run in no lane, or in all", d.folder, d.name)
		} else if !reason && !slices.Contains(needNoReason, name) {
			t.Errorf("%s: %s does not say why it is of %s", d.folder, d.name, name)
		}
		if (name == "Bench") != (d.folder == "bench") {
			t.Errorf("%s: %s is of %s", d.folder, d.name, name)
		}
	}
}

// command is a `go test` of the Makefile with end-to-end tests.
type command struct {
	door          string
	onlyDiffering bool
	packages      []string // ./DIRECTORY, or ./DIRECTORY/...
}

// runs reports whether the command tests the package in a directory.
func (c command) runs(dir string) bool {
	return slices.ContainsFunc(c.packages, func(p string) bool {
		top, below := strings.CutSuffix(p, "/...")
		return p == "./"+dir || below && strings.HasPrefix("./"+dir+"/", top+"/")
	})
}

// commandsOf returns what a target of the Makefile runs.
func commandsOf(t *testing.T, target string) (all []command) {
	t.Helper()
	cmd := exec.Command("make", "-n", target)
	cmd.Dir = "../.."
	cmd.Env = slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.Contains(e, "FLAGS=") }) // of a make around this test
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("make -n %s: %v\n%s", target, err, out)
	}
	for line := range strings.SplitSeq(strings.NewReplacer("\\\n", " ", ";", "\n").Replace(string(out)), "\n") {
		if !strings.Contains(line, " test ") || !strings.Contains(line, "-tags") {
			continue
		}
		if strings.Contains(line, " -skip") || strings.Contains(line, " -run") {
			t.Errorf("make %s chooses tests by their names: %s", target, line)
		}
		c := command{door: "service", onlyDiffering: strings.Contains(line, "DIFFERING=1")}
		for word := range strings.FieldsSeq(line) {
			word = strings.Trim(word, `'"`)
			if door, ok := strings.CutPrefix(word, "DOOR="); ok {
				c.door = door
			}
			if strings.HasPrefix(word, "./") {
				c.packages = append(c.packages, word)
			}
		}
		all = append(all, c)
	}
	return all
}

func TestTheMakefileRunsEachLane(t *testing.T) {
	commands := map[string][]command{}
	for _, target := range []string{"e2e", "e2e-doors", "bench"} {
		commands[target] = commandsOf(t, target)
	}
	runs := func(target, dir, door string, more bool) bool {
		return slices.ContainsFunc(commands[target], func(c command) bool {
			return c.door == door && !(more && c.onlyDiffering) && c.runs(dir)
		})
	}
	for _, d := range declaredTests(t) {
		name, _ := d.lane()
		target, dir := "e2e", "test/e2e/"+d.folder
		if name == "Bench" {
			target = "bench"
		}
		for _, door := range lanes[name].doors {
			if !runs(target, dir, door, false) {
				t.Errorf("make %s does not run %s of %s through the %s door", target, d.name, dir, door)
			}
		}
		for _, door := range lanes[name].moreDoors {
			if !runs("e2e-doors", dir, door, true) {
				t.Errorf("make e2e-doors does not run %s of %s through the %s door", d.name, dir, door)
			}
		}
	}
	// Packages with tests that need an engine, and no door.
	n := 0
	err := filepath.WalkDir("../../internal", func(path string, _ fs.DirEntry, err error) error {
		if !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if strings.HasPrefix(string(text), "//go:build e2e\n") {
			n++
			if dir := filepath.Dir(strings.TrimPrefix(path, "../../")); !runs("e2e", dir, "service", false) {
				t.Errorf("make e2e does not run the tests of %s", path)
			}
		}
		return err
	})
	if err != nil || n == 0 {
		t.Errorf("%d files with the tag e2e below internal, %v", n, err)
	}
}
