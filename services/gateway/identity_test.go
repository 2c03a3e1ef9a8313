package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/internal/fault"
	"banyan/internal/token"
	"banyan/internal/web"
)

func TestExchange(t *testing.T) {
	t.Parallel()
	upstream := recorder(t)

	// start makes a gateway of its own, and a function that returns what
	// Authorization its upstream got.
	start := func(t *testing.T, ttl time.Duration, sessions ...string) (*accountsServer, func(headers ...string) []string) {
		accounts := newAccounts(t, sessions...)
		gateway := setup{routes: exchanging("/v1/things", upstream.URL), accounts: accounts.URL, ttl: ttl}.serve(t)
		return accounts, func(headers ...string) []string {
			return echoed(t, call(t, http.MethodGet, gateway.URL+"/v1/things", headers...))["Authorization"]
		}
	}

	t.Run("a session token becomes a signed one, asked for once", func(t *testing.T) {
		t.Parallel()
		accounts, sent := start(t, 30*time.Second, "s1", "s2")
		for range 3 {
			require.Equal(t, []string{"Bearer signed-s1"}, sent("Authorization: Bearer s1"))
			require.Equal(t, []string{"Bearer signed-s2"}, sent("Authorization: bearer s2"))
		}
		require.EqualValues(t, 2, accounts.exchanges.Load())
	})
	t.Run("without a cache, each request asks", func(t *testing.T) {
		t.Parallel()
		accounts, sent := start(t, 0, "s1")
		for range 3 {
			require.Equal(t, []string{"Bearer signed-s1"}, sent("Authorization: Bearer s1"))
		}
		require.EqualValues(t, 3, accounts.exchanges.Load())
	})
	t.Run("a token is not used for longer than half its life", func(t *testing.T) {
		t.Parallel()
		accounts, sent := start(t, 30*time.Second, "s1")
		accounts.respond(func(w http.ResponseWriter, _ string) { _, _ = io.WriteString(w, `{"token": "brief", "expires_in": 0}`) })
		for range 2 {
			require.Equal(t, []string{"Bearer brief"}, sent("Authorization: Bearer s1"))
		}
		require.EqualValues(t, 2, accounts.exchanges.Load())
	})
	t.Run("nobody goes on as nobody, without asking accounts", func(t *testing.T) {
		t.Parallel()
		accounts, sent := start(t, 30*time.Second, "s1")
		for _, headers := range [][]string{
			nil,
			{"Authorization: Basic s1"},
			{"Authorization: Bearer"},
			{"Authorization: Bearer s1 s1"},
			{"Authorization: Bearer s1", "Authorization: Bearer s1"},
			{"Authorization: Bearer " + strings.Repeat("x", 5000)},
		} {
			require.Empty(t, sent(headers...))
		}
		require.Zero(t, accounts.exchanges.Load())
	})
	t.Run("an unknown token goes on as nobody, and is asked about again only later", func(t *testing.T) {
		t.Parallel()
		accounts, sent := start(t, 30*time.Second)
		for range 5 {
			require.Empty(t, sent("Authorization: Bearer stolen"))
		}
		require.EqualValues(t, 1, accounts.exchanges.Load())
		time.Sleep(refusedTime + 50*time.Millisecond)
		require.Empty(t, sent("Authorization: Bearer stolen"))
		require.EqualValues(t, 2, accounts.exchanges.Load())
	})
	t.Run("a signed token from outside is worth nothing", func(t *testing.T) {
		t.Parallel()
		key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
		signed, err := token.NewSigner("accounts", []ed25519.PrivateKey{key}).Issue(token.Identity{Role: "staff"}, time.Minute)
		require.NoError(t, err)
		_, sent := start(t, 30*time.Second)
		require.Empty(t, sent("Authorization: Bearer "+signed))
	})
	t.Run("many requests at once share one exchange", func(t *testing.T) {
		t.Parallel()
		accounts, sent := start(t, 30*time.Second)
		accounts.respond(func(w http.ResponseWriter, _ string) {
			time.Sleep(200 * time.Millisecond)
			_, _ = io.WriteString(w, `{"token": "signed", "expires_in": 60}`)
		})
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if got := sent("Authorization: Bearer s1"); len(got) != 1 || got[0] != "Bearer signed" {
					t.Errorf("the upstream got %q", got)
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 1, accounts.exchanges.Load())
	})
	t.Run("Connection cannot strip what the gateway found out", func(t *testing.T) {
		t.Parallel()
		accounts := newAccounts(t, "s1")
		gateway := setup{routes: exchanging("/v1/things", upstream.URL), accounts: accounts.URL, ttl: time.Second}.serve(t)
		seen := echoed(t, raw(t, gateway, "GET /v1/things HTTP/1.1", "Host: shop", "Connection: Authorization", "Authorization: Bearer s1"))
		require.Equal(t, []string{"Bearer signed-s1"}, seen["Authorization"])
	})
}

