package wire_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/wire"
)

// echo answers what it gets, and ends when it has got all.
func echo(conn *net.TCPConn) { _, _ = io.Copy(conn, conn) }

func dial(t testing.TB, p *wire.Proxy) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr())
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn.(*net.TCPConn)
}

// says sends a word and expects it back.
func says(t testing.TB, conn *net.TCPConn, word string) {
	t.Helper()
	_, err := conn.Write([]byte(word))
	require.NoError(t, err)
	hears(t, conn, word)
}

func hears(t testing.TB, conn *net.TCPConn, word string) {
	t.Helper()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(5*time.Second)))
	got := make([]byte, len(word))
	_, err := io.ReadFull(conn, got)
	require.NoError(t, err)
	require.Equal(t, word, string(got))
}

func hearsNothing(t testing.TB, conn *net.TCPConn) {
	t.Helper()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(100*time.Millisecond)))
	n, err := conn.Read(make([]byte, 1))
	require.Zero(t, n)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
}

// isReset expects the connection to be reset, and soon.
func isReset(t testing.TB, conn *net.TCPConn) {
	t.Helper()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(5*time.Second)))
	_, err := conn.Read(make([]byte, 1))
	require.ErrorIs(t, err, syscall.ECONNRESET)
}

// refuses expects a new connection to be reset, be it while dialling.
func refuses(t testing.TB, p *wire.Proxy) {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr())
	if err != nil {
		require.ErrorIs(t, err, syscall.ECONNRESET)
		return
	}
	defer conn.Close()
	isReset(t, conn.(*net.TCPConn))
}

func TestFaults(t *testing.T) {
	t.Parallel()

	t.Run("a delay is added to each direction and keeps the order", func(t *testing.T) {
		t.Parallel()
		const delay = 60 * time.Millisecond
		p := listen(t, serveTCP(t, echo), wire.Plain)
		conn := dial(t, p)
		says(t, conn, "before")
		p.SetFault(wire.Fault{Delay: delay})
		for _, conn := range []*net.TCPConn{conn, dial(t, p)} {
			began := time.Now()
			says(t, conn, "slowly")
			require.GreaterOrEqual(t, time.Since(began), 2*delay)
		}

		// A delay is no limit: what is sent in pieces arrives as it was sent, only later.
		began := time.Now()
		for _, piece := range "twenty pieces, or so" {
			_, err := conn.Write([]byte(string(piece)))
			require.NoError(t, err)
			time.Sleep(2 * time.Millisecond)
		}
		sent := time.Since(began)
		hears(t, conn, "twenty pieces, or so")
		require.Less(t, time.Since(began), sent+10*delay, "one delay after the other would be 40")

		_, err := conn.Write([]byte("still slow"))
		require.NoError(t, err)
		require.NoError(t, conn.CloseWrite()) // the end does not overtake
		p.SetFault(wire.Fault{})
		hears(t, conn, "still slow")
		rest, err := io.ReadAll(conn)
		require.NoError(t, err)
		require.Empty(t, rest)
	})

	t.Run("large data pass whole while the delay changes", func(t *testing.T) {
		t.Parallel()
		p := listen(t, serveTCP(t, echo), wire.Plain)
		conn := dial(t, p)
		data := make([]byte, 8<<20)
		_, _ = rand.Read(data)
		var sending sync.WaitGroup
		defer sending.Wait()
		sending.Go(func() {
			for i := range 8 {
				p.SetFault(wire.Fault{Delay: time.Duration(i%3) * 5 * time.Millisecond})
				_, _ = conn.Write(data[i<<20 : (i+1)<<20])
			}
			_ = conn.CloseWrite()
		})
		got, err := io.ReadAll(conn)
		require.NoError(t, err)
		require.True(t, bytes.Equal(data, got))
	})

	t.Run("refused connections are reset, new ones and open ones", func(t *testing.T) {
		t.Parallel()
		p := listen(t, serveTCP(t, echo), wire.Plain)
		conn := dial(t, p)
		says(t, conn, "before")
		p.SetFault(wire.Fault{Refuse: true})
		isReset(t, conn)
		refuses(t, p)
		p.SetFault(wire.Fault{})
		says(t, dial(t, p), "after")
	})

	t.Run("one-way, the target hears nothing", func(t *testing.T) {
		t.Parallel()
		heard := make(chan string, 1)
		p := listen(t, serveTCP(t, func(conn *net.TCPConn) {
			_, _ = conn.Write([]byte("hello"))
			all, _ := io.ReadAll(conn)
			heard <- string(all)
		}), wire.Plain)
		p.SetFault(wire.Fault{DropRequests: true})
		conn := dial(t, p)
		hears(t, conn, "hello")
		_, err := conn.Write([]byte("anybody there?"))
		require.NoError(t, err)
		hearsNothing(t, conn)
		require.NoError(t, conn.CloseWrite())
		require.Empty(t, <-heard)
	})

	t.Run("one-way, the target is not heard", func(t *testing.T) {
		t.Parallel()
		heard := make(chan string, 2)
		p := listen(t, serveTCP(t, func(conn *net.TCPConn) {
			for word := make([]byte, 5); ; {
				if _, err := io.ReadFull(conn, word); err != nil {
					return
				}
				heard <- string(word)
				_, _ = conn.Write(word)
			}
		}), wire.Plain)
		conn, other := dial(t, p), dial(t, p)
		says(t, conn, "hello")
		require.Equal(t, "hello", <-heard)
		p.SetFault(wire.Fault{DropAnswers: true})
		_, err := conn.Write([]byte("again"))
		require.NoError(t, err)
		require.Equal(t, "again", <-heard)
		hearsNothing(t, conn)

		p.SetFault(wire.Fault{})
		isReset(t, conn) // its stream has a hole
		says(t, other, "whole")
	})

	t.Run("a cut resets all that are open, and lets new ones be", func(t *testing.T) {
		t.Parallel()
		ended := make(chan error, 2)
		p := listen(t, serveTCP(t, func(conn *net.TCPConn) {
			_, err := io.Copy(conn, conn)
			ended <- err
		}), wire.Plain)
		one, other := dial(t, p), dial(t, p)
		says(t, one, "one")
		says(t, other, "other")
		p.Cut()
		isReset(t, one)
		isReset(t, other)
		require.ErrorIs(t, <-ended, syscall.ECONNRESET)
		require.ErrorIs(t, <-ended, syscall.ECONNRESET)
		says(t, dial(t, p), "new")
	})
}

