package process

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// slowly starts a server whose times are short and whose connections hold little, asks it for an answer, and returns the
// connection. The result of the handler's write follows on the channel, and whether the server took the client for gone.
func slowly(t *testing.T, size int, headers ...string) (net.Conn, <-chan error) {
	const short = 1500 * time.Millisecond
	written := make(chan error, 1)
	v := &visitors{patience: short}
	server := newServer(v.tell(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		if err == nil {
			_, err = w.Write(make([]byte, size))
		} else {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write(nil)
		}
		written <- errors.Join(err, r.Context().Err())
	})), slog.New(slog.DiscardHandler))
	server.ReadTimeout, server.WriteTimeout = short, short
	server.ConnState = func(conn net.Conn, state http.ConnState) {
		if state == http.StateNew {
			_ = conn.(*net.TCPConn).SetWriteBuffer(128 << 10)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan error)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		require.NoError(t, server.Close())
		<-done
	})
	conn, err := net.Dial("tcp", listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.(*net.TCPConn).SetReadBuffer(128<<10))
	_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: it\r\n"+strings.Join(append(headers, "\r\n"), "\r\n"))
	require.NoError(t, err)
	return conn, written
}

func TestPace(t *testing.T) {
	t.Parallel()
	t.Run("a client that reads slowly and steadily gets all of it", func(t *testing.T) {
		t.Parallel()
		const size = 5 << 20
		conn, written := slowly(t, size, "Connection: close")
		began, got, buffer := time.Now(), 0, make([]byte, 64<<10)
		for {
			n, err := conn.Read(buffer)
			got += n
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err, "after %d bytes", got)
			time.Sleep(time.Duration(n) * time.Microsecond) // at most a megabyte a second
		}
		require.NoError(t, <-written)
		require.Greater(t, got, size)
		require.Greater(t, time.Since(began), 3500*time.Millisecond, "or this shows nothing")
	})
	t.Run("one that does not read is given up", func(t *testing.T) {
		t.Parallel()
		_, written := slowly(t, 16<<20)
		began := time.Now()
		require.ErrorIs(t, <-written, os.ErrDeadlineExceeded)
		require.Less(t, time.Since(began), 10*time.Second)
	})
	t.Run("one that stops reading is given up, too, and sees that something is missing", func(t *testing.T) {
		t.Parallel()
		conn, written := slowly(t, 16<<20, "Connection: close")
		_, err := io.CopyN(io.Discard, conn, 1<<20)
		require.NoError(t, err)
		require.ErrorIs(t, <-written, os.ErrDeadlineExceeded)
		rest, _ := io.ReadAll(conn)
		require.False(t, bytes.HasSuffix(rest, []byte("0\r\n\r\n")), "the last chunk must not come")
	})
	t.Run("one that does not send its body is not given more time for that", func(t *testing.T) {
		t.Parallel()
		conn, written := slowly(t, 0, "Content-Length: 1000")
		began := time.Now()
		require.ErrorIs(t, <-written, os.ErrDeadlineExceeded)
		_, err := io.ReadAll(conn)
		require.NoError(t, err)
		require.Less(t, time.Since(began), 2700*time.Millisecond, "the deadline, and no second one")
	})
	t.Run("an answer of nothing is one", func(t *testing.T) {
		t.Parallel()
		conn, written := slowly(t, 0, "Connection: close")
		require.NoError(t, <-written)
		answer, err := io.ReadAll(conn)
		require.NoError(t, err)
		require.Contains(t, string(answer), "200 OK")
	})
}
