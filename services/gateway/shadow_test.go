package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	labgate "banyan/scripts/lab/gate"
)

// saying is an upstream that answers with this JSON.
func saying(t testing.TB, body string) *httptest.Server {
	return upstreamServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	})
}

// compared waits until a comparison has so many outcomes.
func compared(t *testing.T, ops *labgate.Gate, outcomes int) (s labgate.Shadowed) {
	t.Helper()
	require.Eventually(t, func() bool {
		var err error
		s, err = ops.Shadowed(t.Context())
		return err == nil && s.Equal+s.Different+s.Failed+s.Dropped >= outcomes
	}, 10*time.Second, 10*time.Millisecond)
	return s
}

func TestShadow(t *testing.T) {
	t.Parallel()
	t.Run("answers that mean the same are equal", func(t *testing.T) {
		t.Parallel()
		server, g := setup{routes: passing("/v1/things", saying(t, `{"a": 1.0, "b": [1, {"c": "x", "now": 1}]}`).URL)}.start(t)
		ops := operate(t, g)
		second := saying(t, "{\"b\":[1,{\"now\":2,\"c\":\"x\"}],\n\"a\":1}")
		require.NoError(t, ops.Shadow(t.Context(), labgate.Shadow{
			Prefix: "/v1/things", Upstream: second.URL, Token: "pass", Share: 1, Ignore: []labgate.Ignored{{Path: "b.*.now", Reason: "the clock"}},
		}))
		require.Equal(t, `{"a": 1.0, "b": [1, {"c": "x", "now": 1}]}`, text(t, call(t, http.MethodGet, server.URL+"/v1/things/7?q=a")))
		s := compared(t, ops, 1)
		require.Equal(t, []int{1, 1, 0, 0, 0}, []int{s.Sent, s.Equal, s.Different, s.Dropped, s.Failed}, s.Differences)
		require.Equal(t, "/v1/things", s.Prefix)
	})
	t.Run("a difference that is still there a second later is kept, with what differs", func(t *testing.T) {
		t.Parallel()
		server, g := setup{routes: passing("/v1/things", saying(t, `{"price": 5}`).URL)}.start(t)
		ops := operate(t, g)
		require.NoError(t, ops.Shadow(t.Context(), labgate.Shadow{
			Prefix: "/v1/things", Upstream: saying(t, `{"price": 7, "text": "`+strings.Repeat("x", 2000)+`"}`).URL, Token: "pass", Share: 1,
		}))
		began := time.Now()
		call(t, http.MethodGet, server.URL+"/v1/things/7?q=a", "X-Request-Id: r1")
		s := compared(t, ops, 1)
		require.GreaterOrEqual(t, time.Since(began), shadowPatience)
		require.Equal(t, 1, s.Different)
		require.Equal(t, []string{"body.price: 5 and 7", "body.text: only the second has it"}, s.Differences[0].What)
		require.Equal(t, "/v1/things/7?q=a", s.Differences[0].Path)
		require.Equal(t, "r1", s.Differences[0].RequestID)
		require.Equal(t, `{"price": 5}`, s.Differences[0].First)
		require.Len(t, s.Differences[0].Second, 1024)
	})
	t.Run("a difference that goes away is none", func(t *testing.T) {
		t.Parallel()
		var asked atomic.Int32
		late := upstreamServer(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, max(2, asked.Add(1))) })
		server, g := setup{routes: passing("/v1/things", late.URL)}.start(t)
		ops := operate(t, g)
		second := upstreamServer(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, min(2, 2*asked.Load()-1)) })
		require.NoError(t, ops.Shadow(t.Context(), labgate.Shadow{Prefix: "/v1/things", Upstream: second.URL, Token: "pass", Share: 1}))
		call(t, http.MethodGet, server.URL+"/v1/things")
		s := compared(t, ops, 1)
		require.EqualValues(t, 2, asked.Load(), "both were asked again")
		require.Equal(t, 1, s.Equal)
	})
	t.Run("the second upstream gets the credentials of its own token mode", func(t *testing.T) {
		t.Parallel()
		accounts := newAccounts(t, "s1")
		for mode, wanted := range map[string]string{"pass": "Bearer s1", "exchange": "Bearer signed-s1"} {
			seen := make(chan string, 2)
			second := upstreamServer(t, func(_ http.ResponseWriter, r *http.Request) {
				seen <- fmt.Sprint(r.Header.Get("Authorization"), " ", r.Header.Get("X-Request-Id"), " ", r.Header.Get("X-User"))
			})
			server, g := setup{routes: passing("/v1/things", named(t, "").URL), accounts: accounts.URL}.start(t)
			ops := operate(t, g)
			require.NoError(t, ops.Shadow(t.Context(), labgate.Shadow{Prefix: "/v1/things", Upstream: second.URL, Token: mode, Share: 1}))
			call(t, http.MethodGet, server.URL+"/v1/things", "Authorization: Bearer s1", "X-Request-Id: r1", "X-User: eve")
			require.Equal(t, wanted+" r1 ", <-seen)
		}
	})
	t.Run("only GETs of its route are copied", func(t *testing.T) {
		t.Parallel()
		first := named(t, "same").URL
		server, g := setup{routes: append(passing("/v1/things", first), passing("/v1/shelves", first)...)}.start(t)
		ops := operate(t, g)
		require.NoError(t, ops.Shadow(t.Context(), labgate.Shadow{Prefix: "/v1/things", Upstream: named(t, "same").URL, Token: "pass", Share: 1}))
		call(t, http.MethodPost, server.URL+"/v1/things")
		call(t, http.MethodHead, server.URL+"/v1/things")
		call(t, http.MethodGet, server.URL+"/v1/shelves")
		call(t, http.MethodGet, server.URL+"/v1/things", "If-None-Match: x")
		call(t, http.MethodGet, server.URL+"/v1/things")
		require.Equal(t, 1, compared(t, ops, 1).Sent)
	})
	t.Run("customers do not wait for one that is slow, and what is too much is dropped and counted", func(t *testing.T) {
		t.Parallel()
		server, g := setup{routes: passing("/v1/things", named(t, "things").URL)}.start(t)
		ops := operate(t, g)
		registry := prometheus.NewPedanticRegistry()
		g.register(registry)
		slow := upstreamServer(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		require.NoError(t, ops.Shadow(t.Context(), labgate.Shadow{Prefix: "/v1/things", Upstream: slow.URL, Token: "pass", Share: 1}))
		began := time.Now()
		for range shadowQueue + shadowWorkers + 20 {
			require.Equal(t, "things", text(t, call(t, http.MethodGet, server.URL+"/v1/things")))
		}
		require.Less(t, time.Since(began), shadowTimeout)
		s, err := ops.Unshadow(t.Context())
		require.NoError(t, err, "what is under way is ended, and not awaited")
		require.Equal(t, shadowWorkers, s.Sent)
		require.Equal(t, 20, s.Dropped)
		s, err = ops.Unshadow(t.Context())
		require.NoError(t, err)
		require.Empty(t, s.Prefix)
		require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`# HELP gateway_shadow_requests_total Copies of requests for a second upstream, by what came of them: sent, and then equal, different or failed; or dropped, since there were too many.
# TYPE gateway_shadow_requests_total counter
gateway_shadow_requests_total{outcome="different"} 0
gateway_shadow_requests_total{outcome="dropped"} 20
gateway_shadow_requests_total{outcome="equal"} 0
gateway_shadow_requests_total{outcome="failed"} 0
gateway_shadow_requests_total{outcome="sent"} 4
`), "gateway_shadow_requests_total"), "the counts of a comparison that is over stay")
	})
	t.Run("an answer that is too large reaches the customer, and is not compared", func(t *testing.T) {
		t.Parallel()
		large := strings.Repeat("x", shadowBody+1)
		server, g := setup{routes: passing("/v1/things", named(t, large).URL)}.start(t)
		ops := operate(t, g)
		require.NoError(t, ops.Shadow(t.Context(), labgate.Shadow{Prefix: "/v1/things", Upstream: named(t, "y").URL, Token: "pass", Share: 1}))
		require.Equal(t, large, text(t, call(t, http.MethodGet, server.URL+"/v1/things")))
		s := compared(t, ops, 1)
		require.Equal(t, 1, s.Dropped)
		require.Zero(t, s.Sent)
	})
	t.Run("a share of the requests is copied", func(t *testing.T) {
		t.Parallel()
		server, g := setup{routes: passing("/v1/things", named(t, "things").URL)}.start(t)
		ops := operate(t, g)
		require.NoError(t, ops.Shadow(t.Context(), labgate.Shadow{Prefix: "/v1/things", Upstream: named(t, "things").URL, Token: "pass", Share: .25}))
		for range 400 {
			call(t, http.MethodGet, server.URL+"/v1/things").Body.Close()
		}
		s := compared(t, ops, 50)
		require.InDelta(t, 100, s.Equal+s.Dropped, 60)
	})
	t.Run("one that can't be asked has failed", func(t *testing.T) {
		t.Parallel()
		server, g := setup{routes: passing("/v1/things", named(t, "things").URL)}.start(t)
		ops := operate(t, g)
		require.NoError(t, ops.Shadow(t.Context(), labgate.Shadow{Prefix: "/v1/things", Upstream: deadAddress(t), Token: "pass", Share: 1}))
		call(t, http.MethodGet, server.URL+"/v1/things")
		require.Equal(t, 1, compared(t, ops, 1).Failed)
	})
	t.Run("what is excepted is not copied", func(t *testing.T) {
		t.Parallel()
		server, g := setup{routes: passing("/v1/things", named(t, "things").URL)}.start(t)
		ops := operate(t, g)
		require.NoError(t, ops.Shadow(t.Context(), labgate.Shadow{
			Prefix: "/v1/things", Upstream: named(t, "things").URL, Token: "pass", Share: 1,
			Except: []labgate.Except{{Prefix: "/v1/things/best", Reason: "remembered"}},
		}))
		call(t, http.MethodGet, server.URL+"/v1/things/best?of=all")
		call(t, http.MethodGet, server.URL+"/v1/things/bester")
		require.Equal(t, 1, compared(t, ops, 1).Sent)
	})
	t.Run("all that is wrong with a comparison is told at once", func(t *testing.T) {
		t.Parallel()
		_, g := setup{routes: passing("/v1/things", named(t, "things").URL)}.start(t)
		err := operate(t, g).Shadow(t.Context(), labgate.Shadow{
			Prefix: "/v1/x", Upstream: "x", Token: "exchange", Share: 2, Ignore: []labgate.Ignored{{Path: "$.a", Reason: "x"}, {Path: "a"}},
			Except: []labgate.Except{{Prefix: "/v1/y/z"}},
		})
		for _, part := range []string{`"/v1/x" is no prefix`, `"x" must be like http://`, "says nowhere where tokens", "up to 1", `"$.a" must be like`, `"a" needs a reason`, `"/v1/y/z" is no part of`, `"/v1/y/z" needs a reason`} {
			require.ErrorContains(t, err, part)
		}
	})
}

