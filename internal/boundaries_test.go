package internal_test

// The rules of the house: who may import whom, where Echo may appear, and that
// twins stay twins.

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

const module = "banyan"

// pkg is what go list says about a package.
type pkg struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string
	Module     *struct{ Path string }
}

// ours lists the packages of this module by their path within it.
func ours(t *testing.T) map[string]pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,Imports,Module", "-deps", "./...")
	cmd.Dir = ".."
	out, err := cmd.Output()
	require.NoError(t, err)
	found := map[string]pkg{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else {
			require.NoError(t, err)
		}
		if p.Module != nil && p.Module.Path == module {
			found[strings.TrimPrefix(p.ImportPath, module+"/")] = p
		}
	}
	require.Contains(t, found, "monolith")
	return found
}

// local are the imports that stay in this module.
func (p pkg) local() []string {
	var in []string
	for _, i := range p.Imports {
		if rest, ok := strings.CutPrefix(i, module+"/"); ok {
			in = append(in, rest)
		}
	}
	return in
}

// area is the service or module that a path belongs to, such as orders.
func area(path, root string) string {
	rest, ok := strings.CutPrefix(path, root+"/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

func TestImports(t *testing.T) {
	t.Parallel()
	for name, p := range ours(t) {
		for _, imported := range p.local() {
			switch {
			case area(name, "services") != "":
				require.NotEqual(t, "monolith", first(imported), "%s imports %s: a service stands alone", name, imported)
				if other := area(imported, "services"); other != "" {
					require.Equal(t, area(name, "services"), other, "%s imports %s: services speak over the wire", name, imported)
				}
			case area(name, "monolith") != "":
				require.NotEqual(t, "services", first(imported), "%s imports %s", name, imported)
				if other := area(imported, "monolith"); other != "" {
					require.Equal(t, area(name, "monolith"), other,
						"%s imports %s: a module declares what it needs of another, and main.go joins them", name, imported)
				}
			case first(name) == "internal":
				require.Equal(t, "internal", first(imported), "%s imports %s: the chassis serves any domain", name, imported)
			}
		}
	}
}

func first(path string) string {
	name, _, _ := strings.Cut(path, "/")
	return name
}

func TestChassisNamesNoBusinessNoun(t *testing.T) {
	t.Parallel()
	nouns := []string{"book", "books", "order", "orders", "cart", "carts", "stock", "payment", "payments", "shipment",
		"shipments", "customer", "customers", "catalog", "inventory", "bestseller", "bestsellers", "isbn"}
	for name, p := range ours(t) {
		if first(name) != "internal" {
			continue
		}
		for file, tree := range parse(t, p) {
			ast.Inspect(tree, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok {
					for _, word := range words(id.Name) {
						require.NotContains(t, nouns, word, "%s names %s", file, id.Name)
					}
				}
				return true
			})
		}
	}
}

// words splits an identifier where its case changes.
func words(identifier string) []string {
	var b strings.Builder
	for i, r := range identifier {
		if i > 0 && unicode.IsUpper(r) || r == '_' {
			b.WriteByte(' ')
		}
		if r != '_' {
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return strings.Fields(b.String())
}

func TestEchoStaysAtTheEdge(t *testing.T) {
	t.Parallel()
	for name, p := range ours(t) {
		if name == "internal/web" || strings.HasPrefix(name, "internal/web/") {
			continue
		}
		for file, tree := range parse(t, p) {
			if base := filepath.Base(file); base == "http.go" || base == "main.go" {
				continue
			}
			for _, i := range tree.Imports {
				require.NotContains(t, i.Path.Value, "labstack/echo", "%s imports Echo: only http.go, main.go and internal/web may", file)
			}
		}
	}
}

func parse(t *testing.T, p pkg) map[string]*ast.File {
	t.Helper()
	trees := map[string]*ast.File{}
	for _, f := range p.GoFiles {
		file := filepath.Join(p.Dir, f)
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		trees[file] = tree
	}
	return trees
}

// TestLimitsHold looks through the statements for a limit that may not hold: a
// subquery may be run again for each row of the outer query, and then claims or
// deletes more rows than its limit. A materialized CTE runs once.
func TestLimitsHold(t *testing.T) {
	t.Parallel()
	found := 0
	for _, p := range ours(t) {
		for file, tree := range parse(t, p) {
			ast.Inspect(tree, func(n ast.Node) bool {
				literal, ok := n.(*ast.BasicLit)
				if !ok || literal.Kind != token.STRING {
					return true
				}
				found += strings.Count(literal.Value, "skip locked")
				require.Empty(t, looseLimit(literal.Value), "%s: put it into a CTE, with next as materialized (…)", file)
				return true
			})
		}
	}
	require.Positive(t, found, "the check looks at the statements")

	for statement, loose := range map[string]bool{
		`select id from jobs limit 1 for update skip locked`:                                                 false,
		`with next as materialized (select id from jobs limit $1 for update skip locked) delete from jobs`:   false,
		`with next as (select id from jobs limit $1 for update skip locked) delete from jobs`:                true,
		`delete from jobs where id in (select id from jobs where n = any(array(select 1)) limit 9)`:          true,
		"update jobs set done = true where id = (\nselect id\nfrom jobs\nlimit 1\nfor update skip locked\n)": true,
		`delete from jobs where id in (select id from old)`:                                                  false,
	} {
		require.Equal(t, loose, looseLimit(statement) != "", statement)
	}
}

// looseLimit returns the subquery of the statement whose limit may not hold: one
// after in, or one that skips what is locked.
func looseLimit(statement string) string {
	var open []int
	for i, r := range statement {
		switch {
		case r == '(':
			open = append(open, i)
		case r == ')' && len(open) > 0:
			from := open[len(open)-1]
			open = open[:len(open)-1]
			before, subquery := strings.Fields(statement[:from]), strings.Fields(statement[from+1:i])
			if len(before) == 0 || !slices.Contains(subquery, "limit") {
				continue
			}
			last := before[len(before)-1]
			if last == "in" || slices.Contains(subquery, "skip") && last != "materialized" {
				return statement[from : i+1]
			}
		}
	}
	return ""
}

// TestConnectionsByTheURLAlone: pgx takes what a URL leaves out from the user's environment and home. Only
// internal/postgres knows how to keep it from doing so, so nobody else opens a connection from a string.
func TestConnectionsByTheURLAlone(t *testing.T) {
	t.Parallel()
	forbidden := []string{
		"pgx.Connect", "pgx.ConnectWithOptions", "pgx.ParseConfig", "pgx.ParseConfigWithOptions", "pgxpool.New", "pgxpool.ParseConfig",
		"pgconn.Connect", "pgconn.ConnectWithOptions", "pgconn.ParseConfig", "pgconn.ParseConfigWithOptions", "sql.Open",
	}
	err := filepath.WalkDir("..", func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name := entry.Name(); file != ".." && strings.HasPrefix(name, ".") || filepath.ToSlash(file) == "../internal/postgres" {
				return fs.SkipDir
			}
			return nil
		}
		if filepath.Ext(file) != ".go" {
			return nil
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			if call, ok := n.(*ast.SelectorExpr); ok {
				if of, ok := call.X.(*ast.Ident); ok {
					require.NotContains(t, forbidden, of.Name+"."+call.Sel.Name,
						"%s: use postgres.Open, postgres.Connect or postgres.ParseConfig, which leave PG* variables alone", file)
				}
			}
			return true
		})
		return nil
	})
	require.NoError(t, err)
}

