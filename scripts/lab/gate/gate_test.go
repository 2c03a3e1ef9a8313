package gate_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/gate"
)

// The gateway's own tests speak to it by this package. Here is what they can't see.

func TestAway(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	_, err := gate.At(server.URL).Hold(t.Context(), []string{"/v1/cart"}, time.Second)
	require.ErrorIs(t, err, gate.ErrAway)
	require.ErrorContains(t, err, server.URL)
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	answer := func(status int, body string) *gate.Gate {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}))
		t.Cleanup(server.Close)
		return gate.At(server.URL + "/")
	}
	t.Run("a hold is summed over its routes", func(t *testing.T) {
		t.Parallel()
		held, err := answer(200, `{"until": "2026-11-29T10:00:06Z", "routes": [
			{"route": "/v1/cart", "under_way": 2, "waiting": 3, "held": 5, "longest_wait_ms": 12.5, "failed": 1},
			{"route": "POST /v1/orders", "under_way": 1, "waiting": 4, "held": 4, "longest_wait_ms": 7, "failed": 0}]}`).Held(t.Context())
		require.NoError(t, err)
		require.Equal(t, gate.HeldRoute{Route: "/v1/cart", UnderWay: 2, Waiting: 3, Held: 5, Failed: 1, LongestWait: 12500 * time.Microsecond}, held.Routes[0])
		require.Equal(t, 3, held.UnderWay())
		require.Equal(t, 7, held.Waiting())
		require.Equal(t, time.Date(2026, 11, 29, 10, 0, 6, 0, time.UTC), held.Until)
	})
	t.Run("a problem is told with all that it lists", func(t *testing.T) {
		t.Parallel()
		err := answer(422, `{"detail": "It is bad.", "errors": [{"name": "routes", "detail": "one"}, {"name": "for", "detail": "two"}]}`).
			Replace(t.Context(), []byte("{}"))
		require.NotErrorIs(t, err, gate.ErrAway)
		require.ErrorContains(t, err, "It is bad.\n  routes: one\n  for: two")
	})
	t.Run("a gateway of an older build says that there is no such page", func(t *testing.T) {
		t.Parallel()
		require.ErrorContains(t, answer(404, "404 page not found\n").CloseIdle(t.Context(), "http://x"), "404 Not Found: 404 page not found")
	})
	t.Run("what is no JSON is no hold", func(t *testing.T) {
		t.Parallel()
		_, err := answer(200, "ok").LetGo(t.Context())
		require.ErrorContains(t, err, "read what the gateway says of its hold")
	})
}