func TestDiffer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first, second string
		ignore        string
		want          []string
	}{
		"the order of members":     {`{"a": 1, "b": 2}`, `{"b": 2, "a": 1}`, "", nil},
		"white space":              {"[1, 2]\n", `[1,2]`, "", nil},
		"one number":               {`1.50`, `1.5`, "", nil},
		"large numbers":            {`9007199254740993`, `9007199254740992`, "", []string{"body: 9007199254740993 and 9007199254740992"}},
		"the order of a list":      {`[1, 2]`, `[2, 1]`, "", []string{"body.0: 1 and 2", "body.1: 2 and 1"}},
		"the length of a list":     {`{"a": [1]}`, `{"a": []}`, "", []string{"body.a: 1 and 0 elements"}},
		"types":                    {`{"a": 1}`, `{"a": "1"}`, "", []string{`body.a: 1 and "1"`}},
		"null and absent":          {`{"a": null}`, `{}`, "", []string{"body.a: only the first has it"}},
		"a list and an object":     {`[]`, `{}`, "", []string{"body: [] and {}"}},
		"a string and a list":      {`"x"`, `[]`, "", []string{`body: "x" and []`}},
		"what is ignored":          {`{"a": [{"b": 1, "c": 1}]}`, `{"a": [{"b": 2, "c": 1}]}`, "a.*.b", nil},
		"what stands beside it":    {`{"a": [{"b": 1, "c": 1}]}`, `{"a": [{"b": 2, "c": 2}]}`, "a.*.b", []string{"body.a.0.c: 1 and 2"}},
		"an element that may vary": {`[1, 2]`, `[3, 2]`, "0", nil},
		"text":                     {`x y`, `x z`, "", []string{"body: not the same, and not both are JSON"}},
		"nothing":                  {``, ``, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer := func(body string) *said { return &said{status: 200, body: []byte(body)} }
			var ignore []ignored
			if c.ignore != "" {
				ignore = []ignored{{Path: c.ignore, Reason: "a test"}}
			}
			require.Equal(t, c.want, differ(answer(c.first), answer(c.second), ignore))
		})
	}
	t.Run("status and the headers that say something", func(t *testing.T) {
		t.Parallel()
		header := func(etag string) http.Header { return http.Header{"Etag": {etag}, "Date": {etag}} }
		require.Equal(t, []string{"status: 200 and 404", `header Etag: ["1"] and ["2"]`},
			differ(&said{status: 200, header: header("1")}, &said{status: 404, header: header("2")}, nil))
	})
}
