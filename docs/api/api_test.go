package api_test

import (
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"banyan/docs/api"
)

func load(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(api.OpenAPI)
	require.NoError(t, err)
	return doc
}

func TestDocument(t *testing.T) {
	t.Parallel()
	doc := load(t)

	t.Run("is valid OpenAPI, examples included", func(t *testing.T) {
		t.Parallel()
		require.NoError(t, doc.Validate(t.Context(), openapi3.EnableExamplesValidation()))
	})

	t.Run("lists for every operation the errors that can meet it", func(t *testing.T) {
		t.Parallel()
		for path, item := range doc.Paths.Map() {
			for method, op := range item.Operations() {
				for _, status := range expectedErrors(op) {
					require.NotNil(t, op.Responses.Status(status), "%s %s says nothing about %d", method, path, status)
				}
				require.Nil(t, op.Responses.Default(), "%s %s: a default answer would let anything pass", method, path)
			}
		}
	})

	t.Run("closes every object, so that a stray field is caught", func(t *testing.T) {
		t.Parallel()
		for name, schema := range doc.Components.Schemas {
			requireClosed(t, name, schema)
		}
	})
}

// expectedErrors are the statuses that follow from the operation's shape.
func expectedErrors(op *openapi3.Operation) []int {
	statuses := []int{400, 429, 500, 502, 503, 504} // 400 for the query
	if op.Security == nil {
		statuses = append(statuses, 401)
	}
	if op.RequestBody != nil {
		statuses = append(statuses, 413, 415, 422)
	}
	if op.Parameters.GetByInAndName("query", "limit") != nil {
		statuses = append(statuses, 422)
	}
	return statuses
}

func requireClosed(t *testing.T, name string, ref *openapi3.SchemaRef) {
	t.Helper()
	schema := ref.Value
	if schema.Type.Is(openapi3.TypeObject) {
		closed := schema.AdditionalProperties.Has != nil && !*schema.AdditionalProperties.Has
		require.True(t, closed, "%s admits fields it does not describe", name)
	}
	for property, inner := range schema.Properties {
		requireClosed(t, name+"."+property, inner)
	}
	if schema.Items != nil {
		requireClosed(t, name+"[]", schema.Items)
	}
}
