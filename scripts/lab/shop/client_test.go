package shop

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sends is a way to ask a server: a client of either kind, or a single connection.
type sends func(context.Context, Request) (Answer, error)

// onEachWire runs a test on each kind of connection: callers see no difference.
func onEachWire(t *testing.T, handler http.HandlerFunc, test func(t *testing.T, send sends)) {
	t.Helper()
	for name, raw := range map[string]bool{"net/http": false, "raw": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(handler)
			t.Cleanup(server.Close)
			c, err := New(Options{Raw: raw, Connections: 1}, server.URL)
			require.NoError(t, err)
			t.Cleanup(c.Close)
			test(t, c.Send)
		})
	}
	t.Run("one connection", func(t *testing.T) {
		t.Parallel()
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		c, err := NewConn(server.URL)
		require.NoError(t, err)
		t.Cleanup(c.Close)
		test(t, c.Send)
	})
}

func TestSend(t *testing.T) {
	t.Parallel()

	t.Run("sends what a request holds", func(t *testing.T) {
		t.Parallel()
		echo := func(w http.ResponseWriter, r *http.Request) {
			sent, _ := io.ReadAll(r.Body)
			w.Header().Set("Location", "/v1/orders/7")
			w.Header().Set("Retry-After", "2")
			w.WriteHeader(http.StatusCreated)
			for _, name := range []string{"Accept", "Authorization", "Idempotency-Key", "Content-Type", "If-Match"} {
				fmt.Fprintf(w, "%s: %s\n", name, r.Header.Get(name))
			}
			fmt.Fprintf(w, "%s %s %d %s", r.Method, r.RequestURI, r.ContentLength, sent)
		}
		full := Request{Method: "POST", Path: "/v1/orders?a=b", Token: "secret", Key: "once", Body: map[string]int{"a": 1}}
		bytes, headers, bare := full, full, Request{Method: "DELETE", Path: "/v1/cart/items/b"}
		bytes.Body = []byte(`{"a":1}`)
		headers.Header = map[string]string{"Authorization": "Basic x", "Content-Type": "", "If-Match": `"3"`}
		said := "Accept: application/json\nAuthorization: Bearer secret\nIdempotency-Key: once\nContent-Type: application/json\nIf-Match: \n" +
			"POST /v1/orders?a=b 7 {\"a\":1}"
		cases := map[string]struct {
			request Request
			says    string
		}{
			"a thing as JSON":   {full, said},
			"bytes as they are": {bytes, said},
			"headers of its own": {headers, "Accept: application/json\nAuthorization: Basic x\nIdempotency-Key: once\nContent-Type: \nIf-Match: \"3\"\n" +
				"POST /v1/orders?a=b 7 {\"a\":1}"},
			"nothing":                  {bare, "Accept: application/json\nAuthorization: \nIdempotency-Key: \nContent-Type: \nIf-Match: \nDELETE /v1/cart/items/b 0 "},
			"nothing, where a POST is": {Request{Method: "POST", Path: "/"}, "Accept: application/json\nAuthorization: \nIdempotency-Key: \nContent-Type: \nIf-Match: \nPOST / 0 "},
		}
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				onEachWire(t, echo, func(t *testing.T, send sends) {
					a, err := send(t.Context(), c.request)
					require.NoError(t, err)
					require.Equal(t, http.StatusCreated, a.Status)
					require.Equal(t, "/v1/orders/7", a.Location())
					require.Equal(t, "2", a.RetryAfter())
					require.Equal(t, c.says, string(a.Body))
				})
			})
		}
	})

	t.Run("reads answers of any size, of a known length or in chunks, one after another", func(t *testing.T) {
		t.Parallel()
		var mu sync.Mutex
		peers := map[string]map[string]bool{} // of each server
		serve := func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			if peers[r.Host] == nil {
				peers[r.Host] = map[string]bool{}
			}
			peers[r.Host][r.RemoteAddr] = true
			n := len(peers[r.Host])
			mu.Unlock()
			text := strings.Repeat(fmt.Sprint(n), 100_000)
			if r.URL.Path == "/chunks" {
				_, _ = io.WriteString(w, text[:50_000])
				w.(http.Flusher).Flush()
				text = text[50_000:]
			}
			_, _ = io.WriteString(w, text)
		}
		onEachWire(t, serve, func(t *testing.T, send sends) {
			for _, path := range []string{"/whole", "/chunks", "/whole"} {
				a, err := send(t.Context(), Request{Method: "GET", Path: path})
				require.NoError(t, err)
				require.Len(t, a.Body, 100_000)
				require.Equal(t, "1", string(a.Body[:1]), "all on one connection")
			}
		})
	})

	t.Run("sends nothing twice when a connection breaks, and connects anew", func(t *testing.T) {
		t.Parallel()
		var mu sync.Mutex
		asked := map[string]int{} // by key
		serve := func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			key := r.Header.Get("Idempotency-Key")
			mu.Lock()
			asked[r.Host+key]++
			n := asked[r.Host+key]
			mu.Unlock()
			if key == "breaks" {
				panic(http.ErrAbortHandler)
			}
			fmt.Fprint(w, n)
		}
		onEachWire(t, serve, func(t *testing.T, send sends) {
			r := Request{Method: "POST", Path: "/v1/orders", Key: "good", Body: struct{}{}}
			a, err := send(t.Context(), r) // so that the next one comes on a connection that has been used
			require.NoError(t, err)
			require.Equal(t, "1", string(a.Body))
			r.Key = "breaks"
			_, err = send(t.Context(), r)
			require.Error(t, err)
			r.Key = "good"
			a, err = send(t.Context(), r)
			require.NoError(t, err)
			require.Equal(t, "2", string(a.Body))
		})
		mu.Lock()
		defer mu.Unlock()
		for key, n := range asked {
			if strings.HasSuffix(key, "breaks") {
				require.Equal(t, 1, n)
			}
		}
	})

	t.Run("stops waiting when it is told to, and goes on for another", func(t *testing.T) {
		t.Parallel()
		serve := func(_ http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/slow" {
				<-r.Context().Done()
			}
		}
		onEachWire(t, serve, func(t *testing.T, send sends) {
			_, err := send(t.Context(), Request{Method: "GET", Path: "/"}) // opens the connection, for a context that lives on
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			began := time.Now()
			_, err = send(ctx, Request{Method: "GET", Path: "/slow"})
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Less(t, time.Since(began), AnswerWithin/2)
			_, err = send(ctx, Request{Method: "GET", Path: "/"})
			require.ErrorIs(t, err, context.DeadlineExceeded)

			ended, end := context.WithCancel(t.Context())
			_, err = send(ended, Request{Method: "GET", Path: "/"})
			require.NoError(t, err)
			end()
			_, err = send(t.Context(), Request{Method: "GET", Path: "/"})
			require.NoError(t, err, "that one has ended breaks no other's request")
		})
	})

	t.Run("refuses what is no address", func(t *testing.T) {
		t.Parallel()
		_, err := New(Options{}, "localhost:8080")
		require.ErrorContains(t, err, "it looks like http://")
		_, err = NewConn("localhost:8080")
		require.ErrorContains(t, err, "it looks like http://")
	})
}

