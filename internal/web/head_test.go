package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"banyan/internal/fault"
	"banyan/internal/telemetry"
	"banyan/internal/web"
	"banyan/internal/web/apidocs"
)

// TestHead asks a real server: it is net/http that leaves the body of an answer out.
func TestHead(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	e := web.New(web.Options{Log: quiet, Metrics: telemetry.NewRequests(registry), MaxBody: 100})
	apidocs.Register(e, "Things", []byte(strings.Repeat("a: b\n", 1000)))
	group := e.Group("")
	tagged := func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			c.Response().Header().Set("X-Tag", "passed")
			return next(c)
		}
	}
	group.GET("/small", func(c echo.Context) error {
		c.Response().Header().Set("ETag", `"7"`)
		return c.JSON(http.StatusOK, map[string]int{"n": 7})
	}, tagged)
	group.GET("/large", func(c echo.Context) error { return c.String(http.StatusOK, strings.Repeat("x", 10_000)) })
	group.GET("/nothing", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) })
	group.GET("/throttled", fail(fault.New(fault.Throttled, "", "Slow down.").After(1)))
	group.POST("/posted", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) })
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)

	ask := func(t *testing.T, method, path string) *http.Response {
		req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, nil)
		require.NoError(t, err)
		req.Header.Set("X-Request-Id", "r1")
		res, err := server.Client().Do(req)
		require.NoError(t, err)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		if method == http.MethodHead {
			require.Empty(t, body)
		}
		delete(res.Header, "Date")
		return res
	}
	for path, length := range map[string]string{
		"/small": "8", "/large": "", "/nothing": "", "/throttled": "any", "/nowhere": "any", "/small?a=;": "any", "/..": "any",
		"/": "any", "/docs": "", "/openapi.yaml": "",
	} {
		t.Run("of "+path+" is answered as GET is", func(t *testing.T) {
			t.Parallel()
			want, got := ask(t, http.MethodGet, path), ask(t, http.MethodHead, path)
			require.Equal(t, want.StatusCode, got.StatusCode)
			require.Equal(t, want.Header, got.Header)
			if length == "any" {
				require.NotEmpty(t, got.Header.Get("Content-Length"))
			} else {
				require.Equal(t, length, got.Header.Get("Content-Length"))
			}
		})
	}
	t.Run("is not known where GET is not", func(t *testing.T) {
		t.Parallel()
		res := ask(t, http.MethodHead, "/posted")
		require.Equal(t, http.StatusMethodNotAllowed, res.StatusCode)
		require.NotContains(t, res.Header.Get("Allow"), "HEAD")
	})
	t.Run("is allowed wherever GET is", func(t *testing.T) {
		t.Parallel()
		allow := ask(t, http.MethodDelete, "/small").Header.Get("Allow")
		require.Contains(t, allow, "GET")
		require.Contains(t, allow, "HEAD")
	})
	t.Run("is told from GET in the metrics", func(t *testing.T) {
		ask(t, http.MethodHead, "/small")
		ask(t, http.MethodGet, "/small")
		n, err := testutil.GatherAndCount(registry, "http_request_seconds")
		require.NoError(t, err)
		require.GreaterOrEqual(t, n, 2)
	})
}
