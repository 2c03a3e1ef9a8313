package hostile_test

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// drip sends one byte at a time until the other side has enough, and says how long
// that took and what it said.
func drip(t *testing.T, conn net.Conn, every, most time.Duration) (time.Duration, string) {
	t.Helper()
	began := time.Now()
	var said strings.Builder
	buffer := make([]byte, 4096)
	for time.Since(began) < most {
		if _, err := conn.Write([]byte("x")); err != nil {
			return time.Since(began), said.String()
		}
		if err := conn.SetReadDeadline(time.Now().Add(every)); err != nil {
			return time.Since(began), said.String()
		}
		n, err := conn.Read(buffer)
		said.Write(buffer[:n])
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return time.Since(began), said.String()
		}
	}
	require.Fail(t, "the connection is still open", "after %s; so far it said %q", most, said.String())
	return 0, ""
}

// A client that sends its request a byte at a time costs next to nothing to run, and
// holds a connection for as long as it is let.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	at(t, everywhere(t, "accounts"), func(t *testing.T, d door) {
		t.Run("that dawdle over the headers are cut off", func(t *testing.T) {
			t.Parallel()
			conn := d.dial(t)
			_, err := io.WriteString(conn, "GET /v1/books HTTP/1.1\r\nHost: shop.example\r\nX-Slow: ")
			require.NoError(t, err)
			took, _ := drip(t, conn, 250*time.Millisecond, 9*time.Second)
			require.Greater(t, took, 2*time.Second, "one on a bad line has some time")
		})
		t.Run("that dawdle over the body are cut off, and hold up nobody else", func(t *testing.T) {
			t.Parallel()
			var dawdling sync.WaitGroup
			for range 20 {
				conn := d.dial(t)
				_, err := io.WriteString(conn, "POST /v1/sessions HTTP/1.1\r\nHost: shop.example\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{")
				require.NoError(t, err)
				dawdling.Go(func() {
					_, said := drip(t, conn, time.Second, 20*time.Second)
					if said != "" && !strings.HasPrefix(said, "HTTP/1.1 4") && !strings.HasPrefix(said, "HTTP/1.1 5") {
						t.Errorf("a request that never ended was answered with %q", said)
					}
				})
			}
			for range 10 {
				d.ask(t, "GET", "/v1/accounts/me", "").refused(401)
			}
			dawdling.Wait()
		})
		t.Run("that never read their answers hold up nobody else", func(t *testing.T) {
			t.Parallel()
			for range 20 {
				conn := d.dial(t)
				_, err := io.WriteString(conn, strings.Repeat("GET /openapi.yaml HTTP/1.1\r\nHost: shop.example\r\n\r\n", 200))
				require.NoError(t, err)
			}
			for range 10 {
				d.ask(t, "GET", "/v1/accounts/me", "").refused(401)
			}
		})
		t.Run("headers without end are refused", func(t *testing.T) {
			t.Parallel()
			d.wire(t, "GET /v1/books HTTP/1.1", "X-Long: "+strings.Repeat("x", 40<<10)).is(431)
			d.wire(t, "GET /v1/books?q="+strings.Repeat("x", 40<<10)+" HTTP/1.1").is(431)
		})
	})
}
