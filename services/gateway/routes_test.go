package main

import (
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRoutes(t *testing.T) {
	t.Parallel()
	things, shelf := named(t, "things"), named(t, "shelf")
	gateway := setup{routes: append(passing("/v1/things", things.URL), passing("/v1/things/shelf", shelf.URL)...)}.serve(t)

	for path, want := range map[string]string{
		"/v1/things":                 "things",
		"/v1/things/":                "things",
		"/v1/things/7":               "things",
		"/v1/things?a=/v1/x":         "things",
		"/v1/things/shelf":           "shelf",
		"/v1/things/shelf/3":         "shelf",
		"/v1/things/shelf?x=1":       "shelf",
		"/v1/things/shelves":         "things",
		"/v1/things/a%20b":           "things",
		"/v1/things/a..b/.c/d./...":  "things",
		"http://elsewhere/v1/things": "things",
	} {
		t.Run("the longest prefix of whole segments takes "+path, func(t *testing.T) {
			t.Parallel()
			res := raw(t, gateway, "GET "+path+" HTTP/1.1", "Host: shop")
			require.Equal(t, want, text(t, res))
		})
	}
	for _, path := range []string{
		"/v1", "/v1/thing", "/v1/thingsandmore", "/V1/things", "/x/v1/things", "/v1/%74hings",
		"//v1/things", "/v1//things", "/v1/things//7", "/v1/things/../x", "/v1/things/..", "/v1/things/./7", "/v1/other/../things",
		"/v1/things/%2e%2e/x", "/v1/things/.%2E", "/v1/things/a%2Fb", "/v1/things/a%2fb", "/v1/things%2f7",
		"/v1/things/%00", "/v1/things/a%5Cb", `/v1/things/a\b`, `/v1/things/..\x`, "/v1/things/%0d%0a", "/v1/things/%252e%252e",
		"/internal/v1/keys", "/internal", "/metrics", "/debug/pprof/", "/livez", "/readyz",
		"http://127.0.0.1/internal/v1/keys",
	} {
		t.Run("nothing takes "+path, func(t *testing.T) {
			t.Parallel()
			requireProblem(t, raw(t, gateway, "GET "+path+" HTTP/1.1", "Host: shop"), http.StatusNotFound, "not-found")
		})
	}
}

func TestOwnPages(t *testing.T) {
	t.Parallel()
	gateway := setup{routes: passing("/v1/things", named(t, "things").URL)}.serve(t)
	for path, part := range map[string]string{"/": "/openapi.yaml", "/docs": "swagger", "/openapi.yaml": "openapi:"} {
		res := call(t, http.MethodGet, gateway.URL+path)
		require.Equal(t, http.StatusOK, res.StatusCode, path)
		require.Contains(t, text(t, res), part, path)
	}
	t.Run("know no other method", func(t *testing.T) {
		t.Parallel()
		res := call(t, http.MethodPost, gateway.URL+"/openapi.yaml")
		requireProblem(t, res, http.StatusMethodNotAllowed, "method-not-allowed")
		require.Contains(t, res.Header.Get("Allow"), http.MethodGet)
	})
}

func TestParseTable(t *testing.T) {
	t.Parallel()
	const good = `"upstreams": ["http://127.0.0.1:1"], "token": "pass"`
	for name, c := range map[string]struct{ file, problem string }{
		"a syntax error":                 {"{\n\"routes\": [\n{]}", "line 3"},
		"a wrong type":                   {"{\n\"routes\": [{\n\"prefix\": 7}]}", "line 3"},
		"an unknown field":               {`{"routes": [{"prefix": "/v1/a", "weight": 3, ` + good + `}]}`, "weight"},
		"trailing data":                  {`{"routes": [{"prefix": "/v1/a", ` + good + `}]} {}`, "after the end"},
		"nothing":                        {`{}`, "no routes"},
		"null":                           {`{"routes": [null]}`, "route 1"},
		"a prefix twice":                 {`{"routes": [{"prefix": "/v1/a", ` + good + `}, {"prefix": "/v1/a", ` + good + `}]}`, `"/v1/a": is listed twice`},
		"no prefix":                      {`{"routes": [{` + good + `}]}`, "a prefix is like"},
		"everything":                     {`{"routes": [{"prefix": "/", ` + good + `}]}`, "a prefix is like"},
		"a slash at the end":             {`{"routes": [{"prefix": "/v1/a/", ` + good + `}]}`, "a prefix is like"},
		"a dot segment":                  {`{"routes": [{"prefix": "/v1/..", ` + good + `}]}`, "a prefix is like"},
		"an internal prefix":             {`{"routes": [{"prefix": "/internal/v1", ` + good + `}]}`, "never routed"},
		"metrics":                        {`{"routes": [{"prefix": "/metrics", ` + good + `}]}`, "never routed"},
		"no token":                       {`{"routes": [{"prefix": "/v1/a", "upstreams": ["http://x"]}]}`, `token is ""`},
		"an unknown token":               {`{"routes": [{"prefix": "/v1/a", "upstreams": ["http://x"], "token": "keep"}]}`, `token is "keep"`},
		"a method in small type":         {`{"routes": [{"prefix": "/v1/a", "public": ["get"], ` + good + `}]}`, `"get"`},
		"no upstreams":                   {`{"routes": [{"prefix": "/v1/a", "token": "pass"}]}`, "no upstreams"},
		"an upstream with a path":        {`{"routes": [{"prefix": "/v1/a", "upstreams": ["http://x/y"], "token": "pass"}]}`, `"http://x/y"`},
		"an exchange without an address": {`{"routes": [{"prefix": "/v1/a", "upstreams": ["http://x"], "token": "exchange"}]}`, "exchange: is missing"},
		"an exchange that is no base":    {`{"exchange": ["http://x/y"], "routes": [{"prefix": "/v1/a", ` + good + `}]}`, `exchange: "http://x/y"`},
		"an upstream of no scheme":       {`{"routes": [{"prefix": "/v1/a", "upstreams": ["127.0.0.1:80"], "token": "pass"}]}`, `"127.0.0.1:80"`},
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			t.Parallel()
			_, err := parseTable([]byte(c.file), nil)
			require.ErrorContains(t, err, c.problem)
		})
	}
	t.Run("every mistake is named at once", func(t *testing.T) {
		t.Parallel()
		_, err := parseTable([]byte(`{"routes": [{"prefix": "/internal", `+good+`}, {"prefix": "/v1/a", "token": "pass"}]}`), nil)
		require.ErrorContains(t, err, `"/internal"`)
		require.ErrorContains(t, err, `"/v1/a"`)
	})
	t.Run("the fleet's own file is good", func(t *testing.T) {
		t.Parallel()
		table := tableOf(t, "routes.json")
		require.True(t, table.exchanges())
		require.Equal(t, "/v1/books", table.match("/v1/books/bestsellers").Prefix)
	})
	t.Run("so is that of the ladder's first step, where the monolith knows who is asking", func(t *testing.T) {
		t.Parallel()
		fleet, monolith := tableOf(t, "routes.json"), tableOf(t, "routes-1.json")
		require.False(t, monolith.exchanges())
		require.Len(t, monolith.routes, len(fleet.routes))
		for _, route := range fleet.routes {
			require.Equal(t, route.Prefix, monolith.match(route.Prefix).Prefix)
		}
	})
}

// tableOf is the table of a file.
func tableOf(t *testing.T, file string) *table {
	body, err := os.ReadFile(file)
	require.NoError(t, err)
	parsed, err := parseTable(body, nil)
	require.NoError(t, err)
	return parsed
}