func TestConnCountsItsBytes(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }))
	t.Cleanup(server.Close)
	c, err := NewConn(server.URL)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	for n := range int64(3) {
		_, err := c.Send(t.Context(), Request{Method: "GET", Path: "/"})
		require.NoError(t, err)
		sent, received := c.Bytes()
		require.EqualValues(t, (n+1)*int64(len("GET / HTTP/1.1\r\nHost: \r\nAccept: application/json\r\n\r\n")+len(c.host)), sent)
		require.Greater(t, received, (n+1)*int64(len("HTTP/1.1 200 OK\r\n\r\nhello")))
		c.Close() // it counts on over connections
	}
}

func TestFronts(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]bool{"net/http": false, "raw": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var closing atomic.Bool
			var asked [2]atomic.Int32
			var urls []string
			for i := range asked {
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					asked[i].Add(1)
					if i == 0 && closing.Load() {
						w.Header().Set("Connection", "close")
					}
				}))
				t.Cleanup(server.Close)
				urls = append(urls, server.URL)
			}
			gone, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			require.NoError(t, gone.Close())
			c, err := New(Options{Raw: raw}, append(urls, "http://"+gone.Addr().String())...)
			require.NoError(t, err)
			t.Cleanup(c.Close)
			ask := func(n int) (first, second int32) {
				asked[0].Store(0)
				asked[1].Store(0)
				for range n {
					_, err := c.Send(t.Context(), Request{Method: "GET", Path: "/"})
					require.NoError(t, err)
				}
				return asked[0].Load(), asked[1].Load()
			}

			first, second := ask(6)
			require.EqualValues(t, 6, first+second, "what can't be connected to costs nobody an answer")
			require.GreaterOrEqual(t, min(first, second), int32(2), "the others take turns")
			require.EqualValues(t, 1, c.Moved(), "and it is passed over from then on")

			closing.Store(true)
			first, second = ask(6)
			require.EqualValues(t, 1, first, "a front that says it is about to stop is left alone")
			require.EqualValues(t, 5, second)
		})
	}
}
