package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/stretchr/testify/require"
)

// hangsUp is a server that hangs up on the first so many requests it gets, and counts all.
func hangsUp(t *testing.T, first int64, asked *atomic.Int64) string {
	return upstreamServer(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if asked.Add(1) <= first {
			panic(http.ErrAbortHandler)
		}
		fmt.Fprintf(w, "%s %s", r.Method, body)
	}).URL
}

// earned gives a route's budget so many requests to take a tenth of.
func earned(g *gateway, requests int) *budget {
	b := &g.table.Load().routes[0].budget
	for range requests {
		b.sent()
	}
	return b
}

func TestRetry(t *testing.T) {
	t.Parallel()
	ask := func(t *testing.T, base, method, body string) *http.Response {
		req, err := http.NewRequest(method, base+"/v1/things", strings.NewReader(body))
		require.NoError(t, err)
		return do(t, req)
	}
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "PUT", "DELETE"} {
		t.Run(method+" is sent again when the connection broke", func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int64
			gateway, g := setup{routes: passing("/v1/things", hangsUp(t, 1, &asked))}.start(t)
			budget := earned(g, 20)
			require.Equal(t, http.StatusOK, ask(t, gateway.URL, method, "").StatusCode)
			require.EqualValues(t, 2, asked.Load())
			require.EqualValues(t, 1, budget.total.resent.Load())
		})
	}
	for _, c := range []struct{ method, body string }{{"POST", ""}, {"POST", "order"}, {"PATCH", ""}, {"PUT", "which was read"}} {
		t.Run(strings.TrimSpace(c.method+" "+c.body)+" is not", func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int64
			gateway, g := setup{routes: passing("/v1/things", hangsUp(t, 1, &asked), named(t, "other").URL)}.start(t)
			earned(g, 20)
			requireProblem(t, ask(t, gateway.URL, c.method, c.body), http.StatusBadGateway, "bad-gateway")
			require.EqualValues(t, 1, asked.Load())
		})
	}
	t.Run("another upstream is asked where there is one", func(t *testing.T) {
		t.Parallel()
		var asked atomic.Int64
		gateway, g := setup{routes: passing("/v1/things", hangsUp(t, 1000, &asked), named(t, "other").URL)}.start(t)
		earned(g, 20)
		require.Equal(t, "other", text(t, ask(t, gateway.URL, "GET", "")))
	})
	t.Run("once, and not for ever", func(t *testing.T) {
		t.Parallel()
		var asked atomic.Int64
		gateway, g := setup{routes: passing("/v1/things", hangsUp(t, 1000, &asked))}.start(t)
		earned(g, 100)
		requireProblem(t, ask(t, gateway.URL, "GET", ""), http.StatusBadGateway, "bad-gateway")
		require.EqualValues(t, 2, asked.Load())
	})
	t.Run("an answer is an answer, whatever it says", func(t *testing.T) {
		t.Parallel()
		var asked atomic.Int64
		upstream := upstreamServer(t, func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			w.WriteHeader(http.StatusServiceUnavailable)
		})
		gateway, g := setup{routes: passing("/v1/things", upstream.URL)}.start(t)
		earned(g, 20)
		require.Equal(t, http.StatusServiceUnavailable, ask(t, gateway.URL, "GET", "").StatusCode)
		require.EqualValues(t, 1, asked.Load())
	})
	t.Run("an answer that broke off is not begun again", func(t *testing.T) {
		t.Parallel()
		var asked atomic.Int64
		upstream := upstreamServer(t, func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			_, _ = io.WriteString(w, "half of")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		})
		gateway, g := setup{routes: passing("/v1/things", upstream.URL)}.start(t)
		earned(g, 20)
		res, err := http.Get(gateway.URL + "/v1/things")
		if err == nil {
			defer res.Body.Close()
			_, err = io.ReadAll(res.Body)
		}
		require.Error(t, err)
		require.EqualValues(t, 1, asked.Load())
	})
	t.Run("a body that nobody read goes on with its request", func(t *testing.T) {
		t.Parallel()
		var asked atomic.Int64
		gateway := setup{routes: passing("/v1/things", deadAddress(t), deadAddress(t), hangsUp(t, 0, &asked))}.serve(t)
		for range 3 {
			require.Equal(t, "POST order", text(t, ask(t, gateway.URL, "POST", "order")))
		}
	})
	t.Run("when nobody can be connected to, that is said", func(t *testing.T) {
		t.Parallel()
		gateway := setup{routes: passing("/v1/things", deadAddress(t), deadAddress(t))}.serve(t)
		requireProblem(t, ask(t, gateway.URL, "POST", "order"), http.StatusServiceUnavailable, "unavailable")
	})
}

