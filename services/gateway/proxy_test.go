package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/internal/fault"
	"banyan/internal/web"
)

// garbage is a server that answers every connection with these bytes and hangs up.
func garbage(t *testing.T, answer string) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = http.ReadRequest(bufio.NewReader(conn))
			_, _ = io.WriteString(conn, answer)
			conn.Close()
		}
	}()
	return "http://" + listener.Addr().String()
}

// deadAddress is one where nobody listens.
func deadAddress(t testing.TB) string {
	server := httptest.NewServer(nil)
	server.Close()
	return server.URL
}

func TestUpstreamFails(t *testing.T) {
	t.Parallel()
	get := func(t *testing.T, upstream string) *http.Response {
		gateway := setup{routes: passing("/v1/things", upstream)}.serve(t)
		return call(t, http.MethodGet, gateway.URL+"/v1/things")
	}
	t.Run("one that is not there is unavailable, in the words of every service", func(t *testing.T) {
		t.Parallel()
		dead := deadAddress(t)
		res := get(t, dead)
		require.Equal(t, "1", res.Header.Get("Retry-After"))
		want := fault.From(web.NewClient(web.ClientConfig{Base: dead}).Do(t.Context(), http.MethodGet, "/", nil, nil))
		require.Equal(t, want.Detail, errAway.Detail)
		requireProblem(t, res, http.StatusServiceUnavailable, "unavailable")
	})
	for name, answer := range map[string]string{
		"hangs up":                      "",
		"speaks no HTTP":                "220 mail.example ESMTP\r\n",
		"breaks off within its headers": "HTTP/1.1 200 OK\r\nContent-Ty",
		"contradicts itself":            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
		"sends headers without an end":  "HTTP/1.1 200 OK\r\nA: " + strings.Repeat("x", 100<<10),
	} {
		t.Run("one that "+name+" is a bad gateway", func(t *testing.T) {
			t.Parallel()
			requireProblem(t, get(t, garbage(t, answer)), http.StatusBadGateway, "bad-gateway")
		})
	}
	t.Run("an answer that breaks off breaks off for the client, too", func(t *testing.T) {
		t.Parallel()
		gateway := setup{routes: passing("/v1/things", garbage(t, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"))}.serve(t)
		res, err := http.Get(gateway.URL + "/v1/things")
		if err == nil { // the headers were flushed in time
			defer res.Body.Close()
			_, err = io.ReadAll(res.Body)
		}
		require.Error(t, err, "the client must not take it for a whole answer")
	})
}

func TestUpstreamIsSlow(t *testing.T) {
	t.Parallel()
	upstream := upstreamServer(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	table, err := parseTable([]byte(`{"routes": [{"prefix": "/v1/things", "upstreams": ["`+upstream.URL+`"], "token": "pass"}]}`), nil)
	require.NoError(t, err)
	proxy := newProxy(slog.New(slog.DiscardHandler))
	forward := func(ctx context.Context) error {
		r := httptest.NewRequest(http.MethodGet, "/v1/things", nil).WithContext(ctx)
		return proxy.forward(httptest.NewRecorder(), r, &hop{route: table.match("/v1/things")})
	}

	t.Run("after the deadline it is a gateway timeout", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		w := httptest.NewRecorder()
		require.True(t, writeHopProblem(w, forward(ctx)))
		requireProblem(t, w.Result(), http.StatusGatewayTimeout, "gateway-timeout")
	})
	t.Run("a client that goes away is no failure of the upstream", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		require.ErrorIs(t, forward(ctx), context.Canceled)
	})
}

func TestStreaming(t *testing.T) {
	t.Parallel()
	more := make(chan struct{})
	upstream := upstreamServer(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "first\n")
		_ = http.NewResponseController(w).Flush()
		<-more
		_, _ = io.WriteString(w, "second\n")
	})
	gateway := setup{routes: passing("/v1/things", upstream.URL)}.serve(t)

	t.Run("an answer passes as it comes", func(t *testing.T) {
		t.Parallel()
		res := call(t, http.MethodGet, gateway.URL+"/v1/things")
		lines := bufio.NewReader(res.Body)
		first, err := lines.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "first\n", first)
		close(more) // only now may the upstream go on
		second, err := lines.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "second\n", second)
	})
	t.Run("so does a request", func(t *testing.T) {
		t.Parallel()
		arrived := make(chan string)
		sink := upstreamServer(t, func(_ http.ResponseWriter, r *http.Request) {
			lines := bufio.NewScanner(r.Body)
			for lines.Scan() {
				arrived <- lines.Text()
			}
		})
		gateway := setup{routes: passing("/v1/things", sink.URL)}.serve(t)
		reader, writer := io.Pipe()
		req, err := http.NewRequest(http.MethodPost, gateway.URL+"/v1/things", reader)
		require.NoError(t, err)
		go func() {
			if res, err := http.DefaultClient.Do(req); err == nil {
				res.Body.Close()
			}
		}()
		for _, line := range []string{"one", "two"} {
			_, err := io.WriteString(writer, line+"\n")
			require.NoError(t, err)
			require.Equal(t, line, <-arrived)
		}
		require.NoError(t, writer.Close())
	})
	t.Run("a query arrives as it was sent", func(t *testing.T) {
		t.Parallel()
		gateway := setup{routes: passing("/v1/things", recorder(t).URL)}.serve(t)
		var seen struct{ URI string }
		res := call(t, http.MethodGet, gateway.URL+"/v1/things/%C3%A4?q=a%2Fb+c&b=1&a=%C3%A4")
		require.NoError(t, json.NewDecoder(res.Body).Decode(&seen))
		require.Equal(t, "/v1/things/%C3%A4?q=a%2Fb+c&b=1&a=%C3%A4", seen.URI)
	})
}
