package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func TestCharging(t *testing.T) {
	t.Parallel()
	s := newShop(t)

	t.Run("answers what the processor has decided", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		for card, status := range map[string]string{"tok_visa": Captured, "tok_declined": Declined} {
			res := s.charge("orders", s.newOrder(card))
			require.Equal(t, 200, res.Code, res.Body)
			require.JSONEq(t, fmt.Sprintf(`{"status":%q}`, status), res.Body.String())
		}
	})
	t.Run("by twenty at once for one order charges once, and tells it once", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		o := s.newOrder("tok_visa")
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if captured, err := s.Pay(t.Context(), o.id, o.accountID, o.cents, o.cardToken); err != nil || !captured {
					t.Error(captured, err)
				}
			})
		}
		wg.Wait()
		require.Equal(t, 1, s.count(`select count(*) from payments where order_id = $1`, o.id))
		require.Equal(t, 1, s.told(o))
	})
	t.Run("again only returns what is settled, also after a refund", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		good, bad := s.newOrder("tok_visa"), s.newOrder("tok_declined")
		require.True(t, s.pays(good))
		require.False(t, s.pays(bad))
		bad.cardToken = "tok_visa"
		require.False(t, s.pays(bad), "the card of the first time counts")
		s.cancels(good)
		require.NoError(t, s.refundDue(t.Context()))
		require.True(t, s.pays(good))
		require.Equal(t, Refunded, s.status(good))
		require.Equal(t, 2, s.bank.heardOf(good.id), "one charge, one refund")
	})
	t.Run("again with another amount is refused", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		o := s.newOrder("tok_visa")
		s.pays(o)
		o.cents++
		res := s.charge("orders", o)
		require.Equal(t, 422, res.Code)
		require.Contains(t, res.Body.String(), "amount-differs")
	})
	t.Run("of an order that is cancelled already is declined, without a word to the processor", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		o := s.newOrder("tok_visa")
		s.cancels(o)
		s.cancels(o)
		require.False(t, s.pays(o))
		require.Empty(t, s.status(o), "the customer is shown nothing")
		require.NoError(t, s.refundDue(t.Context()))
		require.Zero(t, s.bank.heardOf(o.id))
		require.Zero(t, s.told(o))
	})
	t.Run("is for orders alone", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		for _, caller := range []string{"gateway", "stranger", uuid.NewString(), ""} {
			o := s.newOrder("tok_visa")
			require.Equal(t, 403, s.charge(caller, o).Code, caller)
			require.Zero(t, s.bank.heardOf(o.id))
		}
	})
	id := uuid.NewString()
	for body, status := range map[string]int{
		`{"account_id":"` + id + `","amount":{"amount":1,"currency":"USD"},"card_token":"t"}`:                         422,
		`{"order_id":"` + id + `","amount":{"amount":1,"currency":"USD"},"card_token":"t"}`:                           422,
		`{"order_id":"` + id + `","account_id":"` + id + `","amount":{"amount":0,"currency":"USD"},"card_token":"t"}`: 422,
		`{"order_id":"` + id + `","account_id":"` + id + `","amount":{"amount":1,"currency":"EUR"},"card_token":"t"}`: 422,
		`{"order_id":"` + id + `","account_id":"` + id + `","amount":{"amount":1,"currency":"USD"}}`:                  422,
		`{"amount":1}`: 400,
	} {
		t.Run("with "+body+" is refused", func(t *testing.T) {
			t.Parallel()
			s := s.in(t)
			require.Equal(t, status, s.call("orders", body).Code)
		})
	}
}

func TestChargingWithoutAnAnswer(t *testing.T) {
	t.Parallel()

	t.Run("is unknown in time for orders to hear it, and done when it asks again", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		o := s.newOrder("tok_visa")
		s.bank.answers(func(int, string) int { return 500 })
		began := time.Now()
		res := s.charge("orders", o)
		require.Equal(t, 503, res.Code)
		require.NotEmpty(t, res.Header().Get("Retry-After"))
		require.LessOrEqual(t, answerWithin, 2300*time.Millisecond, "orders hangs up after 2.5 s")
		require.Less(t, time.Since(began), 2*answerWithin, "and a busy machine may take its time")
		require.Equal(t, Pending, s.status(o))

		s.bank.answers(func(int, string) int { return 200 })
		require.True(t, s.pays(o))
		require.Equal(t, Captured, s.status(o))
		require.Equal(t, 1, s.told(o))
	})
	t.Run("goes on after orders has given up, and is written down", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		o := s.newOrder("tok_visa")
		heard, decide := make(chan struct{}), make(chan struct{})
		s.bank.answers(func(int, string) int {
			close(heard)
			<-decide
			return 200
		})
		ctx, giveUp := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := s.Pay(ctx, o.id, o.accountID, o.cents, o.cardToken)
			ended <- err
		}()
		<-heard
		giveUp()
		close(decide)
		require.NoError(t, <-ended)
		require.Equal(t, Captured, s.status(o))
		require.Equal(t, 1, s.told(o))
	})
	t.Run("is given back if the order was cancelled meanwhile", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		o := s.newOrder("tok_visa")
		s.bank.answers(func(int, string) int {
			s.cancels(o)
			return 200
		})
		require.True(t, s.pays(o))
		s.bank.answers(func(int, string) int { return http.StatusOK })
		require.NoError(t, s.refundDue(t.Context()))
		require.Equal(t, Refunded, s.status(o))
	})
}

// told is how often others heard that the order is paid for.
func (s shop) told(o order) int {
	s.t.Helper()
	return s.count(`select count(*) from outbox where type = $1 and data->>'order_id' = $2`, paymentCaptured, o.id.String())
}

func TestChargingWithoutAConnection(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	o := s.newOrder("tok_visa")
	for range s.pool.Config().MaxConns {
		conn, err := s.pool.Acquire(t.Context())
		require.NoError(t, err)
		defer conn.Release()
	}
	began := time.Now()
	require.Equal(t, 503, s.charge("orders", o).Code)
	require.Less(t, time.Since(began), 3*time.Second)
	ctx, giveUp := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer giveUp()
	_, err := s.Pay(ctx, o.id, o.accountID, o.cents, o.cardToken)
	require.Error(t, err)
	require.Zero(t, s.bank.heardOf(o.id), "nothing was charged for a caller that has gone")
}
