package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// A lab moved by --port-offset has its mail moved as well.
func TestMailBesideTheShop(t *testing.T) {
	t.Parallel()
	mailbox := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte("[]"))
	}))
	t.Cleanup(mailbox.Close)
	there, err := url.Parse(mailbox.URL)
	require.NoError(t, err)
	port, err := strconv.Atoi(there.Port())
	require.NoError(t, err)

	for front, distance := range map[string]int{"the gateway": 10, "the monolith": 20, "the façade": 8} {
		at := "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(port-distance))
		found, err := (&buyCommand{At: at}).mail(t.Context(), t.TempDir())
		require.NoError(t, err, front)
		require.Equal(t, mailbox.URL, found, front)
	}

	given, err := (&buyCommand{At: "http://127.0.0.1:1", Outside: "http://mail.example"}).mail(t.Context(), t.TempDir())
	require.NoError(t, err)
	require.Equal(t, "http://mail.example", given)
}
