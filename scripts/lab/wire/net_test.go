package wire

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/up"
)

func TestNet(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	address := strings.TrimPrefix(server.URL, "http://")
	var mu sync.Mutex
	seen := map[Way]int{}
	n := &Net{
		Only: func(w Way) bool { return w.To == "inventory" },
		Watch: func(w Way, _ Moment) {
			mu.Lock()
			defer mu.Unlock()
			seen[w]++
		},
	}
	t.Cleanup(func() { require.NoError(t, n.Close()) })

	left, err := n.Via(up.Link{From: "orders", To: "payments", Address: address})
	require.NoError(t, err)
	require.Equal(t, address, left, "a way that nobody wants to see is left as it is")

	way := Way{"orders", "inventory"}
	first, err := n.Via(up.Link{From: way.From, To: way.To, Address: address})
	require.NoError(t, err)
	require.NotEqual(t, address, first)
	again, err := n.Via(up.Link{From: way.From, To: way.To, Address: address})
	require.NoError(t, err)
	require.Equal(t, first, again, "a process that is started again finds its proxy")
	require.Equal(t, []Way{way}, n.Ways())
	require.Equal(t, first, n.Proxy(way).Addr())

	response, err := http.Get("http://" + first)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.NoError(t, n.Unread())
	mu.Lock()
	defer mu.Unlock()
	require.NotZero(t, seen[way])
}

func TestProtocolOf(t *testing.T) {
	t.Parallel()
	for to, want := range map[string]Protocol{"postgres": Postgres, "nats": NATS, "mail": Plain, "outside": HTTP, "orders": HTTP} {
		require.Equal(t, want, protocolOf(to), to)
	}
}
