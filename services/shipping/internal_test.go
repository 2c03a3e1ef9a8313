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

// cancel asks to keep the order's parcel, as one service or person does.
func (s shop) cancel(caller string, o order) *httptest.ResponseRecorder {
	s.t.Helper()
	body, err := json.Marshal(cancelRequest{o.accountID})
	require.NoError(s.t, err)
	return s.call(caller, o.id.String(), string(body))
}

// call sends a body to the internal endpoint and holds the answer against its
// description.
func (s shop) call(caller, orderID, body string) *httptest.ResponseRecorder {
	s.t.Helper()
	credential := caller // as a person's is
	if key, ok := s.keys[caller]; ok {
		var err error
		credential, err = token.NewCaller(caller, key).Token("shipping")
		require.NoError(s.t, err)
	}
	res := s.ask("POST", "/internal/v1/shipments/"+orderID+"/cancel", credential, body)
	described(s.t, "/internal/v1/shipments/{order_id}/cancel", res)
	return res
}

// described fails the test if the answer is not one that the document describes.
func described(t *testing.T, path string, res *httptest.ResponseRecorder) {
	t.Helper()
	file, err := os.ReadFile("../../docs/api/internal/shipping.yaml")
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
