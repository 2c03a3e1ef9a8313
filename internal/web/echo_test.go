package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"banyan/internal/fault"
	"banyan/internal/telemetry"
	"banyan/internal/web"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// serve answers one request with a server that knows the handler under /thing.
func serve(t *testing.T, o web.Options, h echo.HandlerFunc, r *http.Request) *httptest.ResponseRecorder {
	t.Helper()
	if o.Log == nil {
		o.Log = quiet
	}
	e := web.New(o)
	e.Any("/thing", h)
	e.GET("/only-get", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) })
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w
}

func get(path string) *http.Request { return httptest.NewRequest(http.MethodGet, path, nil) }

func fail(err error) echo.HandlerFunc { return func(echo.Context) error { return err } }

func TestProblems(t *testing.T) {
	t.Parallel()
	secret := errors.New("password is hunter2")
	tests := map[string]struct {
		request *http.Request
		err     error
		status  int
		body    string
	}{
		"a fault tells its code, detail and fields": {get("/thing"),
			fault.New(fault.Invalid, "too-tall", "You must be smaller.").WithFields(fault.Field{Name: "height", Detail: "must be below 2"}), 422,
			`{"type":"urn:banyan:problem:too-tall","title":"Not acceptable input","status":422,"detail":"You must be smaller.","errors":[{"name":"height","detail":"must be below 2"}]}`},
		"members follow in alphabetical order": {get("/thing"),
			fault.New(fault.Conflict, "full", "Full.").With("seats", []int{1, 2}).With("room", "a"), 409,
			`{"type":"urn:banyan:problem:full","title":"Conflict","status":409,"detail":"Full.","room":"a","seats":[1,2]}`},
		"any other error is ours, and its text stays here": {get("/thing"), secret, 500,
			`{"type":"urn:banyan:problem:internal","title":"Internal error","status":500,"detail":"Something went wrong on our side."}`},
		"a deadline that passed is worth another try": {get("/thing"), context.DeadlineExceeded, 503,
			`{"type":"urn:banyan:problem:unavailable","title":"Unavailable","status":503,"detail":"This took too long. Please try again."}`},
		"an unknown address": {get("/nowhere"), nil, 404,
			`{"type":"urn:banyan:problem:not-found","title":"Not found","status":404,"detail":"There is nothing at this address."}`},
		"a method that the address does not know": {httptest.NewRequest(http.MethodPost, "/only-get", nil), nil, 405,
			`{"type":"urn:banyan:problem:method-not-allowed","title":"Method not allowed","status":405,"detail":"This address does not know this method."}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := serve(t, web.Options{}, fail(tt.err), tt.request)
			require.Equal(t, tt.status, w.Code)
			require.Equal(t, tt.body, w.Body.String())
			require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
		})
	}
}

func TestHeadersOfProblems(t *testing.T) {
	t.Parallel()
	w := serve(t, web.Options{}, fail(fault.New(fault.Throttled, "", "Slow down.").After(1500*time.Millisecond)), get("/thing"))
	require.Equal(t, "2", w.Header().Get("Retry-After"))
	w = serve(t, web.Options{}, fail(fault.New(fault.Unauthenticated, "", "Who are you?")), get("/thing"))
	require.Equal(t, "Bearer", w.Header().Get("WWW-Authenticate"))
	w = serve(t, web.Options{}, nil, httptest.NewRequest(http.MethodPost, "/only-get", nil))
	require.Contains(t, w.Header().Get("Allow"), "GET")
}

func TestServer(t *testing.T) {
	t.Parallel()
	ok := func(c echo.Context) error { return c.NoContent(http.StatusNoContent) }

	t.Run("a panic is a 500, and its stack is logged once", func(t *testing.T) {
		t.Parallel()
		var log strings.Builder
		w := serve(t, web.Options{Log: telemetry.NewLogger(&log, "test", slog.LevelInfo)},
			func(echo.Context) error { panic("ouch") }, get("/thing"))
		require.Equal(t, 500, w.Code)
		require.NotContains(t, w.Body.String(), "ouch")
		require.Equal(t, 1, strings.Count(log.String(), "panic: ouch"))
		require.Contains(t, log.String(), `"trace_id":"`)
	})
	t.Run("a handler has a deadline", func(t *testing.T) {
		t.Parallel()
		w := serve(t, web.Options{Timeout: 20 * time.Millisecond}, func(c echo.Context) error {
			<-c.Request().Context().Done()
			return c.Request().Context().Err()
		}, get("/thing"))
		require.Equal(t, 503, w.Code)
	})
	t.Run("a trace goes on, and names the request", func(t *testing.T) {
		t.Parallel()
		r := get("/thing")
		r.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
		var seen telemetry.Trace
		w := serve(t, web.Options{}, func(c echo.Context) error {
			seen, _ = telemetry.FromContext(c.Request().Context())
			return nil
		}, r)
		require.Equal(t, "0af7651916cd43dd8448eb211c80319c", seen.ID())
		require.Equal(t, seen.ID(), w.Header().Get("X-Request-Id"))
	})
	t.Run("a request id of the client's is kept if it is harmless", func(t *testing.T) {
		t.Parallel()
		for id, kept := range map[string]bool{"abc-123": true, "a b": false, "<script>": false, strings.Repeat("x", 65): false} {
			r := get("/thing")
			r.Header.Set("X-Request-Id", id)
			w := serve(t, web.Options{}, ok, r)
			require.Equal(t, kept, w.Header().Get("X-Request-Id") == id, id)
			require.NotEmpty(t, w.Header().Get("X-Request-Id"))
		}
	})
	t.Run("a body is limited, whether or not its length is announced", func(t *testing.T) {
		t.Parallel()
		read := func(c echo.Context) error {
			_, err := web.Body(c)
			return err
		}
		for _, announced := range []bool{true, false} {
			for size, status := range map[int]int{10: 200, 11: 413} {
				r := httptest.NewRequest(http.MethodPost, "/thing", strings.NewReader(strings.Repeat("x", size)))
				if !announced {
					r.ContentLength = -1
				}
				w := serve(t, web.Options{MaxBody: 10}, read, r)
				require.Equal(t, status, w.Code, "%d bytes, announced: %v", size, announced)
			}
		}
	})
	t.Run("no header moves the client's address", func(t *testing.T) {
		t.Parallel()
		r := get("/thing")
		r.Header.Set("X-Forwarded-For", "6.6.6.6")
		r.Header.Set("X-Real-Ip", "6.6.6.6")
		var ip string
		serve(t, web.Options{}, func(c echo.Context) error { ip = c.RealIP(); return nil }, r)
		require.Equal(t, "192.0.2.1", ip)
	})
}