func TestAccountsCannotSay(t *testing.T) {
	t.Parallel()
	upstream := recorder(t)
	for name, answer := range map[string]func(w http.ResponseWriter, session string){
		"fails":                  func(w http.ResponseWriter, _ string) { w.WriteHeader(http.StatusInternalServerError) },
		"is unavailable":         func(w http.ResponseWriter, _ string) { web.WriteProblem(w, errAway) },
		"answers nonsense":       func(w http.ResponseWriter, _ string) { _, _ = io.WriteString(w, "<html>") },
		"refuses the gateway":    func(w http.ResponseWriter, _ string) { web.WriteProblem(w, token.ErrNotAdmitted) },
		"answers 404":            func(w http.ResponseWriter, _ string) { web.WriteProblem(w, fault.New(fault.NotFound, "", "")) },
		"breaks the connection":  func(http.ResponseWriter, string) { panic(http.ErrAbortHandler) },
		"does not answer at all": func(http.ResponseWriter, string) { time.Sleep(exchangeTimeout + 300*time.Millisecond) },
	} {
		t.Run("accounts "+name+": 503, never 401, and never anonymous", func(t *testing.T) {
			t.Parallel()
			accounts := newAccounts(t)
			accounts.respond(answer)
			routes := append(exchanging("/v1/things", upstream.URL),
				&route{Prefix: "/v1/books", Upstreams: []string{upstream.URL}, Token: tokenExchange, Public: []string{http.MethodGet}})
			gateway := setup{routes: routes, accounts: accounts.URL, ttl: 30 * time.Second}.serve(t)

			res := call(t, http.MethodGet, gateway.URL+"/v1/things", "Authorization: Bearer s1")
			requireProblem(t, res, http.StatusServiceUnavailable, "unavailable")
			require.Equal(t, "1", res.Header.Get("Retry-After"))

			before := accounts.exchanges.Load()
			require.NotContains(t, echoed(t, call(t, http.MethodGet, gateway.URL+"/v1/things")), "Authorization")
			require.NotContains(t, echoed(t, call(t, http.MethodGet, gateway.URL+"/v1/books", "Authorization: Bearer s1")), "Authorization",
				"what is public needs no accounts")
			require.Equal(t, before, accounts.exchanges.Load())
		})
	}
	t.Run("what could not be asked is asked again by the next request", func(t *testing.T) {
		t.Parallel()
		accounts := newAccounts(t, "s1")
		works := *accounts.answer.Load()
		accounts.respond(func(w http.ResponseWriter, _ string) { web.WriteProblem(w, errAway) })
		gateway := setup{routes: exchanging("/v1/things", upstream.URL), accounts: accounts.URL, ttl: 30 * time.Second}.serve(t)
		require.Equal(t, http.StatusServiceUnavailable, call(t, http.MethodGet, gateway.URL+"/v1/things", "Authorization: Bearer s1").StatusCode)
		accounts.respond(works)
		require.Equal(t, "Bearer signed-s1", echoed(t, call(t, http.MethodGet, gateway.URL+"/v1/things", "Authorization: Bearer s1")).Get("Authorization"))
	})
}

