package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBalance(t *testing.T) {
	t.Parallel()
	t.Run("upstreams take turns", func(t *testing.T) {
		t.Parallel()
		gateway := setup{routes: passing("/v1/things", named(t, "a").URL, named(t, "b").URL, named(t, "c").URL)}.serve(t)
		var order string
		for range 6 {
			order += text(t, call(t, http.MethodGet, gateway.URL+"/v1/things"))
		}
		require.Equal(t, "abcabc", order)
	})
	t.Run("routes share an upstream, and what is known of it", func(t *testing.T) {
		t.Parallel()
		a := named(t, "a").URL
		_, g := setup{routes: append(passing("/v1/things", a), passing("/v1/shelves", a)...)}.start(t)
		table := g.table.Load()
		require.Same(t, table.match("/v1/things").pool[0], table.match("/v1/shelves").pool[0])
	})
	t.Run("one that cannot be connected to costs no request, not even a POST, and is soon passed over", func(t *testing.T) {
		t.Parallel()
		gateway, g := setup{routes: passing("/v1/things", deadAddress(t), named(t, "alive").URL)}.start(t)
		for range 40 {
			res, err := http.Post(gateway.URL+"/v1/things", "text/plain", strings.NewReader("body"))
			require.NoError(t, err)
			require.Equal(t, "alive", text(t, res))
			res.Body.Close()
		}
		route := g.table.Load().routes[0]
		require.GreaterOrEqual(t, route.failovers.Load(), int64(breakerFailures))
		require.Less(t, route.failovers.Load(), int64(2*breakerFailures), "the breaker ends it")
		require.Zero(t, route.budget.total.resent.Load(), "nothing was sent twice")
	})
}

func TestLeaving(t *testing.T) {
	t.Parallel()
	t.Run("one that says it is leaving is passed over while there are others, and its connections are closed", func(t *testing.T) {
		t.Parallel()
		var leaving atomic.Bool
		a := newInstance(t, "a")
		a.leaving = &leaving
		gateway := setup{routes: passing("/v1/things", a.start(t), newInstance(t, "b").start(t))}.serve(t)
		get := func() string { return text(t, call(t, http.MethodGet, gateway.URL+"/v1/things")) }
		require.Equal(t, "abab", get()+get()+get()+get())
		leaving.Store(true)
		require.Equal(t, "abbbb", get()+get()+get()+get()+get())
		require.Eventually(t, func() bool { return a.open.Load() == 0 }, time.Second, time.Millisecond)

		leaving.Store(false)
		require.Eventually(t, func() bool { return get() == "a" }, 2*leavingTime, 50*time.Millisecond, "it is asked again after a while")
	})
	t.Run("the only one is asked all the same", func(t *testing.T) {
		t.Parallel()
		var leaving atomic.Bool
		leaving.Store(true)
		a := newInstance(t, "a")
		a.leaving = &leaving
		gateway := setup{routes: passing("/v1/things", a.start(t))}.serve(t)
		for range 5 {
			require.Equal(t, "a", text(t, call(t, http.MethodGet, gateway.URL+"/v1/things")))
		}
	})
	t.Run("of two that are leaving, the one that said so first may be back", func(t *testing.T) {
		t.Parallel()
		a, b := newUpstream("http", "a"), newUpstream("http", "b")
		r := &route{record: &record{}, pool: []*upstream{a, b}}
		a.leave(time.Now().Add(-leavingTime / 2))
		b.leave(time.Now())
		require.Same(t, a, r.pick())
		require.Same(t, a, r.pick())
		require.Same(t, b, r.pick(a))
	})
	t.Run("one that was away is asked before one that is leaving, for it may be back", func(t *testing.T) {
		t.Parallel()
		a, b := newUpstream("http", "a"), newUpstream("http", "b")
		r := &route{record: &record{}, pool: []*upstream{a, b}}
		for range breakerFailures {
			a.breaker.failed(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED})
		}
		require.Same(t, b, r.pick())
		require.Same(t, b, r.pick())
		b.leave(time.Now())
		require.Same(t, a, r.pick())
		a.breaker.answered(&http.Response{StatusCode: http.StatusOK})
		require.True(t, a.breaker.circuit.IsClosed(), "its answer says that it is back")
	})
	t.Run("a request that ends its connection by itself drives nobody away", func(t *testing.T) {
		t.Parallel()
		asked := &http.Request{Method: http.MethodGet}
		for status, want := range map[int]bool{200: true, 404: true, 503: true, 400: false, 413: false} {
			res := &http.Response{Request: asked, StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Close: true}
			require.Equal(t, want, leaving(res), status)
		}
		require.False(t, leaving(&http.Response{Request: asked, StatusCode: 200, ProtoMajor: 1, ProtoMinor: 0, Close: true}), "HTTP/1.0 always does")
		endless := &http.Response{Request: asked, StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, Close: true, ContentLength: -1}
		require.False(t, leaving(endless))
		endless.Request = &http.Request{Method: http.MethodHead}
		require.True(t, leaving(endless), "an answer to HEAD has no body that would have to end")
	})
}

