package main

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/internal/telemetry"
)

func TestHeaders(t *testing.T) {
	t.Parallel()
	upstream := recorder(t)
	gateway := setup{routes: passing("/v1/things", upstream.URL)}.serve(t)
	get := func(t *testing.T, headers ...string) http.Header {
		lines := append([]string{"GET /v1/things HTTP/1.1", "Host: shop.example"}, headers...)
		return echoed(t, raw(t, gateway, lines...))
	}

	for _, name := range []string{
		"Forwarded", "X-Forwarded-Port", "X-Forwarded-User", "X-Real-IP", "X-User", "X-User-Id", "x-user-id", "X-Account-Id",
		"X-Identity", "X-Auth-Request-Email", "X-Remote-User", "X-Role", "X-Original-URL", "X-HTTP-Method-Override",
		"X_User", "X_Forwarded_For", "Remote_User", "True-Client-IP", "Proxy", "Proxy-Authorization",
		"Keep-Alive", "Upgrade", "TE", "Expect",
	} {
		t.Run("a client's "+name+" does not arrive", func(t *testing.T) {
			t.Parallel()
			value := "100-continue" // the one value that the server lets pass in Expect
			seen := get(t, name+": "+value)
			require.NotContains(t, seen, http.CanonicalHeaderKey(name))
			for _, values := range seen {
				require.NotContains(t, strings.Join(values, ","), value)
			}
		})
	}
	t.Run("other headers arrive as they are", func(t *testing.T) {
		t.Parallel()
		seen := get(t, "Idempotency-Key: k1", "If-Match: \"3\"", "Accept: text/plain", "Accept-Language: de", "X-Colour: red", "User-Agent: curl")
		require.Equal(t, "k1", seen.Get("Idempotency-Key"))
		require.Equal(t, `"3"`, seen.Get("If-Match"))
		require.Equal(t, "text/plain", seen.Get("Accept"))
		require.Equal(t, "red", seen.Get("X-Colour"))
		require.Equal(t, "curl", seen.Get("User-Agent"))
		require.NotContains(t, get(t), "User-Agent", "none is made up")
		require.NotContains(t, get(t), "Accept-Encoding", "nor is compression asked for")
	})
	t.Run("where the client is, the gateway says", func(t *testing.T) {
		t.Parallel()
		seen := get(t, "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Host: evil", "X-Forwarded-Proto: gopher")
		require.Equal(t, []string{"127.0.0.1"}, seen["X-Forwarded-For"])
		require.Equal(t, []string{"shop.example"}, seen["X-Forwarded-Host"])
		require.Equal(t, []string{"http"}, seen["X-Forwarded-Proto"])
	})
	t.Run("a header that Connection names does not arrive, but what the gateway sets does", func(t *testing.T) {
		t.Parallel()
		seen := get(t, "Connection: X-Colour, X-Forwarded-For, Traceparent, X-Request-Id, Authorization",
			"X-Colour: red", "Authorization: Bearer abc")
		require.NotContains(t, seen, "X-Colour")
		require.NotContains(t, seen, "Connection")
		require.Equal(t, []string{"127.0.0.1"}, seen["X-Forwarded-For"])
		require.Contains(t, seen, "Traceparent")
		require.Contains(t, seen, "X-Request-Id")
		require.Equal(t, []string{"Bearer abc"}, seen["Authorization"])
	})
	t.Run("no upgrade passes", func(t *testing.T) {
		t.Parallel()
		seen := get(t, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQ")
		require.NotContains(t, seen, "Upgrade")
		require.NotContains(t, seen, "Connection")
		require.NotContains(t, seen, "Http2-Settings")
		require.NotContains(t, get(t, "Connection: Upgrade", "Upgrade: \xe4\xf6"), "Upgrade")
	})
	t.Run("a trace goes on, and a request without one begins one", func(t *testing.T) {
		t.Parallel()
		seen := get(t, "Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
		require.Regexp(t, "^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$", seen.Get("Traceparent"))
		require.NotContains(t, seen.Get("Traceparent"), "b7ad6b7169203331", "the hop is a span of its own")
		_, ok := telemetry.ParseTrace(get(t).Get("Traceparent"))
		require.True(t, ok)
	})
	t.Run("a request id goes both ways, once", func(t *testing.T) {
		t.Parallel()
		res := call(t, http.MethodGet, gateway.URL+"/v1/things", "X-Request-Id: r-1")
		require.Equal(t, []string{"r-1"}, res.Header["X-Request-Id"])
		require.Equal(t, "r-1", echoed(t, res).Get("X-Request-Id"))
	})
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	upstream := upstreamServer(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v1/things/early":
			w.Header().Set("Link", "</a.css>")
			w.WriteHeader(http.StatusEarlyHints)
		case "/v1/things/tunnel":
			w.Header().Set("Connection", "Upgrade")
			w.Header().Set("Upgrade", "h2c")
			w.WriteHeader(http.StatusSwitchingProtocols)
			return
		}
		h := w.Header()
		h.Set("Server", "thing/1.0")
		h.Set("X-Request-Id", "the service's own")
		h.Set("Connection", "X-Hop")
		h.Set("X-Hop", "1")
		h.Set("Etag", `"7"`)
		h.Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"a":1}`)
	})
	gateway := setup{routes: passing("/v1/things", upstream.URL)}.serve(t)

	for _, path := range []string{"/v1/things", "/v1/things/early"} {
		t.Run("pass unchanged but for the hop's own headers: "+path, func(t *testing.T) {
			t.Parallel()
			res := call(t, http.MethodPost, gateway.URL+path, "X-Request-Id: mine")
			require.Equal(t, http.StatusCreated, res.StatusCode)
			require.Equal(t, `{"a":1}`, text(t, res))
			require.Equal(t, []string{"mine"}, res.Header["X-Request-Id"])
			delete(res.Header, "Date")
			delete(res.Header, "X-Request-Id")
			require.Equal(t, http.Header{"Etag": {`"7"`}, "Content-Type": {"application/json"}, "Content-Length": {"7"}}, without(res.Header, "Link"))
		})
	}
	t.Run("a tunnel that nobody asked for is a bad answer", func(t *testing.T) {
		t.Parallel()
		requireProblem(t, call(t, http.MethodGet, gateway.URL+"/v1/things/tunnel"), http.StatusBadGateway, "bad-gateway")
	})
}

// without drops a header that a test does not care about.
func without(h http.Header, name string) http.Header {
	delete(h, name)
	return h
}