func TestRetryBudget(t *testing.T) {
	t.Parallel()
	t.Run("an outage is not made worse by more than a tenth", func(t *testing.T) {
		t.Parallel()
		var asked atomic.Int64
		gateway, g := setup{routes: passing("/v1/things", hangsUp(t, 1<<40, &asked))}.start(t)
		route := g.table.Load().routes[0]
		// A breaker would end it even sooner.
		route.pool[0].breaker.circuit = circuitbreaker.NewBuilder[any]().WithFailureThreshold(1 << 20).Build()
		const requests = 200
		for range requests {
			call(t, http.MethodGet, gateway.URL+"/v1/things")
		}
		require.EqualValues(t, requests, route.budget.total.sent.Load())
		require.LessOrEqual(t, asked.Load(), int64(requests+requests/10))
		require.Greater(t, asked.Load(), int64(requests), "but some are sent again")
		require.EqualValues(t, asked.Load(), requests+route.budget.total.resent.Load(), "and what is counted is what arrived")
		require.Positive(t, route.budget.total.refused.Load())
	})
	t.Run("what net/http sends again by itself counts", func(t *testing.T) {
		t.Parallel()
		var asked atomic.Int64
		upstream := upstreamServer(t, func(w http.ResponseWriter, _ *http.Request) {
			if asked.Add(1)%2 == 0 {
				panic(http.ErrAbortHandler) // the second request of each connection
			}
			_, _ = io.WriteString(w, "fine")
		})
		gateway, g := setup{routes: passing("/v1/things", upstream.URL)}.start(t)
		for range 4 {
			require.Equal(t, "fine", text(t, call(t, http.MethodGet, gateway.URL+"/v1/things")))
		}
		budget := &g.table.Load().routes[0].budget
		require.EqualValues(t, asked.Load(), 4+budget.total.resent.Load())
		require.Greater(t, asked.Load(), int64(4))
		require.False(t, budget.take())
	})
	t.Run("a claim is given back when there is nobody to send to", func(t *testing.T) {
		t.Parallel()
		var asked atomic.Int64
		gateway, g := setup{routes: passing("/v1/things", hangsUp(t, 1000, &asked))}.start(t)
		budget := earned(g, 19)
		breaker := g.table.Load().routes[0].pool[0].breaker
		breaker.circuit = circuitbreaker.NewBuilder[any]().WithFailureThreshold(1).WithDelay(time.Minute).Build()
		requireProblem(t, call(t, http.MethodGet, gateway.URL+"/v1/things"), http.StatusBadGateway, "bad-gateway")
		require.EqualValues(t, 1, asked.Load())
		require.Zero(t, budget.total.resent.Load())
		require.True(t, budget.take())
		require.True(t, budget.take(), "two of twenty")
		require.False(t, budget.take())
	})
	t.Run("and when the other upstream could not be connected to", func(t *testing.T) {
		t.Parallel()
		var asked atomic.Int64
		gateway, g := setup{routes: passing("/v1/things", hangsUp(t, 1000, &asked), deadAddress(t))}.start(t)
		budget := earned(g, 19)
		requireProblem(t, call(t, http.MethodGet, gateway.URL+"/v1/things"), http.StatusServiceUnavailable, "unavailable")
		require.EqualValues(t, 1, asked.Load())
		require.Zero(t, budget.total.resent.Load())
		require.True(t, budget.take())
		require.True(t, budget.take())
	})
	t.Run("it is used when another one after that gets the request", func(t *testing.T) {
		t.Parallel()
		var asked atomic.Int64
		gateway, g := setup{routes: passing("/v1/things", hangsUp(t, 1000, &asked), deadAddress(t), named(t, "other").URL)}.start(t)
		budget := earned(g, 19)
		require.Equal(t, "other", text(t, call(t, http.MethodGet, gateway.URL+"/v1/things")))
		require.EqualValues(t, 1, budget.total.resent.Load())
		require.True(t, budget.take())
		require.False(t, budget.take())
	})
	t.Run("a connection on which nothing could be sent is none", func(t *testing.T) {
		t.Parallel()
		var asked atomic.Int64
		gateway, g := setup{routes: passing("/v1/things", hangsUp(t, 0, &asked))}.start(t)
		route := g.table.Load().routes[0]
		route.pool[0].transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			if err == nil {
				w := conn.(*wire)
				w.Conn = &once{Conn: w.Conn}
			}
			return conn, err
		}
		for range 4 {
			require.Equal(t, "GET ", text(t, call(t, http.MethodGet, gateway.URL+"/v1/things")))
		}
		require.EqualValues(t, 4, asked.Load())
		require.Zero(t, route.budget.total.resent.Load())
	})
	t.Run("it forgets after ten seconds", func(t *testing.T) {
		t.Parallel()
		var b budget
		for range 10 {
			b.sent()
		}
		for i := range b.seconds {
			b.seconds[i].at -= budgetSeconds
		}
		require.False(t, b.take())
	})
	t.Run("each route has its own", func(t *testing.T) {
		t.Parallel()
		var asked atomic.Int64
		broken := hangsUp(t, 1000, &asked)
		gateway, g := setup{routes: append(passing("/v1/things", named(t, "a").URL), passing("/v1/shelves", broken)...)}.start(t)
		for range 50 {
			g.table.Load().match("/v1/things").budget.sent()
		}
		requireProblem(t, call(t, http.MethodGet, gateway.URL+"/v1/shelves"), http.StatusBadGateway, "bad-gateway")
		require.EqualValues(t, 1, asked.Load())
	})
}

// once is a connection that takes one request and fails when the next is written.
type once struct {
	net.Conn
	used bool
}

func (o *once) Write(p []byte) (int, error) {
	if o.used {
		return 0, syscall.EPIPE
	}
	o.used = true
	return o.Conn.Write(p)
}
