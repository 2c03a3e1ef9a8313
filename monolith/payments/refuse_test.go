package payments

import (
	"errors"
	"net/http"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"banyan/internal/postgres"
)

func TestRefusing(t *testing.T) {
	t.Parallel()

	for _, status := range []int{400, 409, 413, 422} {
		t.Run("a first attempt with "+http.StatusText(status)+" charges nothing", func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			o := s.newOrder("tok_visa")
			s.bank.answers(func(int, string) int { return status })
			require.ErrorIs(t, s.charges(o), ErrRefused)
			require.Equal(t, Declined, s.status(o))
			require.Equal(t, 1, s.bank.heardOf(o.id))
			require.Zero(t, s.count(`select count(*) from payments where card_token is not null or refund_requested_at is not null`))
			s.lapse()
			require.NoError(t, s.refundDue(t.Context()))
			require.Equal(t, 1, s.bank.heardOf(o.id), "there is nothing to give back")
		})
	}
	t.Run("after an attempt of unknown outcome gives back what that one charged", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		o := s.newOrder("tok_visa")
		s.bank.answers(chargesThenRefuses)
		require.ErrorIs(t, s.charges(o), ErrRefused)
		require.Equal(t, Pending, s.status(o))
		s.bank.answers(func(int, string) int { return 200 })
		require.NoError(t, s.refundDue(t.Context()))
		require.Equal(t, 2, s.bank.heardOf(o.id), "a charge may still be on its way")
		_, err := s.Recharge(t.Context(), o.id)
		require.ErrorIs(t, err, ErrRefused)
		require.Equal(t, 2, s.bank.heardOf(o.id), "and no other is sent after it")
		s.lapse()
		require.NoError(t, s.refundDue(t.Context()))
		require.Equal(t, Refunded, s.status(o))
		charged, given := s.bank.ledger(o.id)
		require.Equal(t, charged, given)
	})
	t.Run("after an attempt that charged nothing ends with the refund that finds nothing", func(t *testing.T) {
		t.Parallel()
		for _, code := range []string{"never-charged", "charge-declined"} {
			s := newShop(t)
			o := s.newOrder("tok_visa")
			s.bank.answers(chargesThenRefuses)
			require.ErrorIs(t, s.charges(o), ErrRefused)
			s.bank.answers(func(int, string) int { return 200 })
			s.bank.forget(o.id)
			s.bank.finds(code)
			s.lapse()
			require.NoError(t, s.refundDue(t.Context()))
			require.Equal(t, Declined, s.status(o))
		}
	})
	t.Run("of the sweeper may follow an attempt of the request before", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		o := s.newOrder("tok_visa")
		s.opens(o)
		captured, err := s.processor.charge(t.Context(), o.id, o.cents, o.cardToken) // and the process is gone
		require.NoError(t, err)
		require.True(t, captured)
		s.bank.answers(func(int, string) int { return 422 })
		_, err = s.Recharge(t.Context(), o.id)
		require.ErrorIs(t, err, ErrRefused)
		s.settles(o, false, err)
		s.bank.answers(func(int, string) int { return 200 })
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
	s.exec(`update payments set refund_after = now() - interval '1 second'`)
}

func (s shop) opens(o order) {
	s.t.Helper()
	var b pgx.Batch
	s.QueueOpen(&b, o.id, o.accountID, o.cents, o.cardToken)
	require.NoError(s.t, postgres.Exec(s.t.Context(), s.pool, &b))
}

// charges does what a checkout does with the payment, and settles it also if the
// processor refuses.
func (s shop) charges(o order) error {
	s.t.Helper()
	s.opens(o)
	captured, err := s.Charge(s.t.Context(), o.id, o.cents, o.cardToken)
	s.settles(o, captured, err)
	return err
}

// settles does what orders does in its second transaction, if it has any.
func (s shop) settles(o order, captured bool, err error) {
	s.t.Helper()
	var b pgx.Batch
	switch {
	case err == nil:
		s.QueueSettle(&b, o.id, captured)
	case errors.Is(err, ErrRefused):
		s.QueueRefuse(&b, o.id)
	default:
		return
	}
	require.NoError(s.t, postgres.Exec(s.t.Context(), s.pool, &b))
}

// doubts does what orders does if a far stock refuses the sweeper.
func (s shop) doubts(o order) {
	s.t.Helper()
	var b pgx.Batch
	s.QueueDoubt(&b, o.id)
	require.NoError(s.t, postgres.Exec(s.t.Context(), s.pool, &b))
}

// TestMoney lets the request, the sweeper, crashes and refunds meet a processor
// that charges, refuses and loses answers as it likes. Once everything is at
// rest, the money is where the order was told that it is.
func TestMoney(t *testing.T) {
	s := newShop(t)
	rapid.Check(t, func(rt *rapid.T) {
		o := s.newOrder("tok_visa")
		var draw sync.Mutex
		nested := 0
		said := "" // the order's way out of pending: the second to write changes nothing
		settle := func(captured bool, err error) {
			if said != "" || err != nil && !errors.Is(err, ErrRefused) {
				return
			}
			s.settles(o, captured, err)
			said = map[bool]string{true: Captured, false: Declined}[captured]
			if err != nil {
				said = "refused"
			}
		}
		sweep := func() {
			if said == "" {
				settle(s.Recharge(t.Context(), o.id))
			}
		}
		// A far stock refuses what the sweeper asks for again, before the card is charged again.
		refuse := func() {
			if said == "" {
				s.doubts(o)
				settle(false, ErrRefused)
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
				sweep()
			}
			return status
		})
		s.opens(o)
		captured, err := s.Charge(t.Context(), o.id, o.cents, o.cardToken)
		if !rapid.Bool().Draw(rt, "crash") {
			settle(captured, err)
		}
		for range rapid.IntRange(0, 3).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"sweep", "crash", "refund", "stock refuses"}).Draw(rt, "step") {
			case "sweep":
				sweep()
			case "stock refuses":
				refuse()
			case "crash": // between the processor's answer and the second transaction
				if said == "" {
					_, _ = s.Recharge(t.Context(), o.id)
				}
			case "refund":
				_ = s.refundDue(t.Context())
			}
		}
		shaky = false
		for said == "" {
			sweep()
		}
		s.lapse()
		require.NoError(rt, s.refundDue(t.Context()))
		charged, given := s.bank.ledger(o.id)
		if said == Captured {
			require.Equal(rt, Captured, s.status(o))
			require.Equal(rt, []int{1, 0}, []int{charged, given})
			return
		}
		require.Equal(rt, charged, given, "the order was %s, and the payment is %s", said, s.status(o))
		require.Contains(rt, []string{Declined, Refunded}, s.status(o))
	})
}
