package dockersh

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// code returns the files of the programs' code.
func code(t *testing.T) []string {
	t.Helper()
	return slices.DeleteFunc(files(t, ".go"), func(path string) bool {
		return strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "test/")
	})
}

// eachFile calls do for each file of the programs' code.
func eachFile(t *testing.T, do func(set *token.FileSet, file *ast.File)) {
	t.Helper()
	for _, path := range code(t) {
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		do(set, file)
	}
}

// The linter lets the errors of system calls pass, and a wrapper may wrap them one day.
func TestErrorsAreComparedWithErrorsIs(t *testing.T) {
	sentinel := regexp.MustCompile(`^((\w+\.)?[Ee]rr[A-Z]\w*|(unix|syscall)\.E[A-Z0-9]+|io\.EOF|context\.(Canceled|DeadlineExceeded))$`)
	isError := func(e ast.Expr) bool {
		switch e := e.(type) {
		case *ast.Ident:
			return sentinel.MatchString(e.Name)
		case *ast.SelectorExpr:
			pkg, ok := e.X.(*ast.Ident)
			return ok && sentinel.MatchString(pkg.Name+"."+e.Sel.Name)
		}
		return false
	}
	eachFile(t, func(set *token.FileSet, file *ast.File) {
		ast.Inspect(file, func(n ast.Node) bool {
			compares := false
			switch n := n.(type) {
			case *ast.BinaryExpr:
				compares = (n.Op == token.EQL || n.Op == token.NEQ) && (isError(n.X) || isError(n.Y))
			case *ast.CaseClause:
				compares = slices.ContainsFunc(n.List, isError)
			}
			if compares {
				t.Errorf("%s: an error is compared by value, not with errors.Is", set.Position(n.Pos()))
			}
			return true
		})
	})
}

// What is longer is not read to its end.
func TestNoLineOfCodeIsTooLong(t *testing.T) {
	const ofCode, ofComments = 140, 110
	for _, path := range slices.Concat(code(t), files(t, ".c"), files(t, ".h")) {
		for n, line := range strings.Split(read(t, path), "\n") {
			limit, text := ofCode, strings.TrimSpace(line)
			if strings.HasPrefix(text, "//") || strings.HasPrefix(text, "/*") || strings.HasPrefix(text, "* ") {
				limit = ofComments
			}
			if columns := utf8.RuneCountInString(strings.ReplaceAll(line, "\t", "    ")); columns > limit {
				t.Errorf("%s:%d: %d columns, and may have %d", path, n+1, columns, limit)
			}
		}
	}
}

// A hint is a command to run, and not a wish: what there is to do besides stands behind it.
func TestHintsForAdministratorsNameACommand(t *testing.T) {
	const ask, run = "ask the administrator to ", "run: "
	seen := 0
	for _, path := range code(t) {
		for n, line := range strings.Split(read(t, path), "\n") {
			if _, hint, found := strings.Cut(line, ask); found && !strings.HasPrefix(strings.TrimSpace(line), "//") {
				seen++
				if !strings.HasPrefix(hint, run) {
					t.Errorf("%s:%d: %s%s does not begin with a command", path, n+1, ask, hint)
				}
			}
		}
	}
	if seen == 0 {
		t.Error("no hint is for administrators")
	}
}
