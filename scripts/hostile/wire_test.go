package hostile_test

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A header that Connection names is for one hop only. A client may name any: what
// the gateway itself says to a service must not go with it.
func TestConnectionNominatesHeaders(t *testing.T) {
	t.Parallel()
	at(t, doors(t), func(t *testing.T, d door) {
		v, eve := d.ada(t), d.eve(t)
		for _, nominated := range []string{
			"Authorization", "close, Authorization", "X-Forwarded-For, X-Request-Id, Traceparent, Authorization", "Content-Type, Host, Content-Length",
		} {
			for _, path := range []string{"/v1/accounts/me", "/v1/orders"} { // a session passed on, and one exchanged
				a := d.wire(t, "GET "+path+" HTTP/1.1", "Connection: "+nominated, bearer(eve.session))
				a.is(http.StatusOK)
				require.NotContains(t, string(a.body), v.ID)
			}
			d.wire(t, "GET /v1/orders/"+v.orderID+" HTTP/1.1", "Connection: "+nominated, bearer(eve.session)).refused(http.StatusNotFound)
			d.wire(t, "GET /v1/orders HTTP/1.1", "Connection: "+nominated).refused(http.StatusUnauthorized)
		}
	})
}

// With a tunnel through the gateway a client would speak to the service itself.
func TestUpgrades(t *testing.T) {
	t.Parallel()
	at(t, everywhere(t, "accounts", "catalog"), func(t *testing.T, d door) {
		for name, headers := range map[string][]string{
			"h2c":       {"Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"},
			"websocket": {"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="},
			"alone":     {"Upgrade: h2c"},
		} {
			conn := d.dial(t)
			_, err := io.WriteString(conn, "GET /v1/books?limit=1 HTTP/1.1\r\nHost: shop.example\r\n"+strings.Join(headers, "\r\n")+"\r\n\r\n")
			require.NoError(t, err)
			reader := bufio.NewReader(conn)
			first := readAnswer(t, d.name+" "+name, http.MethodGet, reader)
			// Accounts knows no books. Whoever does answers as ever.
			first.is(http.StatusOK, http.StatusNotFound)
			require.Empty(t, first.header.Get("Upgrade"))

			// Had it become a tunnel, this would reach what is not for clients.
			_, err = io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nGET /internal/v1/keys HTTP/1.1\r\nHost: x\r\n\r\n")
			require.NoError(t, err)
			rest, _ := io.ReadAll(io.LimitReader(reader, 1<<16))
			require.NotContains(t, string(rest), `"keys"`, name)
			require.NotContains(t, string(rest), "HTTP/1.1 200", name)
		}
		t.Run("nobody speaks HTTP/2 in the clear", func(t *testing.T) {
			conn := d.dial(t)
			_, err := io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
			require.NoError(t, err)
			rest, _ := io.ReadAll(io.LimitReader(conn, 1<<16))
			require.True(t, len(rest) == 0 || strings.HasPrefix(string(rest), "HTTP/1.1 4") || strings.HasPrefix(string(rest), "HTTP/1.1 505"), "%q", rest)
		})
	})
}

// Two servers that disagree on where a request ends make one client's bytes the
// next one's request.
func TestRequestSmuggling(t *testing.T) {
	t.Parallel()
	const hidden = "GET /internal/v1/keys HTTP/1.1\r\nHost: x\r\n\r\n"
	at(t, doors(t), func(t *testing.T, d door) {
		for name, text := range map[string]string{
			"both lengths":           "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
			"two lengths":            "Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + hidden,
			"a length with a sign":   "Content-Length: +0\r\n\r\n" + hidden,
			"a coding nobody knows":  "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + hidden,
			"two codings":            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + hidden,
			"space before the colon": "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + hidden,
			"a folded header":        "X-Fold: a\r\n Transfer-Encoding: chunked\r\n\r\n" + hidden,
			"a bare carriage return": "X-A: a\rTransfer-Encoding: chunked\r\n\r\n" + hidden,
			"two hosts":              "Host: accounts\r\n\r\n" + hidden,
		} {
			conn := d.dial(t)
			_, err := io.WriteString(conn, "POST /v1/sessions HTTP/1.1\r\nHost: shop.example\r\nContent-Type: application/json\r\nConnection: close\r\n"+text)
			require.NoError(t, err)
			all, _ := io.ReadAll(io.LimitReader(conn, 1<<16))
			require.Regexp(t, `^HTTP/1\.1 (4\d\d|501)`, string(all), name)
			require.Equal(t, 1, strings.Count(string(all), "HTTP/1.1 "), "%s: %s", name, all)
			require.NotContains(t, string(all), `"keys"`, name)
		}
	})
}
