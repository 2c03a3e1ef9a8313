package contract_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/docs/api"
)

func TestRouter(t *testing.T) {
	t.Parallel()

	for _, path := range []string{"/nothing", "/v1", "/v1/nothing", "/v1/book", "/v2/books", "/v1/orders/" + anID + "/nothing", "/internal/v1/keys"} {
		t.Run("knows nothing at "+path, func(t *testing.T) {
			t.Parallel()
			anybody(t).get(path).refused(http.StatusNotFound, "not-found")
			staff(t).get(path).refused(http.StatusNotFound, "not-found")
		})
	}

	for path, want := range map[string]struct {
		method  string
		allowed []string
	}{
		"/v1/books":              {http.MethodDelete, []string{"GET", "HEAD", "POST"}},
		"/v1/accounts":           {http.MethodGet, []string{"POST"}},
		"/v1/accounts/me":        {http.MethodPatch, []string{"GET", "HEAD"}},
		"/v1/sessions/current":   {http.MethodGet, []string{"DELETE"}},
		"/v1/stock/" + anID:      {http.MethodPut, []string{"GET", "HEAD"}},
		"/v1/cart":               {http.MethodDelete, []string{"GET", "HEAD"}},
		"/v1/cart/items/" + anID: {http.MethodPost, []string{"PUT", "DELETE"}},
		"/v1/orders":             {http.MethodPut, []string{"GET", "HEAD", "POST"}},
		"/v1/orders/" + anID:     {http.MethodDelete, []string{"GET", "HEAD"}},
		"/v1/payments":           {http.MethodPost, []string{"GET", "HEAD"}},
		"/v1/shipments":          {http.MethodPost, []string{"GET", "HEAD"}},
		"/v1/notifications":      {http.MethodDelete, []string{"GET", "HEAD"}},
	} {
		t.Run("says what is allowed at "+path+" instead of "+want.method, func(t *testing.T) {
			t.Parallel()
			r := anybody(t).send(want.method, path, nil)
			r.refused(http.StatusMethodNotAllowed, "method-not-allowed")
			for _, method := range want.allowed {
				require.Contains(t, r.header.Get("Allow"), method)
			}
		})
	}
}

func TestPages(t *testing.T) {
	t.Parallel()

	t.Run("the front page leads to the API", func(t *testing.T) {
		t.Parallel()
		front := page(t, "/", "text/html")
		require.Contains(t, front, `href="/docs"`)
		require.Contains(t, front, `href="/openapi.yaml"`)
	})

	t.Run("the API can be read and tried out", func(t *testing.T) {
		t.Parallel()
		require.Contains(t, strings.ToLower(page(t, "/docs", "text/html")), "swagger")
	})

	t.Run("the contract is the one that this suite judges by", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, string(api.OpenAPI), page(t, "/openapi.yaml", "application/yaml"))
	})
}

// page reads a page for people. Those are not in the document, so the client does not check them.
func page(t *testing.T, path, media string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, anybody(t).url+path, nil)
	require.NoError(t, err)
	browser := &http.Client{Timeout: 10 * time.Second}
	resp, err := browser.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Contains(t, resp.Header.Get("Content-Type"), media)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(body)
}
