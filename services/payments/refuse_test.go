package main

import (
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestRefusing(t *testing.T) {
	t.Parallel()

	for _, status := range []int{400, 409, 413, 422} {
		t.Run("a first attempt with "+http.StatusText(status)+" charges nothing, and is heard again", func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			o := s.newOrder("tok_visa")
			s.bank.answers(func(int, string) int { return status })
			for range 2 {
				res := s.charge("orders", o)
				require.Equal(t, 409, res.Code)
				require.Contains(t, res.Body.String(), "urn:banyan:problem:refused")
			}
			require.Equal(t, Declined, s.status(o))
			require.Equal(t, 1, s.bank.heardOf(o.id))
			require.Zero(t, s.count(`select count(*) from payments where card_token is not null or refund_requested_at is not null`))
			s.cancels(o)
			require.NoError(t, s.refundDue(t.Context()))
			require.Equal(t, 1, s.bank.heardOf(o.id), "there is nothing to give back")
		})
	}
	t.Run("after an attempt of unknown outcome gives back what that one charged", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		o := s.newOrder("tok_visa")
		s.bank.answers(chargesThenRefuses)
		require.Equal(t, 409, s.charge("orders", o).Code)
		require.Equal(t, Pending, s.status(o))
		s.bank.answers(func(int, string) int { return 200 })
		require.NoError(t, s.refundDue(t.Context()))
		require.Equal(t, 2, s.bank.heardOf(o.id), "a charge may still be on its way")
		require.Equal(t, 409, s.charge("orders", o).Code)
		require.Equal(t, 2, s.bank.heardOf(o.id), "and no other is sent after it")
		s.lapse()
		require.NoError(t, s.refundDue(t.Context()))
		require.Equal(t, Refunded, s.status(o))
		charged, given := s.bank.ledger(o.id)
		require.Equal(t, charged, given)
		require.Equal(t, 409, s.charge("orders", o).Code, "what was refused stays refused")
	})
	t.Run("after an attempt that charged nothing ends with the refund that finds nothing", func(t *testing.T) {
		t.Parallel()
		for _, code := range []string{"never-charged", "charge-declined"} {
			s := newShop(t)
			o := s.newOrder("tok_visa")
			s.bank.answers(chargesThenRefuses)
			require.Equal(t, 409, s.charge("orders", o).Code)
			s.bank.answers(func(int, string) int { return 200 })
			s.bank.forget(o.id)
			s.bank.finds(code)
			s.lapse()
			require.NoError(t, s.refundDue(t.Context()))
			require.Equal(t, Declined, s.status(o))
			require.Equal(t, 409, s.charge("orders", o).Code)
		}
	})
	t.Run("of a request that takes over may follow an attempt of the one before", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		o := s.newOrder("tok_visa")
		_, _, err := s.open(t.Context(), o.id, o.accountID, o.cents, o.cardToken)
		require.NoError(t, err)
		captured, err := s.processor.charge(t.Context(), o.id, o.cents, o.cardToken) // and the process is gone
		require.NoError(t, err)
		require.True(t, captured)
		s.bank.answers(func(int, string) int { return 422 })
		require.Equal(t, 409, s.charge("orders", o).Code)
		s.bank.answers(func(int, string) int { return 200 })
		s.lapse()
		require.NoError(t, s.refundDue(t.Context()))
		require.Equal(t, Refunded, s.status(o))
	})
	t.Run("one of two requests at once gives back what the other captures", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		o := s.newOrder("tok_visa")
		other := make(chan int, 1)
		s.bank.answers(func(call int, _ string) int {
			if call == 0 { // the first waits until the second is refused
				other <- s.charge("orders", o).Code
				return 200
			}
			return 422
		})
		require.Equal(t, 409, s.charge("orders", o).Code)
		require.Equal(t, 409, <-other)
		s.bank.answers(func(int, string) int { return 200 })
		s.lapse()
		require.NoError(t, s.refundDue(t.Context()))
		charged, given := s.bank.ledger(o.id)
		require.Equal(t, 1, charged)
		require.Equal(t, 1, given)
	})
	t.Run("an order that is cancelled after a crash gives back what was charged before it", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		o := s.newOrder("tok_visa")
		_, _, err := s.open(t.Context(), o.id, o.accountID, o.cents, o.cardToken)
		require.NoError(t, err)
		_, err = s.processor.charge(t.Context(), o.id, o.cents, o.cardToken) // and the process is gone
		require.NoError(t, err)
		s.cancels(o) // another neighbour refused the order
		s.lapse()
		require.NoError(t, s.refundDue(t.Context()))
		require.Equal(t, Refunded, s.status(o))
	})
}

// chargesThenRefuses loses the answer to the first charge and refuses the second.
func chargesThenRefuses(call int, _ string) int {
	if call == 0 {
		return http.StatusInternalServerError
	}
	return http.StatusUnprocessableEntity
}

// lapse makes every refund due.
func (s shop) lapse() {
	s.t.Helper()
	_, err := s.pool.Exec(s.t.Context(), `update payments set refund_after = now() - interval '1 second'`)
	require.NoError(s.t, err)
}

// TestMoney lets requests, crashes, cancellations and refunds meet a processor
// that charges, refuses and loses answers as it likes. Once everything is at
// rest, the money is where the order was told that it is.
func TestMoney(t *testing.T) {
	s := newShop(t)
	rapid.Check(t, func(rt *rapid.T) {
		o := s.newOrder("tok_visa")
		var draw sync.Mutex
		nested := 0
		said := "" // what orders heard first; after that it asks for nothing else
		ask := func() {
			captured, err := s.Pay(t.Context(), o.id, o.accountID, o.cents, o.cardToken)
			if said != "" {
				return
			}
			switch {
			case err == nil && captured:
				said = Captured
			case err == nil:
				said = Declined
			case definite(err):
				said = "refused"
			}
		}
		shaky := true
		s.bank.answers(func(call int, token string) int {
			draw.Lock()
			if !shaky || call > 6 {
				draw.Unlock()
				return 200
			}
			status := rapid.SampledFrom([]int{200, 200, 422, 400, 500}).Draw(rt, "answer")
			again := nested < 2 && rapid.IntRange(0, 4).Draw(rt, "meanwhile") == 0
			nested++
			draw.Unlock()
			if again {
				ask()
			}
			return status
		})
		for range rapid.IntRange(1, 4).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"ask", "ask", "crash", "refund", "hear"}).Draw(rt, "step") {
			case "ask":
				ask()
			case "crash": // between the processor's answer and its row
				if said == "" {
					p, card, err := s.open(t.Context(), o.id, o.accountID, o.cents, o.cardToken)
					require.NoError(rt, err)
					if p.Status == Pending && !p.Refunding {
						_, _ = s.processor.charge(t.Context(), o.id, o.cents, card)
					}
				}
			case "refund":
				_ = s.refundDue(t.Context())
			case "hear":
				if said == Declined || said == "refused" {
					s.cancels(o)
				}
			}
		}
		shaky = false
		for said == "" {
			ask()
		}
		if said != Captured {
			s.cancels(o)
		}
		s.lapse()
		require.NoError(rt, s.refundDue(t.Context()))
		charged, given := s.bank.ledger(o.id)
		if said == Captured {
			require.Equal(rt, Captured, s.status(o))
			require.Equal(rt, []int{1, 0}, []int{charged, given})
			return
		}
		require.Equal(rt, charged, given, "orders heard %s, and the payment is %s", said, s.status(o))
		require.Contains(rt, []string{Declined, Refunded}, s.status(o))
	})
}
