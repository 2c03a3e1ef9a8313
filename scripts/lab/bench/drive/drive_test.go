package drive

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func serve(t *testing.T, handler http.HandlerFunc) string {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func always(r Request) func(int) Request { return func(int) Request { return r } }

func TestAClosedLoopAsksForEachThingOnce(t *testing.T) {
	var asked atomic.Int64
	var seen [40]atomic.Int64
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n := asked.Add(1)
		body, _ := io.ReadAll(r.Body)
		seen[int(body[0]-'0')].Add(1)
		if n%2 == 0 {
			w.WriteHeader(http.StatusCreated)
			w.(http.Flusher).Flush() // chunks
			_, _ = io.WriteString(w, strings.Repeat("x", 10_000))
			return
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, "short")
	})
	var requests []Request
	for n := range 40 {
		r, err := New("POST", base, "/things", []byte{byte('0' + n)}, 201, "Authorization: Bearer x")
		require.NoError(t, err)
		requests = append(requests, r)
	}
	result, err := Closed(t.Context(), Load{Base: base, Clients: 4, Count: 40, Request: func(n int) Request { return requests[n] }})
	require.NoError(t, err)
	require.NoError(t, result.Good())
	require.EqualValues(t, 40, result.Requests())
	for n := range seen {
		require.EqualValues(t, 1, seen[n].Load(), "request %d", n)
	}
	require.Positive(t, result.Rate())
}

func TestAWrongStatusIsAnError(t *testing.T) {
	base := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no such thing", http.StatusNotFound) })
	r, err := Get(base, "/things/1")
	require.NoError(t, err)
	result, err := Closed(t.Context(), Load{Base: base, Clients: 2, Count: 10, Request: always(r)})
	require.NoError(t, err)
	require.EqualValues(t, 10, result.Failed)
	require.ErrorContains(t, result.Good(), "GET /things/1 HTTP/1.1 was answered with 404 instead of 200: no such thing")
	require.Zero(t, result.Rate())
}

// A server that stalls makes everybody wait who came meanwhile, not only those it had in hand.
func TestAnOpenLoopCountsFromTheIntendedStart(t *testing.T) {
	var asked atomic.Int64
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 20 {
			time.Sleep(300 * time.Millisecond)
		}
		_, _ = io.WriteString(w, "{}")
	})
	r, err := Get(base, "/")
	require.NoError(t, err)
	result, err := Open(t.Context(), Load{Base: base, Clients: 1, Length: time.Second, Request: always(r)}, 100)
	require.NoError(t, err)
	require.NoError(t, result.Good())
	require.EqualValues(t, 100, result.Requests())
	require.Greater(t, result.Served.Percentile(90), 150*time.Millisecond, "some 30 requests came while it stalled")
	require.Less(t, result.Served.Percentile(50), 150*time.Millisecond)
}

func TestALoadEndsWithItsContext(t *testing.T) {
	base := serve(t, func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	r, err := Get(base, "/")
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err = Closed(ctx, Load{Base: base, Clients: 2, Length: time.Minute, Request: always(r)})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Less(t, time.Since(began), 5*time.Second)
}
