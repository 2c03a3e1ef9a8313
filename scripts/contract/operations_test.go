package contract_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// operation is one of the document's, made ready to be called.
type operation struct {
	method, path string
	inPath       string // the name of the id in the path; empty: there is none
	op           *openapi3.Operation
	example      raw // a body that is fine; empty: the operation takes none
}

// operations are all of the document's that the choice admits, each in a subtest of its own.
func operations(t *testing.T, choice func(operation) bool, test func(*testing.T, operation)) {
	t.Helper()
	doc, err := document()
	require.NoError(t, err)
	paths := doc.Paths.Map()
	chosen := 0
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		item := paths[path]
		for method, op := range item.Operations() {
			o := operation{method: method, path: path, op: op, example: exampleBody(t, op)}
			for _, p := range item.Parameters {
				o.inPath = p.Value.Name
			}
			if !choice(o) {
				continue
			}
			chosen++
			t.Run(op.OperationID, func(t *testing.T) {
				t.Parallel()
				test(t, o)
			})
		}
	}
	require.NotZero(t, chosen, "the document has no such operation")
}

func exampleBody(t *testing.T, op *openapi3.Operation) raw {
	t.Helper()
	if op.RequestBody == nil {
		return ""
	}
	for _, media := range op.RequestBody.Value.Content {
		if media.Example != nil {
			encoded, err := json.Marshal(media.Example)
			require.NoError(t, err)
			return raw(encoded)
		}
	}
	require.Fail(t, "no example", "%s has a body and shows none", op.OperationID)
	return ""
}

func (o operation) padlocked() bool { return o.op.Security == nil }

func (o operation) forStaff() bool { return o.op.Responses.Status(403) != nil }

func (o operation) takes(parameter string) bool {
	return o.op.Parameters.GetByInAndName("query", parameter) != nil
}

// visitor is somebody who may call the operation: the staff may call them all.
func (o operation) visitor(t *testing.T) visitor {
	t.Helper()
	if o.padlocked() {
		return staff(t)
	}
	return anybody(t)
}

// call calls the operation with a body that is fine, and a path id.
func (o operation) call(v visitor, id string) reply {
	v.t.Helper()
	return o.callWith(v, id, o.body())
}

func (o operation) body() any {
	if o.example == "" {
		return nil
	}
	return o.example
}

func (o operation) callWith(v visitor, id string, body any, headers ...header) reply {
	v.t.Helper()
	path := strings.NewReplacer("{"+o.inPath+"}", id).Replace(o.path)
	if body != nil {
		headers = append([]header{contentType(o.mediaType())}, headers...)
	}
	return v.send(o.method, path, body, append(headers, freshKey())...)
}

func (o operation) mediaType() string {
	if o.op.RequestBody.Value.Content["application/merge-patch+json"] != nil {
		return "application/merge-patch+json"
	}
	return "application/json"
}

func unknownID() string { return uuid.Must(uuid.NewV7()).String() }

// missing is the code of a 404: it names the thing, so that nobody takes an address that
// the router does not know for a book that does not exist.
func (o operation) missing() string {
	switch area, _, _ := strings.Cut(strings.TrimPrefix(o.path, "/v1/"), "/"); area {
	case "orders":
		return "no-such-order"
	case "shipments":
		return "no-such-shipment"
	default:
		return "no-such-book"
	}
}
