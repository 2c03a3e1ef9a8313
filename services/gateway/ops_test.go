package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	labgate "banyan/scripts/lab/gate"
)

func TestReplace(t *testing.T) {
	t.Parallel()
	t.Run("a table is shown as it was given", func(t *testing.T) {
		t.Parallel()
		s := setup{routes: passing("/v1/things", named(t, "a").URL)}
		_, g := s.start(t)
		ops := operate(t, g)
		shown, err := ops.Routes(t.Context())
		require.NoError(t, err)
		require.Equal(t, string(s.table(t)), string(shown))
		next := " " + string(setup{routes: passing("/v1/shelves", named(t, "b").URL)}.table(t)) + "\n"
		require.NoError(t, ops.Replace(t.Context(), []byte(next)))
		shown, err = ops.Routes(t.Context())
		require.NoError(t, err)
		require.Equal(t, next, string(shown))
	})
	t.Run("a bad one changes nothing, and all its faults are told", func(t *testing.T) {
		t.Parallel()
		s := setup{routes: passing("/v1/things", named(t, "a").URL)}
		server, g := s.start(t)
		ops := operate(t, g)
		err := ops.Replace(t.Context(), []byte(`{"routes": [
			{"prefix": "/internal", "upstreams": ["http://x"], "token": "pass"}, {"prefix": "/v1/a", "upstreams": ["http://x/y"], "token": "exchange"}]}`))
		for _, part := range []string{"The one before stays in force", `"/internal"`, `"http://x/y"`, "exchange: is missing"} {
			require.ErrorContains(t, err, part)
		}
		require.NotErrorIs(t, err, labgate.ErrAway)
		require.ErrorContains(t, ops.Replace(t.Context(), []byte("{\n]")), "line 2")
		require.Equal(t, "a", text(t, call(t, http.MethodGet, server.URL+"/v1/things")))
	})
	t.Run("what both tables name goes on as it was", func(t *testing.T) {
		t.Parallel()
		a, b := named(t, "a"), named(t, "b")
		accounts := newAccounts(t, "s1")
		s := setup{routes: exchanging("/v1/things", a.URL), accounts: accounts.URL, ttl: 30 * time.Second}
		server, g := s.start(t)
		call(t, http.MethodGet, server.URL+"/v1/things", "Authorization: Bearer s1")
		before := g.table.Load()
		s.routes = append(exchanging("/v1/things", a.URL, b.URL), passing("/v1/shelves", b.URL)...)
		require.NoError(t, operate(t, g).Replace(t.Context(), s.table(t)))
		after := g.table.Load()
		require.Same(t, before.upstreams[a.URL], after.upstreams[a.URL], "with its connections and its breaker")
		require.Same(t, before.exchange, after.exchange)
		require.EqualValues(t, 1, after.match("/v1/things").budget.total.sent.Load())
		require.Same(t, after.upstreams[b.URL], after.match("/v1/shelves").pool[0])
	})
	t.Run("who is known stays known when tokens are exchanged elsewhere, and others are asked about there", func(t *testing.T) {
		t.Parallel()
		upstream := recorder(t)
		monolith, accounts := newAccounts(t, "s1", "s2"), newAccounts(t, "s1", "s2")
		s := setup{routes: exchanging("/v1/things", upstream.URL), accounts: monolith.URL, ttl: 30 * time.Second}
		server, g := s.start(t)
		sent := func(session string) string {
			return echoed(t, call(t, http.MethodGet, server.URL+"/v1/things", "Authorization: Bearer "+session)).Get("Authorization")
		}
		require.Equal(t, "Bearer signed-s1", sent("s1"))
		s.accounts = accounts.URL
		require.NoError(t, operate(t, g).Replace(t.Context(), s.table(t)))
		require.Equal(t, "Bearer signed-s1", sent("s1"))
		require.Equal(t, "Bearer signed-s2", sent("s2"))
		require.EqualValues(t, 1, monolith.exchanges.Load())
		require.EqualValues(t, 1, accounts.exchanges.Load())
	})
	t.Run("a request that is under way ends where it began, and the connections to what is gone are closed", func(t *testing.T) {
		t.Parallel()
		arrived, release := make(chan struct{}), make(chan struct{})
		var slow atomic.Bool
		slow.Store(true)
		old := newCounted(t, func(w http.ResponseWriter, _ *http.Request) {
			if slow.Swap(false) {
				close(arrived)
				<-release
			}
			_, _ = io.WriteString(w, "old")
		})
		server, g := setup{routes: passing("/v1/things", old.url)}.start(t)
		first := ask(t.Context(), http.MethodGet, server.URL+"/v1/things", "")
		<-arrived
		require.Equal(t, "old", text(t, call(t, http.MethodGet, server.URL+"/v1/things")), "and leaves an idle connection")
		require.EqualValues(t, 2, old.open.Load())
		require.NoError(t, operate(t, g).Replace(t.Context(), setup{routes: passing("/v1/things", named(t, "new").URL)}.table(t)))
		require.Eventually(t, func() bool { return old.open.Load() == 1 }, time.Second, time.Millisecond)
		require.Equal(t, "new", text(t, call(t, http.MethodGet, server.URL+"/v1/things")))
		close(release)
		first.require(t, "200 old")
		require.Eventually(t, func() bool { return old.open.Load() == 0 }, time.Second, time.Millisecond, "also the one that was in use")
	})
}

