package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// cut changes what a function does: it returns at once, or does something ten times more.
type cut struct {
	file    string // below the root of the repository
	method  string // Type.name, or name
	returns string // what it returns instead
	again   string // what it does [times] more, if that is not empty; written with the function's own parameters
}

// times is how often what is too small to be seen when it is cut out is done in addition.
const times = 10

var (
	reserveCut = cut{file: "services/orders/remote.go", method: "remoteInventory.Reserve", returns: "nil"}
	chargeCut  = cut{file: "services/orders/remote.go", method: "remotePayments.Charge", returns: "true, nil"}
	queueCut   = cut{file: "internal/events/outbox.go", method: "Queue"}
	tellCut    = cut{file: "services/inventory/store.go", method: "queueTell"}
	// What the monolith does as well, so that it can be told from what only the services do.
	processorCut = cut{file: "monolith/payments/processor.go", method: "Processor.charge", returns: "true, nil"}
	mailCut      = cut{file: "monolith/notifications/smtp.go", method: "line.send", returns: "nil"}

	// A call that has nothing to say, of a path that nobody serves.
	moreHops = cut{file: "services/orders/remote.go", method: "remoteInventory.Reserve",
		again: `_ = i.client.Do(ctx, http.MethodPost, "/internal/nowhere", nil, nil)`}
	moreEncoding  = cut{file: "internal/web/client.go", method: "Client.send", again: `_, _ = json.Marshal(in)`}
	moreDecoding  = cut{file: "internal/web/bind.go", method: "decode", again: `_ = decode(body, reflect.New(reflect.TypeOf(into).Elem()).Interface())`}
	moreSigning   = cut{file: "internal/token/caller.go", method: "Caller.Token", again: `_, _ = c.Token(audience)`}
	moreUsers     = cut{file: "internal/token/verifier.go", method: "Verifier.Authenticate", again: `_, _ = v.Authenticate(r)`}
	moreAdmission = cut{file: "internal/token/admission.go", method: "Admission.caller", again: `_, _ = a.caller(r)`}
)

// apply is the source with all cuts made that are in this file. The code after a cut stays, so its imports are still used.
func apply(file string, source []byte, cuts ...cut) ([]byte, error) {
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, file, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	places := map[int]string{}
	var declared string
	for _, c := range cuts {
		at := -1
		for _, declaration := range parsed.Decls {
			if f, is := declaration.(*ast.FuncDecl); is && f.Body != nil && nameOf(f) == c.method {
				at = files.Position(f.Body.Lbrace).Offset + 1
			}
		}
		if at < 0 {
			return nil, fmt.Errorf("%s has no method %s any more: tell package ledger what is to be cut out instead", file, c.method)
		}
		if c.again == "" {
			places[at] = "\n\tif cut := true; cut {\n\t\treturn " + c.returns + "\n\t}"
			continue
		}
		// What it does may lead back to it, and must not do it again there.
		inside := "inside" + strings.ReplaceAll(c.method, ".", "")
		places[at] = fmt.Sprintf("\n\tif !%s {\n\t\t%s = true\n\t\tfor range %d {\n\t\t\t%s\n\t\t}\n\t\t%s = false\n\t}\n", inside, inside, times, c.again, inside)
		declared += "\nvar " + inside + " bool\n"
	}
	var changed []byte
	for at := range source {
		changed = append(append(changed, places[at]...), source[at])
	}
	return append(changed, declared...), nil
}

// nameOf is Type.name.
func nameOf(f *ast.FuncDecl) string {
	if f.Recv == nil || len(f.Recv.List) != 1 {
		return f.Name.Name
	}
	of := f.Recv.List[0].Type
	if pointer, is := of.(*ast.StarExpr); is {
		of = pointer.X
	}
	if name, is := of.(*ast.Ident); is {
		return name.Name + "." + f.Name.Name
	}
	return f.Name.Name
}

// build makes a program with cuts in it, from a copy of the sources.
func build(ctx context.Context, root, dir, program, path string, cuts ...cut) error {
	sources := map[string][]cut{}
	for _, c := range cuts {
		sources[c.file] = append(sources[c.file], c)
	}
	var overlay struct{ Replace map[string]string }
	overlay.Replace = map[string]string{}
	for file, of := range sources {
		original := filepath.Join(root, file)
		source, err := os.ReadFile(original)
		if err != nil {
			return err
		}
		if source, err = apply(file, source, of...); err != nil {
			return err
		}
		copied := filepath.Join(dir, filepath.Base(path)+"-"+strings.ReplaceAll(file, "/", "-"))
		if err := os.WriteFile(copied, source, 0o644); err != nil {
			return err
		}
		overlay.Replace[original] = copied
	}
	content, err := json.Marshal(overlay)
	if err != nil {
		return err
	}
	list := path + ".overlay.json"
	if err := os.WriteFile(list, content, 0o644); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-ldflags=-w", "-overlay", list, "-o", path, program)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("%s does not build with what is cut out of it:\n%s", program, out)
	}
	return nil
}
