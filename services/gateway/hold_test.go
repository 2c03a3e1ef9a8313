package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"banyan/internal/web"
	labgate "banyan/scripts/lab/gate"
)

// operate is the ops port of a gateway, as the lab speaks to it.
func operate(t testing.TB, g *gateway) *labgate.Gate {
	mux := http.NewServeMux()
	for pattern, endpoint := range g.endpoints() {
		mux.Handle(pattern, endpoint)
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return labgate.At(server.URL)
}

// asked is what came of a request that a test does not wait for.
type asked chan string

// ask sends a request beside the test; its answer is status and body.
func ask(ctx context.Context, method, url, body string) asked {
	answer := make(asked, 1)
	go func() {
		req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
		if err != nil {
			answer <- err.Error()
			return
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			answer <- err.Error()
			return
		}
		defer res.Body.Close()
		said, err := io.ReadAll(res.Body)
		if err != nil {
			answer <- err.Error()
			return
		}
		answer <- fmt.Sprint(res.StatusCode, " ", string(said))
	}()
	return answer
}

// require waits for an answer that contains what is wanted.
func (a asked) require(t *testing.T, wanted string) {
	t.Helper()
	select {
	case got := <-a:
		require.Contains(t, got, wanted)
	case <-time.After(10 * time.Second):
		require.Fail(t, "there is no answer", wanted)
	}
}

// waits returns when so many wait.
func waits(t *testing.T, ops *labgate.Gate, wanted int) {
	t.Helper()
	require.Eventually(t, func() bool {
		held, err := ops.Held(t.Context())
		return err == nil && held.Waiting() == wanted
	}, 10*time.Second, 2*time.Millisecond)
}

func TestHold(t *testing.T) {
	t.Parallel()
	t.Run("requests wait, and take the table that is in force when they are let go", func(t *testing.T) {
		t.Parallel()
		old, next := named(t, "old"), named(t, "new")
		s := setup{routes: append(passing("/v1/things", old.URL), passing("/v1/shelves", named(t, "shelf").URL)...)}
		server, g := s.start(t)
		ops := operate(t, g)
		held, err := ops.Hold(t.Context(), []string{"/v1/things"}, 5*time.Second)
		require.NoError(t, err)
		require.WithinDuration(t, time.Now().Add(5*time.Second), held.Until, time.Second)

		get, post := ask(t.Context(), http.MethodGet, server.URL+"/v1/things/7", ""), ask(t.Context(), http.MethodPost, server.URL+"/v1/things", "body")
		waits(t, ops, 2)
		require.Equal(t, "shelf", text(t, call(t, http.MethodGet, server.URL+"/v1/shelves")), "others are not held")
		require.NoError(t, ops.Replace(t.Context(), setup{routes: passing("/v1/things", next.URL)}.table(t)))
		time.Sleep(50 * time.Millisecond)

		held, err = ops.LetGo(t.Context())
		require.NoError(t, err)
		get.require(t, "200 new")
		post.require(t, "200 new")
		require.Zero(t, held.Until)
		require.Zero(t, held.Waiting())
		require.Equal(t, 2, held.Routes[0].Held)
		require.Zero(t, held.Routes[0].Failed)
		require.GreaterOrEqual(t, held.Routes[0].LongestWait, 50*time.Millisecond)
		require.Equal(t, "new", text(t, call(t, http.MethodGet, server.URL+"/v1/things")), "the lane is open again")
	})
	t.Run("nobody is under way only when answers were sent to the end", func(t *testing.T) {
		t.Parallel()
		half, rest := make(chan struct{}), make(chan struct{})
		upstream := upstreamServer(t, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "one")
			_ = http.NewResponseController(w).Flush()
			close(half)
			<-rest
			_, _ = io.WriteString(w, "two")
		})
		server, g := setup{routes: passing("/v1/things", upstream.URL)}.start(t)
		ops := operate(t, g)
		first := ask(t.Context(), http.MethodGet, server.URL+"/v1/things", "")
		<-half
		held, err := ops.Hold(t.Context(), []string{"/v1/things"}, 5*time.Second)
		require.NoError(t, err)
		require.Equal(t, 1, held.UnderWay())
		time.Sleep(50 * time.Millisecond)
		held, err = ops.Held(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, held.UnderWay(), "half an answer is none")
		close(rest)
		first.require(t, "200 onetwo")
		require.Eventually(t, func() bool {
			held, err := ops.Held(t.Context())
			return err == nil && held.UnderWay() == 0
		}, time.Second, time.Millisecond)
	})
	t.Run("lets go by itself when its time is over", func(t *testing.T) {
		t.Parallel()
		server, g := setup{routes: passing("/v1/things", named(t, "things").URL)}.start(t)
		ops := operate(t, g)
		_, err := ops.Hold(t.Context(), []string{"/v1/things"}, 200*time.Millisecond)
		require.NoError(t, err)
		began := time.Now()
		ask(t.Context(), http.MethodGet, server.URL+"/v1/things", "").require(t, "200 things")
		require.GreaterOrEqual(t, time.Since(began), 150*time.Millisecond)
	})
	t.Run("a second hold adds its routes and sets the time anew", func(t *testing.T) {
		t.Parallel()
		server, g := setup{routes: passing("/v1/things", named(t, "things").URL)}.start(t)
		ops := operate(t, g)
		_, err := ops.Hold(t.Context(), []string{"POST /v1/things"}, 300*time.Millisecond)
		require.NoError(t, err)
		post := ask(t.Context(), http.MethodPost, server.URL+"/v1/things", "")
		waits(t, ops, 1)
		require.Equal(t, "things", text(t, call(t, http.MethodGet, server.URL+"/v1/things")), "only one method is held")
		_, err = ops.Hold(t.Context(), []string{"/v1/things"}, 5*time.Second)
		require.NoError(t, err)
		get := ask(t.Context(), http.MethodGet, server.URL+"/v1/things", "")
		waits(t, ops, 2)
		time.Sleep(400 * time.Millisecond)
		held, err := ops.Held(t.Context())
		require.NoError(t, err)
		require.Equal(t, []int{1, 1}, []int{held.Routes[0].Waiting, held.Routes[1].Waiting}, "each counts for one route")
		_, err = ops.LetGo(t.Context())
		require.NoError(t, err)
		post.require(t, "200")
		get.require(t, "200")
	})
	t.Run("a client that leaves leaves the queue, and its request reaches nobody", func(t *testing.T) {
		t.Parallel()
		var reached atomic.Int32
		upstream := upstreamServer(t, func(http.ResponseWriter, *http.Request) { reached.Add(1) })
		server, g := setup{routes: passing("/v1/things", upstream.URL)}.start(t)
		ops := operate(t, g)
		_, err := ops.Hold(t.Context(), []string{"/v1/things"}, 5*time.Second)
		require.NoError(t, err)
		ctx, leave := context.WithCancel(t.Context())
		ask(ctx, http.MethodGet, server.URL+"/v1/things", "")
		waits(t, ops, 1)
		leave()
		waits(t, ops, 0)
		held, err := ops.LetGo(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, held.Routes[0].Failed)
		require.Zero(t, reached.Load())
	})
	t.Run("one more than may wait is told to come back", func(t *testing.T) {
		t.Parallel()
		server, g := setup{routes: passing("/v1/things", named(t, "things").URL)}.start(t)
		g.gate.most = 1
		ops := operate(t, g)
		_, err := ops.Hold(t.Context(), []string{"/v1/things"}, 5*time.Second)
		require.NoError(t, err)
		first := ask(t.Context(), http.MethodGet, server.URL+"/v1/things", "")
		waits(t, ops, 1)
		res := call(t, http.MethodGet, server.URL+"/v1/things")
		requireProblem(t, res, http.StatusServiceUnavailable, "unavailable")
		require.Equal(t, "1", res.Header.Get("Retry-After"))
		_, err = ops.LetGo(t.Context())
		require.NoError(t, err)
		first.require(t, "200 things")
	})
	t.Run("the rate limit counts a request when it comes, and not when it is let go", func(t *testing.T) {
		t.Parallel()
		server, g := setup{
			routes: passing("/v1/things", named(t, "things").URL), limit: rateLimit{rate: rate.Limit(1.0 / 3600), burst: 2},
		}.start(t)
		ops := operate(t, g)
		_, err := ops.Hold(t.Context(), []string{"/v1/things"}, 5*time.Second)
		require.NoError(t, err)
		var first [2]asked
		for i := range first {
			first[i] = ask(t.Context(), http.MethodGet, server.URL+"/v1/things", "")
		}
		waits(t, ops, 2)
		requireProblem(t, call(t, http.MethodGet, server.URL+"/v1/things"), http.StatusTooManyRequests, "throttled")
		_, err = ops.LetGo(t.Context())
		require.NoError(t, err)
		for i := range first {
			first[i].require(t, "200 things")
		}
	})
	t.Run("the server's time for a request does not end while it waits", func(t *testing.T) {
		t.Parallel()
		upstream := upstreamServer(t, func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(300 * time.Millisecond)
			body, err := io.ReadAll(r.Body)
			fmt.Fprint(w, "got ", string(body), err)
		})
		_, g := setup{routes: passing("/v1/things", upstream.URL)}.start(t)
		server := httptest.NewUnstartedServer(g.gate) // with limits, as in a process
		server.Config.ReadHeaderTimeout, server.Config.ReadTimeout = 100*time.Millisecond, 200*time.Millisecond
		server.Start()
		t.Cleanup(server.Close)
		ops := operate(t, g)
		_, err := ops.Hold(t.Context(), []string{"/v1/things"}, 400*time.Millisecond)
		require.NoError(t, err)
		get, post := ask(t.Context(), http.MethodGet, server.URL+"/v1/things", ""), ask(t.Context(), http.MethodPost, server.URL+"/v1/things", "body")
		get.require(t, "200 got <nil>")
		post.require(t, "200 got body<nil>")
	})
	t.Run("a client has its time for sending a body from when its request is let go, and no longer", func(t *testing.T) {
		t.Parallel()
		upstream := upstreamServer(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
		server, g := setup{routes: passing("/v1/things", upstream.URL)}.start(t)
		g.gate.readTime = 200 * time.Millisecond
		_, err := operate(t, g).Hold(t.Context(), []string{"/v1/things"}, 100*time.Millisecond)
		require.NoError(t, err)
		began := time.Now()
		res := raw(t, server, "POST /v1/things HTTP/1.1", "Host: shop", "Content-Length: 9")
		require.GreaterOrEqual(t, res.StatusCode, 400)
		require.Less(t, time.Since(began), 3*time.Second)
	})
	t.Run("its wait is part of the time that the log tells", func(t *testing.T) {
		t.Parallel()
		var log bytes.Buffer
		server, g := setup{
			routes: passing("/v1/things", named(t, "things").URL), log: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn})),
		}.start(t)
		ops := operate(t, g)
		_, err := ops.Hold(t.Context(), []string{"/v1/things"}, web.SlowRequest+100*time.Millisecond)
		require.NoError(t, err)
		ask(t.Context(), http.MethodGet, server.URL+"/v1/things", "").require(t, "200")
		server.Close()
		require.Contains(t, log.String(), `"route":"/v1/things"`, "it is a slow one")
	})
}

