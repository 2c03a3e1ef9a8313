package internal_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/internal/fault"
)

// TestSentinels holds every fault that a module or a service declares to a code of its
// own. Faults are equal when their codes are, so one with a kind's name would equal the
// 404 of a neighbour's router, or the 503 of a door that was shut.
//
// The gateway is left out: it stands for a router, gives a router's answers, and nobody
// compares them.
func TestSentinels(t *testing.T) {
	t.Parallel()
	generic := map[string]bool{"": true}
	for kind := fault.Internal; kind <= fault.Unavailable; kind++ {
		generic[kind.String()] = true
	}
	delete(generic, fault.Declined.String()) // no router answers 402

	found := 0
	files := token.NewFileSet()
	visit := func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") ||
			strings.Contains(path, "/gateway/") {
			return err
		}
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, declared := range file.Decls {
			if _, function := declared.(*ast.FuncDecl); function {
				continue
			}
			ast.Inspect(declared, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || !isFaultNew(call.Fun) {
					return true
				}
				found++
				literal, ok := call.Args[1].(*ast.BasicLit)
				require.True(t, ok, "%s: write the code as a literal", files.Position(call.Pos()))
				code, err := strconv.Unquote(literal.Value)
				require.NoError(t, err)
				if generic[code] {
					t.Errorf("%s: the code %q is the kind's; give this fault one of its own", files.Position(call.Pos()), code)
				}
				return true
			})
		}
		return nil
	}
	for _, side := range []string{"monolith", "services"} {
		require.NoError(t, filepath.WalkDir(filepath.Join("..", side), visit))
	}
	require.Greater(t, found, 20)
}

func isFaultNew(fun ast.Expr) bool {
	selector, ok := fun.(*ast.SelectorExpr)
	if !ok || selector.Sel.Name != "New" {
		return false
	}
	pkg, ok := selector.X.(*ast.Ident)
	return ok && pkg.Name == "fault"
}
