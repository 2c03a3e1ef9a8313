package wire_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/wire"
)

// processor is a card processor of a few lines.
func processor(charges *atomic.Int64) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /charges", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		charges.Add(1)
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, "took %s", body)
	})
	mux.HandleFunc("GET /stream", func(w http.ResponseWriter, _ *http.Request) {
		for i := range 3 {
			fmt.Fprintf(w, "part %d\n", i)
			w.(http.Flusher).Flush()
		}
	})
	mux.HandleFunc("GET /nothing", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /large", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("large", 1<<20)) })
	return mux
}

func TestHTTPMoments(t *testing.T) {
	var charges atomic.Int64
	server := httptest.NewServer(processor(&charges))
	t.Cleanup(server.Close)
	proxy, address := before(t, server.URL, wire.HTTP)
	seen := watch(proxy, nil)
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	do := func(t *testing.T, method, path string, body io.Reader) string {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, address+path, body)
		require.NoError(t, err)
		response, err := client.Do(request)
		require.NoError(t, err)
		defer response.Body.Close()
		got, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return string(got)
	}
	exchange := func(request string, status int) []string {
		return both("request: "+request, fmt.Sprint("response: ", request, " ", status))
	}

	t.Run("a charge", func(t *testing.T) {
		require.Equal(t, "took 995 cents", do(t, "POST", "/charges?key=1", strings.NewReader("995 cents")))
		m := seen.eventually(t, exchange("POST /charges", 201)...)
		require.Equal(t, "995 cents", string(m[0].Body))
		require.Equal(t, "took 995 cents", string(m[2].Body))
	})
	t.Run("in chunks, both ways", func(t *testing.T) {
		require.Equal(t, "took 995 cents", do(t, "POST", "/charges", io.MultiReader(strings.NewReader("995 "), strings.NewReader("cents"))))
		require.Equal(t, "995 cents", string(seen.eventually(t, exchange("POST /charges", 201)...)[0].Body))
		require.Equal(t, "part 0\npart 1\npart 2\n", do(t, "GET", "/stream", nil))
		require.Equal(t, "part 0\npart 1\npart 2\n", string(seen.eventually(t, exchange("GET /stream", 200)...)[3].Body))
	})
	t.Run("without a body", func(t *testing.T) {
		do(t, "GET", "/nothing", nil)
		seen.eventually(t, exchange("GET /nothing", 204)...)
		do(t, "HEAD", "/large", nil) // says how long it would be
		seen.eventually(t, exchange("HEAD /large", 200)...)
		do(t, "GET", "/missing", nil)
		seen.eventually(t, exchange("GET /missing", 404)...)
	})
	t.Run("large bodies pass and are not shown", func(t *testing.T) {
		large := strings.Repeat("large", 1<<20)
		require.Equal(t, large, do(t, "GET", "/large", nil))
		require.Nil(t, seen.eventually(t, exchange("GET /large", 200)...)[2].Body)
		require.Equal(t, "took "+large, do(t, "POST", "/charges", strings.NewReader(large)))
		seen.eventually(t, exchange("POST /charges", 201)...)
	})
	require.Zero(t, proxy.Unread())
}

func TestHTTPCuts(t *testing.T) {
	for _, at := range []struct {
		kind    wire.Kind
		phase   wire.Phase
		charged bool
	}{
		{wire.Request, wire.Before, false},
		{wire.Request, wire.After, true},
		{wire.Response, wire.Before, true},
	} {
		t.Run(at.phase.String()+" "+at.kind.String(), func(t *testing.T) {
			var charges atomic.Int64
			server := httptest.NewServer(processor(&charges))
			defer server.Close()
			proxy, address := before(t, server.URL, wire.HTTP)
			watch(proxy, func(m wire.Moment) {
				if m.Kind == at.kind && m.Phase == at.phase {
					time.Sleep(20 * time.Millisecond)
					proxy.Cut()
				}
			})
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			_, err := client.Post(address+"/charges", "text/plain", strings.NewReader("995 cents"))
			require.Error(t, err)
			if at.charged {
				require.Eventually(t, func() bool { return charges.Load() == 1 }, time.Second, time.Millisecond)
			} else {
				server.Close() // waits for what has come
				require.Zero(t, charges.Load())
			}
		})
	}
}

// What the standard library's server does not send: an informational response, a body that ends with the connection.
func TestHTTPUnusual(t *testing.T) {
	target := serveTCP(t, func(conn *net.TCPConn) {
		request, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil {
			return
		}
		if request.URL.Path == "/upgrade" {
			fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n\x00\x01HTTP/1.1 nonsense")
			return
		}
		fmt.Fprint(conn, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.0 200 OK\r\n\r\nto the end")
	})
	proxy := listen(t, target, wire.HTTP)
	seen := watch(proxy, nil)
	ask := func(path string) string {
		conn, err := net.Dial("tcp", proxy.Addr())
		require.NoError(t, err)
		defer conn.Close()
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path)
		got, err := io.ReadAll(conn)
		require.NoError(t, err)
		return string(got)
	}
	require.Equal(t, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.0 200 OK\r\n\r\nto the end", ask("/"))
	seen.eventually(t, both("request: GET /", "response: GET / 200")...)
	require.Zero(t, proxy.Unread())
	require.Equal(t, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n\x00\x01HTTP/1.1 nonsense", ask("/upgrade"))
	seen.eventually(t, both("request: GET /upgrade")...)
	require.EqualValues(t, 1, proxy.Unread())
}
