package bench

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func dial(t *testing.T, handler http.HandlerFunc) *conn {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c, err := newConn(server.URL)
	require.NoError(t, err)
	t.Cleanup(c.close)
	return c
}

func TestConn(t *testing.T) {
	t.Parallel()

	t.Run("sends what a request holds", func(t *testing.T) {
		t.Parallel()
		c := dial(t, func(w http.ResponseWriter, r *http.Request) {
			sent, _ := io.ReadAll(r.Body)
			require.Equal(t, "POST /v1/orders?a=b", r.Method+" "+r.RequestURI)
			require.Equal(t, "Bearer secret", r.Header.Get("Authorization"))
			require.Equal(t, "once", r.Header.Get("Idempotency-Key"))
			require.Equal(t, "application/json", r.Header.Get("Content-Type"))
			require.Equal(t, `{"a":1}`, string(sent))
			w.Header().Set("Location", "/v1/orders/7")
			w.WriteHeader(http.StatusCreated)
		})
		a, err := c.do(t.Context(), &request{method: "POST", path: "/v1/orders?a=b", token: "secret", key: "once", body: []byte(`{"a":1}`)})
		require.NoError(t, err)
		require.Equal(t, http.StatusCreated, a.status)
		require.Equal(t, "/v1/orders/7", a.location)
	})

	t.Run("reads answers of any size, of a known length or in chunks, one after another", func(t *testing.T) {
		t.Parallel()
		peers := map[string]bool{}
		c := dial(t, func(w http.ResponseWriter, r *http.Request) {
			peers[r.RemoteAddr] = true
			text := strings.Repeat("x", 100_000)
			if r.URL.Path == "/chunks" {
				_, _ = io.WriteString(w, text[:50_000])
				w.(http.Flusher).Flush()
				text = text[50_000:]
			}
			_, _ = io.WriteString(w, text)
		})
		for _, path := range []string{"/whole", "/chunks", "/whole"} {
			a, err := c.do(t.Context(), &request{method: "GET", path: path})
			require.NoError(t, err)
			require.Len(t, a.body, 100_000)
		}
		require.Len(t, peers, 1, "all on one connection")
	})

	t.Run("tells when the connection breaks, and connects anew", func(t *testing.T) {
		t.Parallel()
		broken := false
		c := dial(t, func(http.ResponseWriter, *http.Request) {
			if !broken {
				broken = true
				panic(http.ErrAbortHandler)
			}
		})
		_, err := c.do(t.Context(), &request{method: "GET", path: "/"})
		require.EqualError(t, err, "GET /: the connection was closed instead of an answer")
		a, err := c.do(t.Context(), &request{method: "GET", path: "/"})
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, a.status)
	})

	t.Run("stops waiting when it is told to", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		c := dial(t, func(_ http.ResponseWriter, r *http.Request) {
			cancel()
			<-r.Context().Done()
		})
		began := time.Now()
		_, err := c.do(ctx, &request{method: "GET", path: "/"})
		require.ErrorIs(t, err, context.Canceled)
		require.Less(t, time.Since(began), answerWithin/2)
	})

	t.Run("refuses what is no address", func(t *testing.T) {
		t.Parallel()
		_, err := newConn("localhost:8080")
		require.ErrorContains(t, err, "it looks like http://")
	})
}