// Files that extraction made superfluous: the gateway remembers sessions, and
// seams and what they queue became events.
var dropped = []string{"accounts/cache.go", "accounts/seams.go", "notifications/queue.go", "shipping/seams.go"}

// TestTwins holds a service against the module it came from: the same files,
// and in each the declarations they share in the same order. What is in the
// bodies is for the reader of the diff.
func TestTwins(t *testing.T) {
	t.Parallel()
	modules, err := filepath.Glob("../monolith/*/doc.go")
	require.NoError(t, err)
	require.Len(t, modules, 7)
	for _, doc := range modules {
		name := filepath.Base(filepath.Dir(doc))
		files, err := filepath.Glob("../monolith/" + name + "/*.go")
		require.NoError(t, err)
		for _, file := range files {
			twin := path.Join(name, filepath.Base(file))
			if strings.HasSuffix(twin, "_test.go") || slices.Contains(dropped, twin) {
				continue
			}
			was, is := declarations(t, file), declarations(t, "../services/"+twin)
			require.True(t, slices.Equal(common(was, is), common(is, was)), "%s and services/%s declare in another order", file, twin)
		}
	}
}

// declarations are the names of a file's functions, methods and types, in order.
func declarations(t *testing.T, file string) []string {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if errors.Is(err, fs.ErrNotExist) {
		require.Fail(t, "a twin is missing", file)
	}
	require.NoError(t, err)
	var names []string
	for _, d := range tree.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			names = append(names, d.Name.Name)
		case *ast.GenDecl:
			for _, s := range d.Specs {
				if ts, ok := s.(*ast.TypeSpec); ok {
					names = append(names, ts.Name.Name)
				}
			}
		}
	}
	return names
}

// common are the names in a that b has too.
func common(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(n string) bool { return !slices.Contains(b, n) })
}