// counted is an upstream that knows how many connections to it are open.
type counted struct {
	url  string
	open atomic.Int64
}

func newCounted(t *testing.T, h http.HandlerFunc) *counted {
	c := &counted{}
	server := httptest.NewUnstartedServer(h)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			c.open.Add(1)
		case http.StateClosed:
			c.open.Add(-1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

func TestCloseConnections(t *testing.T) {
	t.Parallel()
	things := newCounted(t, func(http.ResponseWriter, *http.Request) {})
	accounts := newCounted(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"token": "signed", "expires_in": 60}`)
	})
	server, g := setup{routes: exchanging("/v1/things", things.url), accounts: accounts.url}.start(t)
	ops := operate(t, g)
	res := call(t, http.MethodGet, server.URL+"/v1/things", "Authorization: Bearer s1")
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Eventually(t, func() bool { return things.open.Load() == 1 && accounts.open.Load() == 1 }, time.Second, time.Millisecond)
	for _, upstream := range []*counted{things, accounts} {
		require.NoError(t, ops.CloseIdle(t.Context(), upstream.url))
		require.Eventually(t, func() bool { return upstream.open.Load() == 0 }, time.Second, time.Millisecond)
	}
	require.ErrorContains(t, ops.CloseIdle(t.Context(), "http://elsewhere"), `"http://elsewhere" is in no route`)
}

func TestOpsRequests(t *testing.T) {
	t.Parallel()
	_, g := setup{routes: passing("/v1/things", named(t, "things").URL)}.start(t)
	mux := http.NewServeMux()
	for pattern, endpoint := range g.endpoints() {
		mux.Handle(pattern, endpoint)
	}
	send := func(method, path, contentType, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		return w
	}
	t.Run("that change something have to be JSON, so that no page in a browser can send them", func(t *testing.T) {
		for pattern := range g.endpoints() {
			method, path, _ := strings.Cut(pattern, " ")
			for _, simple := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"} {
				status := send(method, path, simple, `{"routes": ["/v1/things"], "for": "1s"}`).Code
				require.Equal(t, method == http.MethodGet, status == http.StatusOK, "%s %s", pattern, simple)
			}
		}
	})
	for body, problem := range map[string]string{
		`{"routes": ["/v1/things"]}`:                            `must be a time up to 10s`,
		`{"routes": ["/v1/things"], "for": "11s"}`:              `must be a time up to 10s`,
		`{"routes": ["/v1/things"], "for": "-1s"}`:              `must be a time up to 10s`,
		`{"routes": [], "for": "1s"}`:                           `must list prefixes`,
		`{"routes": ["/v1/x", "BREW /v1/things"], "for": "1s"}`: `\"/v1/x\" is no prefix of the table, which has /v1/things`,
		`{"routes": ["BREW /v1/things"], "for": "1s"}`:          `a method is one of GET, HEAD, POST`,
		`{"route": "/v1/things", "for": "1s"}`:                  `is not a field of this request`,
	} {
		t.Run("a hold like "+body+" is refused, and holds nothing", func(t *testing.T) {
			require.Contains(t, send(http.MethodPost, "/hold", "application/json", body).Body.String(), problem)
			require.JSONEq(t, `{"routes": []}`, send(http.MethodGet, "/hold", "", "").Body.String())
		})
	}
}

// TestStop stops a gateway as the process does, while a hold stands.
func TestStop(t *testing.T) {
	t.Parallel()
	gateway := start(t, named(t, "things").URL)
	ops := labgate.At(gateway.ops)
	_, err := ops.Hold(t.Context(), []string{"/v1/things"}, 10*time.Second)
	require.NoError(t, err)
	held := ask(t.Context(), http.MethodGet, gateway.public+"/v1/things", "")
	waits(t, ops, 1)
	began := time.Now()
	gateway.stop()
	held.require(t, "200 things")
	require.NoError(t, <-gateway.done)
	require.Less(t, time.Since(began), 5*time.Second, "the hold has 10")
	_, err = ops.Held(t.Context())
	require.ErrorIs(t, err, labgate.ErrAway)
	require.ErrorContains(t, err, gateway.ops)
}
