package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"banyan/internal/web"
)

func TestQueries(t *testing.T) {
	t.Parallel()
	ok := func(c echo.Context) error { return c.String(http.StatusOK, c.QueryParam("q")) }

	for name, query := range map[string]string{
		"nothing":                          "",
		"a parameter":                      "q=a",
		"one that nobody knows":            "q=a&surprise=1",
		"one without a value":              "q=a&surprise",
		"empty parts":                      "&q=a&&",
		"escapes":                          "q=%61&%73=%26%3b",
		"bytes that are no text":           "q=a&x=%ff%00",
		"a parameter in two cases is two":  "q=a&Q=b",
		"an equals sign within the value":  "q=a&x=b=c",
		"what looks like a query within":   "q=a&x=?y=1",
		"a semicolon that is escaped":      "q=a&x=1%3By=2",
		"a value that is given to another": "q=a&x=a",
	} {
		t.Run("with "+name+" can be read", func(t *testing.T) {
			t.Parallel()
			w := serve(t, web.Options{}, ok, get("/thing?"+query))
			require.Equal(t, http.StatusOK, w.Code, w.Body)
			if query != "" {
				require.Equal(t, "a", w.Body.String())
			}
		})
	}

	for name, c := range map[string]struct{ query, blamed string }{
		"a bare semicolon":                  {"q=a;b", "query"},
		"only a semicolon":                  {";", "query"},
		"a semicolon between parameters":    {"q=a;x=1&y=2", "query"},
		"an escape of one digit":            {"q=%2", "query"},
		"an escape of no digits":            {"q=%", "query"},
		"an escape of other letters":        {"q=%zz", "query"},
		"a bad escape in a name":            {"%zz=1", "query"},
		"a bad escape in another parameter": {"q=a&surprise=%g0", "query"},
		"more parameters than are read":     {strings.Repeat("&", 10001) + "q=a", "query"},
		"a parameter twice":                 {"q=a&x=1&q=b", "q"},
		"a parameter twice with one value":  {"q=a&q=a", "q"},
		"a parameter twice, once escaped":   {"q=a&%71=b", "q"},
		"one twice that nobody knows":       {"surprise&surprise", "surprise"},
		"several twice":                     {"z=1&y=1&z=2&y=2", "y"},
		"what can't be read and one twice":  {"q=a&q=b&x=%", "query"},
		"an empty name twice":               {"=1&=2", "query"},
	} {
		t.Run("with "+name+" is refused", func(t *testing.T) {
			t.Parallel()
			for _, path := range []string{"/thing", "/only-get", "/nowhere"} {
				for _, method := range []string{http.MethodGet, http.MethodPost} {
					r := httptest.NewRequest(method, path, nil)
					r.URL.RawQuery = c.query
					w := serve(t, web.Options{}, ok, r)
					require.Equal(t, http.StatusBadRequest, w.Code, "%s %s", method, path)
					require.Contains(t, w.Body.String(), `"type":"urn:banyan:problem:malformed"`)
					require.Contains(t, w.Body.String(), `"name":"`+c.blamed+`"`)
				}
			}
		})
	}

	t.Run("of a path that is not plain is not looked at", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, http.StatusNotFound, serve(t, web.Options{}, ok, get("/thing/..?q=;")).Code)
	})
}

func FuzzPlainQuery(f *testing.F) {
	for _, s := range []string{"a=1&b=2", "a;b", "%zz", "a&a", "=", "a=%41&A=1", "&&", "a=+%2b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, query string) {
		r := get("/thing")
		r.URL.RawQuery = query
		status := serve(t, web.Options{}, func(c echo.Context) error { return c.NoContent(http.StatusNoContent) }, r).Code
		values, err := url.ParseQuery(query)
		fine := err == nil
		for _, v := range values {
			fine = fine && len(v) == 1
		}
		require.Equal(t, fine, status == http.StatusNoContent, "%q: %v %v", query, values, err)
	})
}
