package web_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/internal/fault"
	"banyan/internal/web"
)

// desk is an instance of a service that counts its calls.
type desk struct {
	*httptest.Server
	calls   atomic.Int32
	leaving atomic.Bool
	open    atomic.Int32 // connections
}

func newDesk(t *testing.T) *desk {
	d := &desk{}
	d.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		d.calls.Add(1)
		if d.leaving.Load() {
			w.Header().Set("Connection", "close")
		}
	}))
	d.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			d.open.Add(1)
		case http.StateClosed:
			d.open.Add(-1)
		}
	}
	d.Start()
	t.Cleanup(d.Close)
	return d
}

func TestInstances(t *testing.T) {
	t.Parallel()
	clientOf := func(addresses ...string) *web.Client {
		return web.NewClient(web.ClientConfig{Base: strings.Join(addresses, ",")})
	}
	call := func(t *testing.T, c *web.Client, times int) {
		t.Helper()
		for range times {
			require.NoError(t, c.Do(t.Context(), http.MethodPost, "/", map[string]int{"n": 1}, nil))
		}
	}

	t.Run("are taken in turn", func(t *testing.T) {
		t.Parallel()
		one, two := newDesk(t), newDesk(t)
		call(t, clientOf(one.URL, " "+two.URL+"/"), 10)
		require.EqualValues(t, 5, one.calls.Load())
		require.EqualValues(t, 5, two.calls.Load())
	})
	t.Run("one that cannot be connected to costs no call, and is passed over for a moment", func(t *testing.T) {
		t.Parallel()
		one, two := newDesk(t), newDesk(t)
		c := clientOf(one.URL, two.URL)
		call(t, c, 2)
		one.Close() // the client may not have seen yet that its idle connection is gone
		call(t, c, 9)
		require.EqualValues(t, 10, two.calls.Load())

		back := &http.Server{Handler: one.Config.Handler}
		l, err := net.Listen("tcp", one.Listener.Addr().String())
		require.NoError(t, err)
		go func() { _ = back.Serve(l) }()
		t.Cleanup(func() { back.Close() })
		require.Eventually(t, func() bool {
			call(t, c, 1)
			return one.calls.Load() > 1
		}, 5*time.Second, 20*time.Millisecond, "it is found when it is back")
	})
	t.Run("one that says it is about to stop is left at once, with every idle connection", func(t *testing.T) {
		t.Parallel()
		one, two := newDesk(t), newDesk(t)
		c := clientOf(one.URL, two.URL)
		call(t, c, 2)
		one.leaving.Store(true)
		call(t, c, 10)
		require.EqualValues(t, 2, one.calls.Load())
		require.EqualValues(t, 10, two.calls.Load())
		require.Eventually(t, func() bool { return one.open.Load() == 0 }, time.Second, time.Millisecond)
	})
	t.Run("all being about to stop, they are asked all the same", func(t *testing.T) {
		t.Parallel()
		one, two := newDesk(t), newDesk(t)
		one.leaving.Store(true)
		two.leaving.Store(true)
		call(t, clientOf(one.URL, two.URL), 10)
		require.EqualValues(t, 10, one.calls.Load()+two.calls.Load())
	})
	t.Run("none being there is unavailable", func(t *testing.T) {
		t.Parallel()
		err := clientOf("http://127.0.0.1:1", "http://127.0.0.1:2").Do(t.Context(), http.MethodGet, "/", nil, nil)
		require.Equal(t, fault.Unavailable, fault.KindOf(err))
	})
	t.Run("a call on a connection that is just being closed is made again", func(t *testing.T) {
		t.Parallel()
		var asked atomic.Int32
		s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			if asked.Add(1) == 2 {
				panic(http.ErrAbortHandler) // closes the connection, which was idle before, without an answer
			}
		}))
		t.Cleanup(s.Close)
		call(t, clientOf(s.URL), 2)
		require.EqualValues(t, 3, asked.Load())
	})
	t.Run("a call that was sent is never sent to another one", func(t *testing.T) {
		t.Parallel()
		var asked atomic.Int32
		breaks := func() *httptest.Server {
			s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				asked.Add(1)
				panic(http.ErrAbortHandler)
			}))
			t.Cleanup(s.Close)
			return s
		}
		err := clientOf(breaks().URL, breaks().URL).Do(t.Context(), http.MethodPost, "/", map[string]int{}, nil)
		require.Equal(t, fault.Unavailable, fault.KindOf(err))
		require.EqualValues(t, 1, asked.Load())
	})
}
