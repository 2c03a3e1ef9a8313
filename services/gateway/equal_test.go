package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"banyan/docs/api"
	"banyan/internal/fault"
	"banyan/internal/web"
	"banyan/internal/web/apidocs"
)

// TestNobodyCanTell asks one server directly and through the gateway, and wants the
// same answer, headers and all.
func TestNobodyCanTell(t *testing.T) {
	t.Parallel()
	e := web.New(web.Options{Log: slog.New(slog.DiscardHandler)})
	apidocs.Register(e, "Banyan bookstore", api.OpenAPI)
	e.GET("/v1/things", func(c echo.Context) error {
		return c.JSON(http.StatusOK, map[string]string{"q": c.QueryParam("q")})
	})
	e.GET("/v1/things/gone", func(echo.Context) error {
		return fault.New(fault.Conflict, "gone", "It is gone.").With("since", 3)
	})
	e.POST("/v1/things", func(c echo.Context) error {
		var body struct {
			Name string `json:"name"`
		}
		if err := web.Bind(c, &body); err != nil {
			return err
		}
		return c.JSON(http.StatusCreated, body)
	})
	e.DELETE("/v1/things", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) })
	direct := httptest.NewServer(e)
	t.Cleanup(direct.Close)
	gateway := setup{routes: passing("/v1/things", direct.URL)}.serve(t)

	for _, c := range []struct{ method, path, body string }{
		{"GET", "/v1/things?q=a+b%26c", ""},
		{"GET", "/v1/things?q=%zz", ""},
		{"GET", "/v1/things?q=a;b", ""},
		{"GET", "/v1/things?q=a&q=b", ""},
		{"POST", "/v1/things?;", "{"},
		{"GET", "/v1/nothing?;", ""},
		{"GET", "/?;", ""},
		{"PUT", "/docs?a=1&a=2", ""},
		{"HEAD", "/v1/things", ""},
		{"HEAD", "/v1/things?q=" + strings.Repeat("x", 5000), ""},
		{"HEAD", "/v1/things?;", ""},
		{"HEAD", "/v1/things/gone", ""},
		{"HEAD", "/v1/things/nothing", ""},
		{"HEAD", "/v1/nothing", ""},
		{"HEAD", "/", ""},
		{"HEAD", "/docs", ""},
		{"HEAD", "/openapi.yaml", ""},
		{"GET", "/v1/things/gone", ""},
		{"GET", "/v1/things/nothing", ""},
		{"PUT", "/v1/things", ""},
		{"DELETE", "/v1/things", ""},
		{"POST", "/v1/things", `{"name": "ä"}`},
		{"POST", "/v1/things", `{"size": 1}`},
		{"POST", "/v1/things", strings.Repeat(" ", maxBody+1)},
		{"GET", "/v1/nothing", ""},
		{"POST", "/v1/nothing", "{}"},
		{"GET", "/", ""},
		{"PATCH", "/", ""},
		{"GET", "/openapi.yaml", ""},
		{"POST", "/docs", ""},
		{"GET", "/internal/v1/keys", ""},
	} {
		t.Run(c.method+" "+c.path+" "+c.body[:min(20, len(c.body))], func(t *testing.T) {
			t.Parallel()
			ask := func(base string) (int, http.Header, string) {
				req, err := http.NewRequest(c.method, base+c.path, strings.NewReader(c.body))
				require.NoError(t, err)
				req.Header.Set("Content-Type", "application/json")
				req.Header.Set("X-Request-Id", "r1")
				res := do(t, req)
				delete(res.Header, "Date")
				return res.StatusCode, res.Header, text(t, res)
			}
			wantStatus, wantHeader, wantBody := ask(direct.URL)
			status, header, body := ask(gateway.URL)
			require.Equal(t, wantBody, body)
			require.Equal(t, wantHeader, header)
			require.Equal(t, wantStatus, status)
		})
	}
}
