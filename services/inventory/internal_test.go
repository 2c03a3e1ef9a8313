package main

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"banyan/internal/token"
)

// reserve asks for what the order wants, as one service or person does.
func (s shop) reserve(caller string, o order) *httptest.ResponseRecorder {
	s.t.Helper()
	req := reservationRequest{OrderID: o.id}
	for n, id := range o.books {
		req.Items = append(req.Items, item{id, o.quantities[n]})
	}
	body, err := json.Marshal(req)
	require.NoError(s.t, err)
	return s.call(caller, string(body))
}

// call sends a body to the internal endpoint and holds the answer against its
// description.
func (s shop) call(caller, body string) *httptest.ResponseRecorder {
	s.t.Helper()
	const path = "/internal/v1/reservations"
	credential := caller // as a person's is
	if key, ok := s.keys[caller]; ok {
		var err error
		credential, err = token.NewCaller(caller, key).Token("inventory")
		require.NoError(s.t, err)
	}
	res := s.ask("POST", path, credential, "", body)
	described(s.t, path, res)
	return res
}

// described fails the test if the answer is not one that the document describes.
func described(t *testing.T, path string, res *httptest.ResponseRecorder) {
	t.Helper()
	file, err := os.ReadFile("../../docs/api/internal/inventory.yaml")
	require.NoError(t, err)
	doc, err := openapi3.NewLoader().LoadFromData(file)
	require.NoError(t, err)
	require.NoError(t, doc.Validate(t.Context(), openapi3.EnableExamplesValidation()))
	response := doc.Paths.Value(path).Post.Responses.Status(res.Code)
	require.NotNil(t, response, "%d is not described", res.Code)
	kind, _, _ := strings.Cut(res.Header().Get("Content-Type"), ";")
	require.Contains(t, response.Value.Content, kind)
	var answer any
	require.NoError(t, json.Unmarshal(res.Body.Bytes(), &answer))
	require.NoError(t, response.Value.Content[kind].Schema.Value.VisitJSON(answer), res.Body)
}
