package contract_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDeliveries(t *testing.T) {
	t.Parallel()

	t.Run("add copies, which the shop window shows a little later", func(t *testing.T) {
		t.Parallel()
		s := staff(t)
		b := s.adds(newBook())
		require.Equal(t, stock{b.ID, 10}, s.delivers(b, 10))
		require.Equal(t, stock{b.ID, 15}, s.delivers(b, 5))
		require.Equal(t, 15, copiesOf(t, b))

		eventually(t, "the book shows its copies", func() bool {
			return into[book](anybody(t).get("/v1/books/"+b.ID).is(http.StatusOK)).Available == 15
		})
		eventually(t, "the list shows them too", func() bool {
			found := items[book](anybody(t), "/v1/books?subject="+b.Subject)
			return len(found) == 1 && found[0].Available == 15
		})
		require.Equal(t, 1, into[book](anybody(t).get("/v1/books/"+b.ID).is(http.StatusOK)).Version, "copies are no edit")
	})

	t.Run("of up to a million copies are taken", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, 1_000_000, copiesOf(t, bookWith(t, 1_000_000)))
	})

	t.Run("at once are all counted", func(t *testing.T) {
		t.Parallel()
		b := bookWith(t, 1)
		s := staff(t)
		for _, r := range atOnce(t, 10, func(int) (reply, error) {
			return s.try(http.MethodPost, "/v1/stock/"+b.ID+"/deliveries", object{"quantity": 2}, freshKey())
		}) {
			r.is(http.StatusOK)
		}
		require.Equal(t, 21, copiesOf(t, b))
	})

	b := bookWith(t, 1)
	path := "/v1/stock/" + b.ID + "/deliveries"

	refusals := map[string]struct {
		quantity any
		status   int
		code     string
	}{
		"no copies":                {0, 422, "invalid"},
		"fewer than none":          {-1, 422, "invalid"},
		"more than a million":      {1_000_001, 422, "invalid"},
		"null":                     {nil, 422, "invalid"},
		"half a copy":              {1.5, 400, "malformed"},
		"copies in words":          {"2", 400, "malformed"},
		"more than a number holds": {1e30, 400, "malformed"},
	}
	for name, c := range refusals {
		t.Run("of "+name+" are refused, and leave the key free", func(t *testing.T) {
			t.Parallel()
			mine := bookWith(t, 1)
			k := freshKey()
			path := "/v1/stock/" + mine.ID + "/deliveries"
			staff(t).post(path, object{"quantity": c.quantity}, k).blames(c.status, c.code, "quantity")
			require.Equal(t, 1, copiesOf(t, mine))
			staff(t).post(path, object{"quantity": 2}, k).is(http.StatusOK)
			require.Equal(t, 3, copiesOf(t, mine))
		})
	}

	t.Run("need a key", func(t *testing.T) {
		t.Parallel()
		staff(t).post(path, object{"quantity": 1}).refused(http.StatusBadRequest, "key-missing")
	})

	for name, value := range map[string]string{
		"256 characters":           strings.Repeat("k", 256),
		"letters outside of ASCII": "clé",
	} {
		t.Run("cannot read a key of "+name, func(t *testing.T) {
			t.Parallel()
			staff(t).post(path, object{"quantity": 1}, key(value)).blames(http.StatusBadRequest, "malformed", "Idempotency-Key")
		})
	}
}

func TestDeliveryKeys(t *testing.T) {
	t.Parallel()
	deliver := func(v visitor, b book, body any, k header) reply {
		return v.post("/v1/stock/"+b.ID+"/deliveries", body, k)
	}

	t.Run("of 255 characters, spaces among them, are fine", func(t *testing.T) {
		t.Parallel()
		k := key(word() + " ~ " + strings.Repeat("k", 255-14-3))
		deliver(staff(t), bookWith(t, 1), object{"quantity": 1}, k).is(http.StatusOK)
	})

	t.Run("make a repetition harmless: the first answer comes again, byte for byte", func(t *testing.T) {
		t.Parallel()
		b, k := bookWith(t, 1), freshKey()
		first := deliver(staff(t), b, object{"quantity": 7}, k).is(http.StatusOK)
		require.Equal(t, 8, into[stock](first).Available)
		staff(t).delivers(b, 100)
		first.same(deliver(staff(t), b, object{"quantity": 7}, k))
		require.Equal(t, 108, copiesOf(t, b))
	})

	t.Run("hold one body, to the byte", func(t *testing.T) {
		t.Parallel()
		b, k := bookWith(t, 1), freshKey()
		deliver(staff(t), b, raw(`{"quantity":7}`), k).is(http.StatusOK)
		deliver(staff(t), b, raw(`{"quantity":8}`), k).refused(http.StatusUnprocessableEntity, "key-reused")
		deliver(staff(t), b, raw(`{"quantity": 7}`), k).refused(http.StatusUnprocessableEntity, "key-reused")
		require.Equal(t, 8, copiesOf(t, b))
	})

	t.Run("are another's at another address", func(t *testing.T) {
		t.Parallel()
		one, two, k := bookWith(t, 1), bookWith(t, 1), freshKey()
		deliver(staff(t), one, object{"quantity": 7}, k).is(http.StatusOK)
		require.Equal(t, two.ID, into[stock](deliver(staff(t), two, object{"quantity": 7}, k).is(http.StatusOK)).BookID)
		require.Equal(t, 8, copiesOf(t, two))
	})

	t.Run("count a delivery once, however many send it at once", func(t *testing.T) {
		t.Parallel()
		b, k := bookWith(t, 1), freshKey()
		s := staff(t)
		for _, r := range atOnce(t, 20, func(int) (reply, error) {
			return s.try(http.MethodPost, "/v1/stock/"+b.ID+"/deliveries", object{"quantity": 7}, k)
		}) {
			if r.status != http.StatusOK {
				r.refused(http.StatusConflict, "key-in-use")
				require.NotEmpty(t, r.header.Get("Retry-After"))
			}
		}
		require.Equal(t, 8, copiesOf(t, b))
	})
}