func TestEnds(t *testing.T) {
	t.Parallel()

	t.Run("half-close is passed on", func(t *testing.T) {
		t.Parallel()
		p := listen(t, serveTCP(t, func(conn *net.TCPConn) {
			all, _ := io.ReadAll(conn)
			_, _ = conn.Write(append([]byte("all of it: "), all...))
		}), wire.Plain)
		conn := dial(t, p)
		_, err := conn.Write([]byte("much"))
		require.NoError(t, err)
		require.NoError(t, conn.CloseWrite())
		got, err := io.ReadAll(conn)
		require.NoError(t, err)
		require.Equal(t, "all of it: much", string(got))
	})

	t.Run("a target that dies takes the client's connection with it", func(t *testing.T) {
		t.Parallel()
		p := listen(t, serveTCP(t, func(conn *net.TCPConn) {
			_, _ = conn.Read(make([]byte, 1))
			_ = conn.SetLinger(0)
		}), wire.Plain)
		conn := dial(t, p)
		_, err := conn.Write([]byte("x"))
		require.NoError(t, err)
		isReset(t, conn)
	})

	t.Run("a client that dies takes the target's connection with it", func(t *testing.T) {
		t.Parallel()
		ended := make(chan error, 1)
		p := listen(t, serveTCP(t, func(conn *net.TCPConn) {
			_, err := io.Copy(conn, conn)
			ended <- err
		}), wire.Plain)
		conn := dial(t, p)
		says(t, conn, "hello")
		require.NoError(t, conn.SetLinger(0))
		require.NoError(t, conn.Close())
		require.ErrorIs(t, <-ended, syscall.ECONNRESET)
	})

	t.Run("a target that is not there is a reset", func(t *testing.T) {
		t.Parallel()
		free, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		require.NoError(t, free.Close())
		p := listen(t, free.Addr().String(), wire.Plain)
		refuses(t, p)
	})

	t.Run("close ends all, and may be called twice", func(t *testing.T) {
		t.Parallel()
		p, err := wire.Listen(serveTCP(t, echo), wire.HTTP)
		require.NoError(t, err)
		conn := dial(t, p)
		_, err = conn.Write([]byte("GET / HTTP/1.1\r\n"))
		require.NoError(t, err)
		hears(t, conn, "GET / HTTP/1.1\r\n")
		require.NoError(t, p.Close())
		isReset(t, conn)
		require.NoError(t, p.Close())
		_, err = net.Dial("tcp", p.Addr())
		require.True(t, errors.Is(err, syscall.ECONNREFUSED), "%v", err)
	})

	t.Run("a target without a port is an error", func(t *testing.T) {
		t.Parallel()
		_, err := wire.Listen("127.0.0.1", wire.Plain)
		require.ErrorContains(t, err, "host:port")
	})
}

// Whatever passes, it passes unchanged.
func TestUnread(t *testing.T) {
	t.Parallel()
	for _, protocol := range []wire.Protocol{wire.Postgres, wire.NATS, wire.HTTP} {
		p := listen(t, serveTCP(t, echo), protocol)
		seen := watch(p, nil)
		conn := dial(t, p)
		says(t, conn, "what is this\r\n\r\n\x00\x00\x00\x00\x00\x00")
		says(t, conn, "GET / HTTP/1.1\r\n\r\nPUB a 0\r\n\r\n")
		require.EqualValues(t, 1, p.Unread())
		require.Empty(t, seen.take())
	}
}