func TestLogout(t *testing.T) {
	t.Parallel()
	things := recorder(t)

	// start makes a gateway whose sessions upstream answers a logout with this status.
	start := func(t *testing.T, accounts *accountsServer, status int) string {
		logout := upstreamServer(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		routes := append(exchanging("/v1/things", things.URL), passing("/v1/sessions", logout.URL)...)
		return setup{routes: routes, accounts: accounts.URL, ttl: 30 * time.Second}.serve(t).URL
	}
	ask := func(t *testing.T, gateway string) string {
		return echoed(t, call(t, http.MethodGet, gateway+"/v1/things", "Authorization: Bearer s1")).Get("Authorization")
	}

	t.Run("ends the session here at once", func(t *testing.T) {
		t.Parallel()
		gateway := start(t, newAccounts(t, "s1"), http.StatusNoContent)
		require.Equal(t, "Bearer signed-s1", ask(t, gateway))
		call(t, http.MethodDelete, gateway+"/v1/sessions/current", "Authorization: Bearer s1")
		require.Empty(t, ask(t, gateway))
	})
	t.Run("ends no other session, and none if it fails", func(t *testing.T) {
		t.Parallel()
		for status, bearer := range map[int]string{http.StatusNoContent: "s2", http.StatusServiceUnavailable: "s1"} {
			gateway := start(t, newAccounts(t, "s1", "s2"), status)
			require.Equal(t, "Bearer signed-s1", ask(t, gateway))
			call(t, http.MethodDelete, gateway+"/v1/sessions/current", "Authorization: Bearer "+bearer)
			require.Equal(t, "Bearer signed-s1", ask(t, gateway))
		}
	})
	t.Run("is not undone by an exchange that was in flight", func(t *testing.T) {
		t.Parallel()
		accounts := newAccounts(t)
		asked, release := make(chan struct{}), make(chan struct{})
		accounts.respond(func(w http.ResponseWriter, _ string) {
			close(asked)
			<-release
			_, _ = io.WriteString(w, `{"token": "signed-s1", "expires_in": 60}`)
		})
		gateway := start(t, accounts, http.StatusNoContent)
		var early string
		var wg sync.WaitGroup
		wg.Go(func() { early = ask(t, gateway) })
		<-asked
		call(t, http.MethodDelete, gateway+"/v1/sessions/current", "Authorization: Bearer s1")
		require.Empty(t, ask(t, gateway), "a later request does not join the earlier exchange")
		close(release)
		wg.Wait()
		require.Equal(t, "Bearer signed-s1", early)
		require.Empty(t, ask(t, gateway))
	})
}

func TestSessions(t *testing.T) {
	t.Parallel()
	hash := func(n int) tokenHash { return sha256.Sum256(fmt.Append(nil, n)) }
	alice := []string{"Bearer alice"}

	t.Run("are known until their time is over", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := newSessions(4)
			s.remember(hash(1), alice, time.Second)
			got, ok := s.get(hash(1))
			require.True(t, ok)
			require.Equal(t, alice, got)
			time.Sleep(time.Second)
			_, ok = s.get(hash(1))
			require.False(t, ok)
		})
	})
	t.Run("stay ended for as long as anything could be cached", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := newSessions(4)
			s.remember(hash(1), alice, time.Second)
			s.end(hash(1))
			s.remember(hash(1), alice, time.Second)
			time.Sleep(maxTokenCache - time.Second)
			s.remember(hash(1), alice, time.Second)
			got, ok := s.get(hash(1))
			require.True(t, ok)
			require.Nil(t, got)
			time.Sleep(time.Second)
			_, ok = s.get(hash(1))
			require.False(t, ok)
		})
	})
	t.Run("are never more than two generations, whatever is made up", func(t *testing.T) {
		t.Parallel()
		s := newSessions(4)
		s.remember(hash(-1), alice, time.Minute)
		for n := range 100 {
			s.refuse(hash(n))
		}
		require.LessOrEqual(t, len(s.refused.new)+len(s.refused.old), 8)
		_, ok := s.get(hash(-1))
		require.True(t, ok, "made-up tokens push out no good ones")
		for n := range 100 {
			s.remember(hash(n), alice, time.Minute)
		}
		require.LessOrEqual(t, len(s.known.new)+len(s.known.old), 8)
	})
}

func TestTokenCacheIsNeverLongerThanALogoutMayTake(t *testing.T) {
	t.Parallel()
	var ttl tokenCacheTTL
	for _, good := range []string{"0s", "30s", "1500ms"} {
		require.NoError(t, ttl.UnmarshalText([]byte(good)))
	}
	for _, bad := range []string{"31s", "-1s", "30", ""} {
		require.ErrorContains(t, ttl.UnmarshalText([]byte(bad)), "0s to 30s", bad)
	}
}

func TestExchangeNeedsAKey(t *testing.T) {
	t.Parallel()
	exchanging := []byte(`{"exchange": ["http://x"], "routes": [{"prefix": "/v1/a", "upstreams": ["http://x"], "token": "exchange"}]}`)
	passing := []byte(`{"routes": [{"prefix": "/v1/a", "upstreams": ["http://x"], "token": "pass"}]}`)
	bearer, err := bearerOf(Config{})
	require.NoError(t, err)
	g := newGateway(Config{}, bearer, slog.New(slog.DiscardHandler))
	require.NoError(t, g.replace(passing), "none is needed while no route exchanges tokens")
	require.ErrorContains(t, g.replace(exchanging), "SERVICE_KEY is not set")

	_, err = bearerOf(Config{ServiceKey: "secret"})
	require.ErrorContains(t, err, "SERVICE_KEY")
	require.NotContains(t, err.Error(), "secret")
}