func TestClient(t *testing.T) {
	t.Parallel()
	full := fault.New(fault.Conflict, "full", "of the caller's own making")
	e := web.New(web.Options{Log: quiet})
	e.POST("/echo", func(c echo.Context) error {
		var in map[string]any
		if err := web.Bind(c, &in); err != nil {
			return err
		}
		in["authorization"] = c.Request().Header.Get("Authorization")
		return c.JSON(http.StatusOK, in)
	})
	e.GET("/full", fail(fault.New(fault.Conflict, "full", "The house is full.").With("seats", 3).
		WithFields(fault.Field{Name: "seat", Detail: "is taken"}).After(2*time.Second)))
	e.GET("/slow", func(c echo.Context) error { time.Sleep(300 * time.Millisecond); return nil })
	e.GET("/redirect", func(c echo.Context) error { return c.Redirect(http.StatusFound, "/full") })
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	client := web.NewClient(web.ClientConfig{Base: server.URL + "/",
		Bearer: func() (string, error) { return "abc", nil }})

	t.Run("sends and receives JSON, with its token", func(t *testing.T) {
		t.Parallel()
		var out map[string]any
		require.NoError(t, client.Do(t.Context(), http.MethodPost, "/echo", map[string]int{"n": 1}, &out))
		require.Equal(t, map[string]any{"n": 1.0, "authorization": "Bearer abc"}, out)
	})
	t.Run("turns a problem back into the fault it was", func(t *testing.T) {
		t.Parallel()
		err := client.Do(t.Context(), http.MethodGet, "/full", nil, nil)
		require.ErrorIs(t, err, full)
		f := fault.From(err)
		require.Equal(t, fault.Conflict, f.Kind)
		require.Equal(t, "The house is full.", f.Detail)
		require.Equal(t, json.RawMessage("3"), f.Members["seats"])
		require.Equal(t, []fault.Field{{Name: "seat", Detail: "is taken"}}, f.Fields)
		require.Equal(t, 2*time.Second, f.RetryAfter)
	})
	t.Run("calls what is slow, away or strange unavailable or wrong, never a success", func(t *testing.T) {
		t.Parallel()
		hasty := web.NewClient(web.ClientConfig{Base: server.URL, Timeout: 50 * time.Millisecond})
		require.Equal(t, fault.Unavailable, fault.KindOf(hasty.Do(t.Context(), http.MethodGet, "/slow", nil, nil)))
		gone := web.NewClient(web.ClientConfig{Base: "http://127.0.0.1:1"})
		require.Equal(t, fault.Unavailable, fault.KindOf(gone.Do(t.Context(), http.MethodGet, "/", nil, nil)))
		require.Error(t, client.Do(t.Context(), http.MethodGet, "/redirect", nil, nil))
	})
}