// TestRollingRestart restarts two instances of a service one after the other, as an
// operator would, while customers keep posting.
func TestRollingRestart(t *testing.T) {
	t.Parallel()
	a, b := newInstance(t, "a"), newInstance(t, "b")
	gateway, g := setup{routes: passing("/v1/things", a.start(t), b.start(t))}.start(t)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	defer client.CloseIdleConnections()

	ctx, stop := context.WithCancel(t.Context())
	var customers sync.WaitGroup
	var done atomic.Int64
	failures := make(chan string, 1000)
	for n := range 16 {
		customers.Go(func() {
			for ctx.Err() == nil {
				method, body := http.MethodPost, io.Reader(strings.NewReader("order"))
				if n%4 == 0 {
					method, body = http.MethodGet, nil
				}
				req, err := http.NewRequest(method, gateway.URL+"/v1/things", body)
				if err != nil {
					failures <- err.Error()
					return
				}
				res, err := client.Do(req)
				if err != nil {
					failures <- err.Error()
					return
				}
				answer, err := io.ReadAll(res.Body)
				res.Body.Close()
				if err != nil || res.StatusCode != http.StatusOK {
					failures <- fmt.Sprint(method, res.StatusCode, string(answer), err)
				}
				done.Add(1)
			}
		})
	}
	pause := func() { time.Sleep(time.Second) }
	pause()
	for range 2 {
		for _, instance := range []*instance{a, b} {
			instance.restart(t)
			pause()
		}
	}
	stop()
	customers.Wait()
	close(failures)
	for failure := range failures {
		t.Error(failure)
	}
	require.Greater(t, done.Load(), int64(100))
	require.Positive(t, a.served.Load())
	require.Positive(t, b.served.Load())
	t.Logf("%d requests, %d moved on, %d sent again", done.Load(), g.table.Load().routes[0].failovers.Load(), g.table.Load().routes[0].budget.total.resent.Load())
}

// instance is a service's process that can be restarted at its address, and stops as
// the fleet's do: it says so with each answer first, and closes its port then.
type instance struct {
	name, addr   string
	leaving      *atomic.Bool
	open, served atomic.Int64
	server       *http.Server
}

func newInstance(t *testing.T, name string) *instance {
	i := &instance{name: name, addr: "127.0.0.1:0", leaving: &atomic.Bool{}}
	t.Cleanup(func() { i.server.Close() })
	return i
}

func (i *instance) start(t *testing.T) (base string) {
	var listener net.Listener
	require.Eventually(t, func() (bound bool) {
		var err error
		listener, err = net.Listen("tcp", i.addr)
		return err == nil
	}, 5*time.Second, 10*time.Millisecond)
	i.addr = listener.Addr().String()
	leaving := i.leaving
	i.server = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			time.Sleep(2 * time.Millisecond)
			if leaving.Load() {
				w.Header().Set("Connection", "close")
			}
			i.served.Add(1)
			_, _ = io.WriteString(w, i.name)
		}),
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				i.open.Add(1)
			case http.StateClosed:
				i.open.Add(-1)
			}
		},
	}
	server := i.server
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}()
	return "http://" + i.addr
}

func (i *instance) restart(t *testing.T) {
	i.leaving.Store(true)
	time.Sleep(500 * time.Millisecond)
	require.NoError(t, i.server.Shutdown(t.Context()))
	i.leaving = &atomic.Bool{}
	time.Sleep(100 * time.Millisecond) // until the next process is up
	i.start(t)
}
