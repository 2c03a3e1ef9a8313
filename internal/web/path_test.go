package web

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"
)

func TestPaths(t *testing.T) {
	t.Parallel()
	e := New(Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	e.GET("/things/:id", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) })
	status := func(path string) int {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL.Path, r.URL.RawPath = path, path
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		return w.Code
	}
	for _, path := range []string{"/things/7", "/things/a..b", "/things/...", "/things/a%20b", "/things/7,8"} {
		require.Equal(t, http.StatusNoContent, status(path), path)
	}
	for _, path := range []string{"/things/..%2f", "/things/%2e%2e", "/things/..", "/things/.", "/things//7", "//things/7",
		"/things/%00", "/things/a%5Cb", `/things/a\b`, "/things/%0d%0a", "/things/%252e"} {
		require.Equal(t, http.StatusNotFound, status(path), path)
	}
}

func FuzzPlainPath(f *testing.F) {
	for _, s := range []string{"/v1/things", "/..", "/a%2fb", "//", "/a%", "/%zz", "/a/./b", "\\"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if !plainPath(path) {
			return
		}
		// A plain path means the same before and after decoding and cleaning.
		req, err := http.NewRequest(http.MethodGet, "http://host"+path, nil)
		if err != nil || req.URL.RawQuery != "" || req.URL.Fragment != "" {
			return
		}
		for _, bad := range []string{"//", "/../", "/./", "\\", "\x00"} {
			require.NotContains(t, req.URL.Path, bad)
		}
	})
}
