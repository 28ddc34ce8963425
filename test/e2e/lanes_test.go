package e2e

import (
	"go/ast"
	"go/parser"
	"go/token"
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

// command is a `go test` of the Makefile.
type command struct {
	door          string
	onlyDiffering bool
	folders       []string
}

// commandsOf returns the end-to-end tests that a target of the Makefile runs.
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
		if !strings.Contains(line, " test ") || !strings.Contains(line, "./test/e2e") {
			continue
		}
		c := command{door: "service", onlyDiffering: strings.Contains(line, "DIFFERING=1")}
		if strings.Contains(line, " -skip") || strings.Contains(line, " -run") && target != "bench" {
			t.Errorf("%s chooses tests by their names: %s", target, line)
		}
		for word := range strings.FieldsSeq(line) {
			word = strings.Trim(word, `'"`)
			if door, ok := strings.CutPrefix(word, "DOOR="); ok {
				c.door = door
			}
			if folder, ok := strings.CutPrefix(word, "./test/e2e/"); ok {
				c.folders = append(c.folders, folder)
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
	runs := func(target, folder, door string, more bool) bool {
		return slices.ContainsFunc(commands[target], func(c command) bool {
			return c.door == door && !(more && c.onlyDiffering) && slices.Contains(c.folders, folder)
		})
	}
	for _, d := range declaredTests(t) {
		name, _ := d.lane()
		target := "e2e"
		if name == "Bench" {
			target = "bench"
		}
		for _, door := range lanes[name].doors {
			if !runs(target, d.folder, door, false) {
				t.Errorf("make %s does not run %s of %s through the %s door", target, d.name, d.folder, door)
			}
		}
		for _, door := range lanes[name].moreDoors {
			if !runs("e2e-doors", d.folder, door, true) {
				t.Errorf("make e2e-doors does not run %s of %s through the %s door", d.name, d.folder, door)
			}
		}
	}
}
