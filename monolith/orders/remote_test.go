package orders

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"banyan/internal/fault"
	"banyan/internal/token"
	"banyan/internal/web"
)

// neighbour is a server that answers its n-th request, from 1, as it is told.
type neighbour struct {
	url   string
	calls atomic.Int32
}

func newNeighbour(t *testing.T, answer func(n int, w http.ResponseWriter, r *http.Request)) *neighbour {
	var n neighbour
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer(int(n.calls.Add(1)), w, r)
	}))
	t.Cleanup(server.Close)
	n.url = server.URL
	return &n
}

var (
	_, key, _ = ed25519.GenerateKey(nil)
	caller    = token.NewCaller("orders", key)
)

func says(body string) func(int, http.ResponseWriter, *http.Request) {
	return func(_ int, w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
}

func fails(f *fault.Error) func(int, http.ResponseWriter, *http.Request) {
	return func(_ int, w http.ResponseWriter, _ *http.Request) { web.WriteProblem(w, f) }
}

func TestRemote(t *testing.T) {
	t.Parallel()
	order, account, one, two := uuid.New(), uuid.New(), uuid.New(), uuid.New()
	reserve := func(ctx context.Context, url string) error {
		return RemoteInventory(url, caller).Reserve(ctx, order, []uuid.UUID{one, two}, []int{1, 2})
	}
	charge := func(ctx context.Context, url string) (bool, error) {
		return RemotePayments(url, caller).Charge(ctx, order, account, 2598, "tok_visa")
	}
	cancel := func(ctx context.Context, url string) error {
		return RemoteShipping(url, caller).Cancel(ctx, order, account)
	}

	t.Run("calls say what, and who calls", func(t *testing.T) {
		t.Parallel()
		us := map[string][]ed25519.PublicKey{"orders": {key.Public().(ed25519.PublicKey)}}
		for service, test := range map[string]struct {
			call func(url string) error
			path string
			body string
		}{
			"inventory": {func(url string) error { return reserve(t.Context(), url) }, "/internal/v1/reservations",
				`{"order_id":"` + order.String() + `","items":[{"book_id":"` + one.String() + `","quantity":1},{"book_id":"` + two.String() + `","quantity":2}]}`},
			"payments": {func(url string) error { _, err := charge(t.Context(), url); return err }, "/internal/v1/charges",
				`{"order_id":"` + order.String() + `","account_id":"` + account.String() + `","amount":{"amount":2598,"currency":"USD"},"card_token":"tok_visa"}`},
			"shipping": {func(url string) error { return cancel(t.Context(), url) }, "/internal/v1/shipments/" + order.String() + "/cancel",
				`{"account_id":"` + account.String() + `"}`},
		} {
			var path, body string
			var admitted error
			n := newNeighbour(t, func(_ int, w http.ResponseWriter, r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				path, body = r.Method+" "+r.URL.Path, string(b)
				admitted = token.NewAdmission(service, us).Require("orders")(r)
				_, _ = io.WriteString(w, `{"status":"captured"}`)
			})
			require.NoError(t, test.call(n.url), service)
			require.NoError(t, admitted, service)
			require.Equal(t, "POST "+test.path, path)
			require.JSONEq(t, test.body, body)
		}
	})

	t.Run("sold out is ErrSoldOut, and names the books with their titles", func(t *testing.T) {
		t.Parallel()
		n := newNeighbour(t, fails(fault.New(fault.Conflict, "sold-out", "Theirs.").With("books", []map[string]any{
			{"book_id": one, "available": 0, "requested": 1}, {"book_id": two, "available": 1, "requested": 2},
		})))
		err := reserve(t.Context(), n.url)
		require.ErrorIs(t, err, ErrSoldOut)
		o := Order{Items: []Item{{BookID: one, Title: "Emma"}, {BookID: two, Title: "Ivanhoe"}}}
		require.Equal(t, []short{{one, "Emma", 0, 1}, {two, "Ivanhoe", 1, 2}}, soldOut(o, err).Members["books"])
		require.EqualValues(t, 1, n.calls.Load())
	})

	t.Run("a charge is captured or declined", func(t *testing.T) {
		t.Parallel()
		for status, want := range map[string]bool{"captured": true, "declined": false} {
			captured, err := charge(t.Context(), newNeighbour(t, says(`{"status":"`+status+`"}`)).url)
			require.NoError(t, err)
			require.Equal(t, want, captured, status)
		}
	})

	t.Run("a charge with an answer that nobody understands is unknown, not declined", func(t *testing.T) {
		t.Parallel()
		for _, body := range []string{``, `{}`, `{"status":"pending"}`, `{"status":`, `[]`} {
			ctx, done := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer done()
			_, err := charge(ctx, newNeighbour(t, says(body)).url)
			require.Error(t, err, body)
		}
	})

	t.Run("a parcel that has left is ErrShipped", func(t *testing.T) {
		t.Parallel()
		n := newNeighbour(t, fails(fault.New(fault.Conflict, "order-shipped", "Theirs.")))
		require.ErrorIs(t, cancel(t.Context(), n.url), ErrShipped)
	})

	t.Run("what may be otherwise the next time is asked again", func(t *testing.T) {
		t.Parallel()
		for _, trouble := range []fault.Kind{
			fault.Unavailable, fault.Internal, fault.Throttled, fault.Unauthenticated, fault.Forbidden, fault.NotFound, fault.MethodNotAllowed,
		} {
			n := newNeighbour(t, func(n int, w http.ResponseWriter, _ *http.Request) {
				if n < 3 {
					web.WriteProblem(w, fault.New(trouble, "", ""))
					return
				}
				_, _ = io.WriteString(w, `{"status":"captured"}`)
			})
			captured, err := charge(t.Context(), n.url)
			require.NoError(t, err, trouble)
			require.True(t, captured)
			require.EqualValues(t, 3, n.calls.Load())
		}
	})

	t.Run("what was decided is not asked again", func(t *testing.T) {
		t.Parallel()
		for _, decided := range []fault.Kind{fault.Conflict, fault.Invalid, fault.Malformed, fault.TooLarge} {
			n := newNeighbour(t, fails(fault.New(decided, "", "")))
			require.Equal(t, decided, fault.KindOf(reserve(t.Context(), n.url)))
			require.EqualValues(t, 1, n.calls.Load())
		}
	})

	t.Run("a neighbour that is away is asked until time is up", func(t *testing.T) {
		t.Parallel()
		n := newNeighbour(t, fails(fault.New(fault.Unavailable, "", "")))
		ctx, done := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer done()
		began := time.Now()
		err := reserve(ctx, n.url)
		require.Equal(t, fault.Unavailable, fault.KindOf(err))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Less(t, time.Since(began), 2*time.Second)
		require.Greater(t, n.calls.Load(), int32(2))
	})

	t.Run("a neighbour that hangs is not waited for", func(t *testing.T) {
		t.Parallel()
		n := newNeighbour(t, func(_ int, _ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			select {
			case <-r.Context().Done():
			case <-time.After(5 * time.Second):
			}
		})
		began := time.Now()
		require.Equal(t, fault.Unavailable, fault.KindOf(cancel(t.Context(), n.url)))
		require.Less(t, time.Since(began), 4*time.Second)
		require.EqualValues(t, 1, n.calls.Load(), "the customer can ask again")
	})

	t.Run("a sold-out answer without books names none", func(t *testing.T) {
		t.Parallel()
		require.Nil(t, shortage(ErrSoldOut))
		require.Nil(t, shortage(ErrSoldOut.With("books", json.RawMessage(`"?"`))))
	})
}
