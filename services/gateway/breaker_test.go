package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/internal/fault"
	"banyan/internal/web"
)

func TestBreaker(t *testing.T) {
	t.Parallel()
	t.Run("opens on failures, refuses with a time to come back, tries, and closes", func(t *testing.T) {
		t.Parallel()
		var broken atomic.Bool
		var asked atomic.Int64
		upstream := upstreamServer(t, func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			if broken.Load() {
				panic(http.ErrAbortHandler) // hangs up
			}
			_, _ = io.WriteString(w, "fine")
		})
		gateway, g := setup{routes: passing("/v1/things", upstream.URL)}.start(t)
		breaker := g.table.Load().routes[0].pool[0].breaker
		post := func() *http.Response { return call(t, http.MethodPost, gateway.URL+"/v1/things") }

		require.Equal(t, "fine", text(t, post()))
		require.Zero(t, breaker.state())
		broken.Store(true)
		for range breakerFailures {
			requireProblem(t, post(), http.StatusBadGateway, "bad-gateway")
		}
		require.EqualValues(t, 2, breaker.state())
		require.EqualValues(t, 1, breaker.opened.Load())

		before := asked.Load()
		res := post()
		require.Equal(t, "1", res.Header.Get("Retry-After"))
		requireProblem(t, res, http.StatusServiceUnavailable, "unavailable")
		require.Equal(t, before, asked.Load(), "the upstream is left alone")

		time.Sleep(breakerDelay)
		requireProblem(t, post(), http.StatusBadGateway, "bad-gateway")
		require.Equal(t, before+1, asked.Load(), "one request tries")

		broken.Store(false)
		time.Sleep(breakerDelay)
		for range breakerProbes {
			require.Equal(t, "fine", text(t, post()))
		}
		require.Zero(t, breaker.state())
	})

	answer := func(status int, contentType string) *http.Response {
		return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {contentType}}}
	}
	for name, c := range map[string]struct {
		answer *http.Response
		fails  bool
	}{
		"a 404":                       {answer(404, web.ContentTypeProblem), false},
		"a 429":                       {answer(429, web.ContentTypeProblem), false},
		"a 500":                       {answer(500, web.ContentTypeProblem), false},
		"a service's own 503":         {answer(503, web.ContentTypeProblem), false},
		"a 503 of something between":  {answer(503, "text/html"), true},
		"a 502 of something between":  {answer(502, "text/html"), true},
		"a 504 of something between":  {answer(504, "text/html"), true},
		"a 504 that calls it problem": {answer(504, web.ContentTypeProblem), true},
	} {
		t.Run(fmt.Sprintf("%s counts as a failure: %t", name, c.fails), func(t *testing.T) {
			t.Parallel()
			b := newBreaker()
			for range breakerSample {
				b.answered(c.answer)
			}
			require.Equal(t, c.fails, b.circuit.IsOpen())
		})
	}
	t.Run("a probe whose client went away proves nothing", func(t *testing.T) {
		t.Parallel()
		b := newBreaker()
		b.abandoned()
		require.Zero(t, b.circuit.Metrics().Executions())
		b.circuit.HalfOpen()
		for range breakerProbes {
			require.True(t, b.admits())
		}
		require.False(t, b.admits(), "no more than that at once")
		b.abandoned()
		require.True(t, b.circuit.IsOpen())
		require.Positive(t, b.wait())
	})
	t.Run("one that never answers in time is left alone", func(t *testing.T) {
		t.Parallel()
		b := failing(t, func(*http.Request) context.Context {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			t.Cleanup(cancel)
			return ctx
		}, nil)
		require.True(t, b.circuit.IsOpen())
	})
	t.Run("a client that sends its body too slowly is not held against it", func(t *testing.T) {
		t.Parallel()
		b := failing(t, func(*http.Request) context.Context {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			t.Cleanup(cancel)
			return ctx
		}, trickle{})
		require.Zero(t, b.circuit.Metrics().Executions())
	})
	t.Run("nor is one that goes away", func(t *testing.T) {
		t.Parallel()
		b := failing(t, func(*http.Request) context.Context {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(20*time.Millisecond, cancel)
			return ctx
		}, nil)
		require.Zero(t, b.circuit.Metrics().Executions())
	})
}

// failing asks an upstream that never answers as often as opens a breaker, and returns
// what the breaker made of it.
func failing(t *testing.T, during func(*http.Request) context.Context, body io.Reader) *breaker {
	upstream := upstreamServer(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	table, err := parseTable([]byte(`{"routes": [{"prefix": "/v1/things", "upstreams": ["`+upstream.URL+`"], "token": "pass"}]}`), nil)
	require.NoError(t, err)
	t.Cleanup(table.close)
	proxy := newProxy(slog.New(slog.DiscardHandler))
	for range breakerFailures {
		r := httptest.NewRequest(http.MethodPost, "/v1/things", body)
		require.Error(t, proxy.forward(httptest.NewRecorder(), r.WithContext(during(r)), &hop{route: table.routes[0]}))
	}
	return table.routes[0].pool[0].breaker
}

// trickle is a body that comes a byte at a time and has no end.
type trickle struct{}

func (trickle) Read(p []byte) (int, error) {
	time.Sleep(time.Millisecond)
	return copy(p, "x"), nil
}

func TestAllBreakersOpen(t *testing.T) {
	t.Parallel()
	gateway, g := setup{routes: passing("/v1/things", named(t, "a").URL, named(t, "b").URL)}.start(t)
	for _, u := range g.table.Load().routes[0].pool {
		u.breaker.circuit.Open()
	}
	res := call(t, http.MethodGet, gateway.URL+"/v1/things")
	require.Equal(t, "1", res.Header.Get("Retry-After"))
	body := text(t, res)
	require.Equal(t, string(web.Problem(fault.From(errAway))), body, "in the words of one that is not there")
	require.True(t, strings.HasPrefix(res.Header.Get("Content-Type"), web.ContentTypeProblem))
}

// TestBreakerOfOneThatIsBack is a restart while requests take long: those that try whether it is back must not keep
// the others away, who may have nowhere else to go.
func TestBreakerOfOneThatIsBack(t *testing.T) {
	t.Parallel()
	b := newBreaker()
	for range breakerSample {
		b.failed(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED})
	}
	time.Sleep(breakerDelay + 50*time.Millisecond)
	for range breakerProbes {
		require.True(t, b.admits())
	}
	require.False(t, b.admits(), "as many as may try it are under way")
	require.True(t, b.unheard(), "it may be asked all the same")
	b.answered(&http.Response{StatusCode: http.StatusOK})
	require.True(t, b.admits())
	require.False(t, b.unheard())
}
