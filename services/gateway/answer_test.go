package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
)

// lines is a log that many may write to.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// TestSlowReader lets a client read for longer than an upstream may take to begin, and a request to arrive.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	const size = 30 << 20
	upstream := upstreamServer(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, size)) })
	gateway := start(t, upstream.URL)
	dialer := &net.Dialer{}
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, address)
		if err == nil {
			err = conn.(*net.TCPConn).SetReadBuffer(256 << 10)
		}
		return conn, err
	}}}
	defer client.CloseIdleConnections()

	began := time.Now()
	res, err := client.Get(gateway.public + "/v1/things")
	require.NoError(t, err)
	defer res.Body.Close()
	got, buffer := 0, make([]byte, 64<<10)
	for {
		n, err := res.Body.Read(buffer)
		if got += n; errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err, "after %d bytes in %s", got, time.Since(began))
		time.Sleep(time.Until(began.Add(time.Duration(got) * 600 * time.Nanosecond)))
	}
	require.Equal(t, size, got)
	require.Greater(t, time.Since(began), 17*time.Second, "or this shows nothing")
	gateway.stop()
	require.NoError(t, <-gateway.done)
}

func TestCutAnswers(t *testing.T) {
	t.Parallel()
	// begin sends the first part of an answer.
	begin := func(w http.ResponseWriter) {
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
	}
	serve := func(t *testing.T, h http.HandlerFunc) (*httptest.Server, *gateway, *lines) {
		var log lines
		server, g := setup{routes: passing("/v1/things", upstreamServer(t, h).URL), log: slog.New(slog.NewTextHandler(&log, nil))}.start(t)
		g.proxy.gap = 300 * time.Millisecond
		return server, g, &log
	}
	counted := func(t *testing.T, g *gateway, by string, count string) {
		registry := prometheus.NewPedanticRegistry()
		g.register(registry)
		want := `# HELP gateway_answers_cut_total Answers that had begun and did not come to their end, by who it was: the upstream broke off or stood still (upstream), the client read too slowly (slow_client) or hung up (gone_client).
# TYPE gateway_answers_cut_total counter
`
		for _, who := range []string{"gone_client", "slow_client", "upstream"} {
			n := "0"
			if who == by {
				n = count
			}
			want += `gateway_answers_cut_total{by="` + who + `",route="/v1/things"} ` + n + "\n"
		}
		require.NoError(t, testutil.GatherAndCompare(registry, bytes.NewBufferString(want), "gateway_answers_cut_total"))
	}
	// wanting fails the test unless the answer begins and does not come to its end.
	wanting := func(t *testing.T, server *httptest.Server) {
		res := call(t, http.MethodGet, server.URL+"/v1/things")
		require.Equal(t, http.StatusOK, res.StatusCode)
		got, err := io.ReadAll(res.Body)
		require.Error(t, err, "the client must not take it for a whole answer")
		require.Equal(t, "half", string(got))
	}

	t.Run("one that breaks off is logged and counted, and the client notices", func(t *testing.T) {
		t.Parallel()
		server, g, log := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			begin(w)
			panic(http.ErrAbortHandler)
		})
		wanting(t, server)
		require.Eventually(t, func() bool { return g.table.Load().routes[0].cuts.upstream.Load() == 1 }, 5*time.Second, time.Millisecond)
		counted(t, g, "upstream", "1")
		require.Eventually(t, func() bool { return bytes.Contains([]byte(log.String()), []byte("the upstream broke off")) }, 5*time.Second, time.Millisecond)
		require.Contains(t, log.String(), "level=WARN")
		require.Contains(t, log.String(), "route=/v1/things")
	})
	t.Run("so is one that stands still", func(t *testing.T) {
		t.Parallel()
		server, g, log := serve(t, func(w http.ResponseWriter, r *http.Request) {
			begin(w)
			<-r.Context().Done()
		})
		wanting(t, server)
		require.Eventually(t, func() bool { return g.table.Load().routes[0].cuts.upstream.Load() == 1 }, 5*time.Second, time.Millisecond)
		counted(t, g, "upstream", "1")
		require.Eventually(t, func() bool { return bytes.Contains([]byte(log.String()), []byte("the upstream stood still")) }, 5*time.Second, time.Millisecond)
	})
	t.Run("one that goes on from time to time is whole, however long it takes", func(t *testing.T) {
		t.Parallel()
		server, g, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			for range 10 {
				_, _ = io.WriteString(w, "x")
				_ = http.NewResponseController(w).Flush()
				time.Sleep(100 * time.Millisecond)
			}
		})
		g.proxy.first = 500 * time.Millisecond
		require.Equal(t, "xxxxxxxxxx", text(t, call(t, http.MethodGet, server.URL+"/v1/things")))
		counted(t, g, "", "")
	})
	t.Run("one that does not begin in time is a gateway timeout", func(t *testing.T) {
		t.Parallel()
		server, g, _ := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		g.proxy.first = 200 * time.Millisecond
		requireProblem(t, call(t, http.MethodGet, server.URL+"/v1/things"), http.StatusGatewayTimeout, "gateway-timeout")
		counted(t, g, "", "")
	})
	t.Run("a client that hangs up is counted, and no warning", func(t *testing.T) {
		t.Parallel()
		server, g, log := serve(t, func(w http.ResponseWriter, r *http.Request) {
			begin(w)
			<-r.Context().Done()
		})
		g.proxy.gap = time.Minute
		res := call(t, http.MethodGet, server.URL+"/v1/things")
		require.NoError(t, res.Body.Close())
		require.Eventually(t, func() bool { return g.table.Load().routes[0].cuts.gone.Load() == 1 }, 5*time.Second, time.Millisecond)
		counted(t, g, "gone_client", "1")
		require.Empty(t, log.String())
	})
	t.Run("a client that does not read is counted once its time is over", func(t *testing.T) {
		t.Parallel()
		server, g, log := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 32<<20)) })
		impatient := httptest.NewUnstartedServer(server.Config.Handler)
		impatient.Config.WriteTimeout = 2 * time.Second // enough for the header on a busy machine
		impatient.Start()
		t.Cleanup(impatient.Close)
		res := call(t, http.MethodGet, impatient.URL+"/v1/things")
		require.Eventually(t, func() bool { return g.table.Load().routes[0].cuts.slow.Load() == 1 }, 10*time.Second, time.Millisecond)
		counted(t, g, "slow_client", "1")
		require.Eventually(t, func() bool { return bytes.Contains([]byte(log.String()), []byte("the client reads too slowly")) }, 5*time.Second, time.Millisecond)
		_, err := io.Copy(io.Discard, res.Body)
		require.Error(t, err)
	})
}
