package process_test

import (
	"bufio"
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

	"banyan/internal/process"
)

// phone is one connection that is kept open.
type phone struct {
	net.Conn
	in *bufio.Reader
}

func dial(t *testing.T, url string) phone {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return phone{conn, bufio.NewReader(conn)}
}

func (p phone) ask(t *testing.T, path string) {
	t.Helper()
	_, err := fmt.Fprintf(p, "GET %s HTTP/1.1\r\nHost: it\r\n\r\n", path)
	require.NoError(t, err)
}

// hear returns the next answer's status, and whether it was the last one of this connection.
func (p phone) hear(t *testing.T) (status int, last bool) {
	t.Helper()
	res, err := http.ReadResponse(p.in, nil)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, res.Body)
	require.NoError(t, err)
	return res.StatusCode, res.Close
}

func TestLinger(t *testing.T) {
	t.Parallel()

	t.Run("every answer of a process that stops is the last of its connection", func(t *testing.T) {
		t.Parallel()
		entered, leave := make(chan struct{}), make(chan struct{})
		r := start(t, func(app *process.App) {
			app.Serve("127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/slow":
					close(entered)
					<-leave
					w.WriteHeader(http.StatusAccepted)
				case "/body":
					_, _ = io.WriteString(w, "hello")
				}
			}))
		})
		slow, idle, other := dial(t, r.public), dial(t, r.public), dial(t, r.public)
		idle.ask(t, "/body")
		_, last := idle.hear(t)
		require.False(t, last, "nobody is leaving yet")
		slow.ask(t, "/slow")
		<-entered

		r.stop()
		require.Eventually(t, func() bool { return status(t, r.ops+"/readyz") == 503 }, time.Second, time.Millisecond)
		close(leave)
		for _, asked := range []struct {
			phone
			path   string
			status int
		}{{slow, "", 202}, {idle, "/body", 200}, {other, "/nothing", 200}, {dial(t, r.public), "/body", 200}} {
			if asked.path != "" {
				asked.ask(t, asked.path)
			}
			status, last := asked.hear(t)
			require.Equal(t, asked.status, status)
			require.True(t, last, asked.path)
		}
		require.NoError(t, <-r.done)
	})
	t.Run("a stop does not linger for nobody", func(t *testing.T) {
		t.Parallel()
		r := start(t, func(app *process.App) { app.Serve("127.0.0.1:0", http.NotFoundHandler()) })
		require.Equal(t, 404, status(t, r.public))
		time.Sleep(20 * time.Millisecond) // for that connection to be gone
		began := time.Now()
		r.stop()
		require.NoError(t, <-r.done)
		require.Less(t, time.Since(began), 200*time.Millisecond)
	})
	t.Run("nor for long for those who do not ask", func(t *testing.T) {
		t.Parallel()
		r := start(t, func(app *process.App) { app.Serve("127.0.0.1:0", http.NotFoundHandler()) })
		idle := dial(t, r.public)
		idle.ask(t, "/")
		idle.hear(t)
		began := time.Now()
		r.stop()
		require.NoError(t, <-r.done)
		require.Less(t, time.Since(began), 3*time.Second)
	})
	t.Run("a busy process that stops breaks no request off", func(t *testing.T) {
		t.Parallel()
		for range 5 {
			stopUnderLoad(t)
		}
	})
}

// stopUnderLoad lets clients with kept connections post until the process has gone. What they send is not
// idempotent, so net/http repeats none of it for them.
func stopUnderLoad(t *testing.T) {
	t.Helper()
	var done atomic.Int64
	r := start(t, func(app *process.App) {
		app.Serve("127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(w, r.Body)
			done.Add(1)
		}))
	})
	var asking sync.WaitGroup
	var answered atomic.Int64
	for range 8 {
		asking.Go(func() {
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport}
			for {
				res, err := client.Post(r.public, "text/plain", strings.NewReader("hello"))
				if errors.Is(err, syscall.ECONNREFUSED) {
					return // gone; nothing was sent
				}
				if err != nil {
					t.Errorf("a request was broken off: %v", err)
					return
				}
				if body, err := io.ReadAll(res.Body); err != nil || string(body) != "hello" {
					t.Errorf("answered %q, %v", body, err)
				}
				res.Body.Close()
				answered.Add(1)
				if res.Close {
					return // to another instance
				}
			}
		})
	}
	require.Eventually(t, func() bool { return answered.Load() > 100 }, 5*time.Second, time.Millisecond)
	began := time.Now()
	r.stop()
	asking.Wait()
	require.NoError(t, <-r.done)
	require.Less(t, time.Since(began), lingering, "once the clients have gone there is nothing to wait for")
	require.Equal(t, done.Load(), answered.Load())
}

// lingering is less than a stop would take that waits for its time to be over.
const lingering = 900 * time.Millisecond
