package dockersh

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// eachFile calls do for each file of the programs' code.
func eachFile(t *testing.T, do func(set *token.FileSet, file *ast.File)) {
	t.Helper()
	for _, path := range files(t, ".go") {
		if strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "test/") {
			continue
		}
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
