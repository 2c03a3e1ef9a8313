package workload

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/workload/fakeshop"
)

func TestKeepsakes(t *testing.T) {
	t.Parallel()

	t.Run("work as often as wanted in a shop that keeps its word", func(t *testing.T) {
		t.Parallel()
		at := fakeshop.New(t, seeded(), nil)
		k, err := Collect(t.Context(), at.URL)
		require.NoError(t, err)
		k.endedAt = time.Now().Add(-time.Minute)
		for range 3 {
			require.NoError(t, k.Use(t.Context()))
		}
		used := strings.Join(at.Asked(), "\n")
		for _, list := range []string{"books?subject=", "orders?", "payments?", "shipments?", "notifications?"} {
			require.Regexp(t, `GET /v1/`+strings.ReplaceAll(list, "?", `\?`)+`\S*&cursor=`, used)
		}
	})

	t.Run("of another collection do not get in the way", func(t *testing.T) {
		t.Parallel()
		at := fakeshop.New(t, seeded(), nil)
		one, err := Collect(t.Context(), at.URL)
		require.NoError(t, err)
		two, err := Collect(t.Context(), at.URL)
		require.NoError(t, err)
		require.NoError(t, one.Use(t.Context()))
		require.NoError(t, two.Use(t.Context()))
	})

	for name, c := range map[string]struct {
		loss fakeshop.Loss
		says []string
	}{
		"sessions": {fakeshop.Sessions, []string{"the session that was begun before does not work any more: GET /v1/accounts/me was not answered with 200"}},
		"answers": {fakeshop.Answers, []string{
			"the idempotency key of the delivery that was made before does not repeat its answer",
			"the idempotency key of the order that was made before does not repeat its answer",
		}},
		"carts": {fakeshop.Carts, []string{"the cart that was filled before is not as it was: it held 3 copies of book"}},
		"orders": {fakeshop.Orders, []string{
			"the cursor of /v1/orders that was got before does not go on", "the cursor of /v1/payments that", "the cursor of /v1/shipments that",
		}},
		"mails":    {fakeshop.Mails, []string{"the cursor of /v1/notifications that was got before does not go on"}},
		"versions": {fakeshop.Versions, []string{"the ETag of a book that was got before does not hold"}},
	} {
		t.Run("name what a shop has lost: "+name, func(t *testing.T) {
			t.Parallel()
			at := fakeshop.New(t, seeded(), nil)
			k, err := Collect(t.Context(), at.URL)
			require.NoError(t, err)
			at.Lose(c.loss)
			err = k.Use(t.Context())
			for _, says := range c.says {
				require.ErrorContains(t, err, says)
			}
			if c.loss != fakeshop.Sessions && c.loss != fakeshop.Answers { // without these, much else can't be right
				require.Len(t, strings.Split(err.Error(), "\n"), len(c.says), err)
			}
		})
	}

	for name, c := range map[string]struct {
		spoil http.HandlerFunc
		says  string
	}{
		"a session that has come back": {
			fakeshop.Only("GET /v1/accounts/me", fakeshop.Body(`{}`)), "the session that had ended before works again",
		},
		"a key for any body": {
			fakeshop.Only("POST /v1/orders", fakeshop.Body(`{}`)), "the idempotency key of the order that was made before is not held to its body",
		},
		"a list with an entry twice": {
			fakeshop.Only("GET /v1/orders", fakeshop.Body(`{"items":[{"id":"1"},{"id":"2"}]}`)), "it leads to [1 2]",
		},
		"a list without an end": {
			fakeshop.Only("GET /v1/payments", fakeshop.Body(`{"items":[{"id":"1"}],"next_cursor":"1"}`)), "it leads to [1 1]",
		},
		"a change by an outdated ETag": {
			fakeshop.Only("PATCH ", fakeshop.Body(`{}`)), "was not answered with 412 book-changed",
		},
		"a shop that is away": {
			fakeshop.Only("GET /v1/cart", func(w http.ResponseWriter, _ *http.Request) { fakeshop.Refuse(w, 503, "unavailable") }),
			"the cart that was filled before is not as it was: GET /v1/cart was not answered with 200: answered 503",
		},
	} {
		t.Run("name what is wrong: "+name, func(t *testing.T) {
			t.Parallel()
			var bad atomic.Bool
			at := fakeshop.New(t, seeded(), func(w http.ResponseWriter, r *http.Request) {
				if bad.Load() {
					c.spoil(w, r)
				}
			})
			k, err := Collect(t.Context(), at.URL)
			require.NoError(t, err)
			bad.Store(true)
			k.endedAt = time.Now().Add(-time.Minute)
			require.ErrorContains(t, k.Use(t.Context()), c.says)
		})
	}

	t.Run("can't be got where nobody can buy", func(t *testing.T) {
		t.Parallel()
		at := fakeshop.New(t, seeded(), fakeshop.Only("POST /v1/orders", func(w http.ResponseWriter, _ *http.Request) {
			fakeshop.Refuse(w, 409, "sold-out")
		}))
		_, err := Collect(t.Context(), at.URL)
		require.ErrorContains(t, err, "buy a book: answered 409")
	})
}

func TestNewISBN(t *testing.T) {
	t.Parallel()
	for range 1000 {
		isbn, sum := newISBN(), 0
		require.Regexp(t, `^978\d{10}$`, isbn)
		for i, digit := range isbn {
			sum += int(digit-'0') * (1 + 2*(i%2))
		}
		require.Zero(t, sum%10, isbn)
	}
}