func TestGateMetrics(t *testing.T) {
	t.Parallel()
	s := setup{routes: passing("/v1/things", named(t, "things").URL)}
	server, g := s.start(t)
	ops := operate(t, g)
	registry := prometheus.NewPedanticRegistry()
	g.register(registry)
	compare := func(waiting, held, failed, replaced int) {
		t.Helper()
		want := fmt.Sprintf(`# HELP gateway_held_failed_total Requests whose client left while they were held, that found no room to wait, or that were answered 502, 503 or 504 when let go.
# TYPE gateway_held_failed_total counter
gateway_held_failed_total{route="/v1/things"} %d
# HELP gateway_held_total Requests that were held.
# TYPE gateway_held_total counter
gateway_held_total{route="/v1/things"} %d
# HELP gateway_table_replacements_total Tables of routes that were put into force after the first one.
# TYPE gateway_table_replacements_total counter
gateway_table_replacements_total %d
# HELP gateway_under_way Requests that passed the gate and have not been answered in full.
# TYPE gateway_under_way gauge
gateway_under_way{route="/v1/things"} 0
# HELP gateway_waiting Requests that are held now.
# TYPE gateway_waiting gauge
gateway_waiting{route="/v1/things"} %d
`, failed, held, replaced, waiting)
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			assert.NoError(c, testutil.GatherAndCompare(registry, strings.NewReader(want), "gateway_held_failed_total", "gateway_held_total",
				"gateway_table_replacements_total", "gateway_under_way", "gateway_waiting"))
		}, 5*time.Second, 5*time.Millisecond)
	}
	_, err := ops.Hold(t.Context(), []string{"/v1/things"}, 5*time.Second)
	require.NoError(t, err)
	first, second := ask(t.Context(), http.MethodGet, server.URL+"/v1/things", ""), ask(t.Context(), http.MethodGet, server.URL+"/v1/things", "")
	compare(2, 2, 0, 0)
	s.routes = passing("/v1/things", deadAddress(t))
	require.NoError(t, ops.Replace(t.Context(), s.table(t)))
	_, err = ops.LetGo(t.Context())
	require.NoError(t, err)
	first.require(t, "503")
	second.require(t, "503")
	compare(0, 2, 2, 1)
	count, err := testutil.GatherAndCount(registry, "gateway_hold_longest_wait_seconds")
	require.NoError(t, err)
	require.Equal(t, 1, count)
}
