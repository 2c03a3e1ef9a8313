package main

import (
	"io"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"banyan/internal/idempotency"
)

func TestKeys(t *testing.T) {
	t.Parallel()

	for name, test := range map[string]struct {
		card   string
		copies int
		status int
	}{
		"a paid order":   {"tok_visa", 5, 201},
		"a declined one": {"tok_declined", 5, 402},
		"sold out":       {"tok_visa", 1, 409},
		"a refused one":  {"tok_refused", 5, 409},
	} {
		t.Run("repeat the answer of "+name+" byte for byte", func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			ada, b, key := s.customer(), s.book("Emma", 1000, test.copies), newKey()
			ada.puts(2, b)
			first := ada.pays(test.card, key).is(test.status)
			orders, copies := ada.orders(), s.copies(b)
			first.same(ada.pays(test.card, key))
			ada.puts(1, b) // with another cart
			first.same(ada.pays(test.card, key))
			require.Equal(t, orders, ada.orders())
			require.Equal(t, copies, s.copies(b))
		})
	}

	t.Run("hold one body", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b, key := s.customer(), s.book("Emma", 1000, 5), newKey()
		ada.puts(1, b)
		ada.pays("tok_visa", key).is(201)
		ada.pays("tok_declined", key).refused(422, "key-reused")
		require.Len(t, ada.orders(), 1)
	})

	t.Run("are one's own", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, ben, b, key := s.customer(), s.customer(), s.book("Emma", 1000, 5), newKey()
		ada.puts(1, b)
		ben.puts(1, b)
		require.NotEqual(t, ada.pays("tok_visa", key).is(201).order().ID, ben.pays("tok_visa", key).is(201).order().ID)
	})

	t.Run("are in use while the first request is", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b, key := s.customer(), s.book("Emma", 1000, 5), newKey()
		ada.puts(1, b)
		s.cashier.goes(meanwhile(func() {
			r := ada.pays("tok_visa", key)
			r.refused(409, "key-in-use")
			require.Equal(t, "1", r.header.Get("Retry-After"))
		}))
		ada.pays("tok_visa", key).is(201).same(ada.pays("tok_visa", key))
	})

	t.Run("stand, after a crash and the lease, for what the order is by then", func(t *testing.T) {
		t.Parallel()
		for name, test := range map[string]struct {
			card   string
			swept  bool
			status int
		}{
			"nobody has finished it":    {"tok_visa", false, 202},
			"the sweeper has, paid":     {"tok_visa", true, 201},
			"the sweeper has, declined": {"tok_declined", true, 402},
		} {
			s := newShop(t)
			ada, b, key := s.customer(), s.book("Emma", 1000, 5), newKey()
			ada.puts(1, b)
			s.cashier.goes(crashes)
			ada.pays(test.card, key).is(500)
			s.cashier.goes(nil)
			ada.pays(test.card, key).refused(409, "key-in-use")
			if test.swept {
				s.sweeps()
			}
			s.leasesEnd()
			first := ada.pays(test.card, key)
			require.Equal(t, test.status, first.status, name)
			s.sweeps()
			first.same(ada.pays(test.card, key))
			require.Len(t, ada.orders(), 1, name)
			require.NotEqual(t, Pending, ada.orders()[0].Status, name)
		}
	})

	t.Run("stand for the first answer, also when the first request comes back from a long sleep", func(t *testing.T) {
		t.Parallel()
		for _, card := range []string{"tok_visa", "tok_declined"} {
			s := newShop(t)
			ada, b, key := s.customer(), s.book("Emma", 1000, 5), newKey()
			ada.puts(1, b)
			var told reply
			s.cashier.goes(meanwhile(func() {
				s.leasesEnd()
				told = ada.pays(card, key).is(202)
			}))
			told.same(ada.pays(card, key))
			told.same(ada.pays(card, key))
			s.sweeps()
			id := told.order().ID
			if card == "tok_visa" {
				ada.became(id, Paid, "")
			} else {
				ada.became(id, Cancelled, Declined)
				require.Equal(t, []string{"order_cancelled"}, s.mails(id), "a 202 told nothing of a declined card")
			}
			told.same(ada.pays(card, key))
		}
	})

	t.Run("are free again after a day", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b, key := s.customer(), s.book("Emma", 1000, 5), newKey()
		ada.puts(1, b)
		first := ada.pays("tok_visa", key).is(201)
		s.exec(`update idempotency_keys set claimed_at = claimed_at - interval '25 hours'`)
		ada.puts(1, b)
		first.same(ada.pays("tok_visa", key)) // until somebody tidies up
		require.NoError(t, idempotency.Purge(t.Context(), s.pool))
		require.NotEqual(t, first.order().ID, ada.pays("tok_visa", key).is(201).order().ID)
	})

	// From here on, stock is another process's.

	t.Run("are answered also when their order goes, sold out, between two looks", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b, key := s.customer(), s.book("Emma", 1000, 1), newKey()
		ada.puts(2, b)
		r := ada.pays("tok_visa", key)
		r.refused(409, "sold-out")
		req := ada.checkout("tok_visa", key)
		body, err := io.ReadAll(req.Body)
		require.NoError(t, err)
		request, err := idempotency.FromRequest(req, ada.id, body)
		require.NoError(t, err)
		seen := idempotency.Claim{About: uuid.New(), Expired: true} // at the first look
		answer, err := s.repeat(t.Context(), request, seen)
		require.NoError(t, err)
		require.Equal(t, r.body, string(answer.Body))
	})
}
