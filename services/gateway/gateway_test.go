package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"banyan/internal/fault"
	"banyan/internal/web"
)

// setup is a gateway for one test; what is zero is generous or absent.
type setup struct {
	routes   []*route
	accounts string
	ttl      time.Duration
	limit    rateLimit
	most     uint // requests inside
	log      *slog.Logger
}

// serve starts the gateway on a real port.
func (s setup) serve(t testing.TB) *httptest.Server {
	server, _ := s.start(t)
	return server
}

// table is the setup's, as a file has it.
func (s setup) table(t testing.TB) []byte {
	table := map[string]any{"routes": s.routes}
	if s.accounts != "" {
		table["exchange"] = []string{s.accounts}
	}
	body, err := json.Marshal(table)
	require.NoError(t, err)
	return body
}

// start does, and lets the test look inside.
func (s setup) start(t testing.TB) (*httptest.Server, *gateway) {
	if s.limit.rate == 0 {
		s.limit.rate = rate.Inf
	}
	log := cmp.Or(s.log, slog.New(slog.DiscardHandler))
	cfg := Config{RateLimit: s.limit, TokenCache: tokenCacheTTL(s.ttl), MaxRequests: s.most}
	g := newGateway(cfg, func() (string, error) { return "gateway", nil }, log)
	require.NoError(t, g.replace(s.table(t)))
	server := httptest.NewServer(g.handler(log, nil))
	t.Cleanup(func() { g.table.Load().close() })
	t.Cleanup(server.Close)
	return server, g
}

// passing is one route to these upstreams that leaves tokens alone.
func passing(prefix string, upstreams ...string) []*route {
	return []*route{{Prefix: prefix, Upstreams: upstreams, Token: tokenPass}}
}

func exchanging(prefix string, upstreams ...string) []*route {
	return []*route{{Prefix: prefix, Upstreams: upstreams, Token: tokenExchange}}
}

// upstreamServer is a service behind the gateway.
func upstreamServer(t testing.TB, h http.HandlerFunc) *httptest.Server {
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server
}

// named answers with its name, to tell upstreams apart.
func named(t testing.TB, name string) *httptest.Server {
	return upstreamServer(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) })
}

// recorder answers every request with the headers that reached it, as JSON.
func recorder(t testing.TB) *httptest.Server {
	return upstreamServer(t, func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"header": r.Header, "uri": r.RequestURI})
	})
}

// echoed are the headers that reached a recorder.
func echoed(t testing.TB, res *http.Response) http.Header {
	var seen struct{ Header http.Header }
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.NoError(t, json.NewDecoder(res.Body).Decode(&seen))
	return seen.Header
}

// call sends a request with these headers, given as "Name: value".
func call(t testing.TB, method, url string, headers ...string) *http.Response {
	req, err := http.NewRequest(method, url, nil)
	require.NoError(t, err)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Add(name, value)
	}
	return do(t, req)
}

func do(t testing.TB, req *http.Request) *http.Response {
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	t.Cleanup(func() { res.Body.Close() })
	return res
}

// raw sends bytes that no well-behaved client would, and reads one answer.
func raw(t testing.TB, server *httptest.Server, lines ...string) *http.Response {
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(5*time.Second)))
	_, err = io.WriteString(conn, strings.Join(lines, "\r\n")+"\r\n\r\n")
	require.NoError(t, err)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	t.Cleanup(func() { res.Body.Close() })
	return res
}

func text(t testing.TB, res *http.Response) string {
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return string(body)
}

// requireProblem holds an answer against a problem's status and code.
func requireProblem(t testing.TB, res *http.Response, status int, code string) {
	body := text(t, res)
	require.Equal(t, status, res.StatusCode, body)
	require.Equal(t, web.ContentTypeProblem, res.Header.Get("Content-Type"))
	var problem struct {
		Type   string
		Status int
		Detail string
	}
	require.NoError(t, json.Unmarshal([]byte(body), &problem))
	require.Equal(t, web.ProblemPrefix+code, problem.Type)
	require.Equal(t, status, problem.Status)
	require.NotEmpty(t, problem.Detail)
}

// accountsServer exchanges the tokens it knows for "signed-<token>".
type accountsServer struct {
	*httptest.Server
	exchanges atomic.Int32
	answer    atomic.Pointer[func(w http.ResponseWriter, session string)]
}

func newAccounts(t testing.TB, sessions ...string) *accountsServer {
	a := &accountsServer{}
	a.respond(func(w http.ResponseWriter, session string) {
		for _, known := range sessions {
			if session == known {
				fmt.Fprintf(w, `{"token": "signed-%s", "expires_in": 60}`, session)
				return
			}
		}
		web.WriteProblem(w, fault.New(fault.Unauthenticated, "", "No such session."))
	})
	a.Server = upstreamServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/internal/v1/sessions/exchange" {
			t.Errorf("accounts was asked %s %s", r.Method, r.URL)
		}
		a.exchanges.Add(1)
		var body struct{ Token string }
		_ = json.NewDecoder(r.Body).Decode(&body)
		(*a.answer.Load())(w, body.Token)
	})
	return a
}

func (a *accountsServer) respond(fn func(w http.ResponseWriter, session string)) { a.answer.Store(&fn) }
