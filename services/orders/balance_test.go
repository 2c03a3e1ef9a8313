package main

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"banyan/internal/idempotency"
	"banyan/internal/money"
)

// balance is what has to hold once everything is at rest.
func (w *world) balance() {
	orders := map[uuid.UUID]Order{}
	for _, o := range w.orders() {
		orders[o.ID] = o
		sold := o.Status == Paid || o.Status == Shipped
		require.True(w.t, sold || o.Status == Cancelled, "order %s is %s", o.ID, o.Status)
		require.Empty(w.t, o.CardToken)

		paid := w.cashier.charges[o.ID]
		require.Equal(w.t, sold, paid != nil && paid.status == "captured", "order %s is %s, its payment %v", o.ID, o.Status, paid)
		if sold {
			require.Equal(w.t, o.Total, money.USD(paid.cents))
			require.Equal(w.t, "committed", w.shelf.reserved[o.ID].status)
			want := map[string]string{Paid: "preparing", Shipped: "dispatched"}
			require.Equal(w.t, want[o.Status], w.depot.parcels[o.ID])
			require.Equal(w.t, []string{"order_paid"}, w.post.mails[o.ID])
			continue
		}
		require.Contains(w.t, []string{"released", "refused"}, w.shelf.reserved[o.ID].status)
		require.True(w.t, paid == nil || paid.status != "captured", "money is kept of order %s, which is %s", o.ID, *o.CancelReason)
		require.Contains(w.t, []string{"", "cancelled"}, w.depot.parcels[o.ID])
	}
	w.balanceStock()
	w.balanceEvents(orders)
	w.balanceAnswers(orders)
	for id, made := range w.cashier.charges {
		_, there := orders[id]
		require.True(w.t, there || made.status != "captured", "order %s has gone, its money has not come back", id)
	}
}

// balanceStock: what there was is there, or sold.
func (w *world) balanceStock() {
	left := map[uuid.UUID]int{}
	for id, n := range w.shelf.copies {
		left[id] = n
		require.GreaterOrEqual(w.t, n, 0)
	}
	for _, r := range w.shelf.reserved {
		if r.status == "reserved" {
			require.Fail(w.t, "a reservation is left that nobody will ever settle")
		}
		if r.status == "committed" {
			for n, id := range r.books {
				left[id] += r.quantities[n]
			}
		}
	}
	require.Equal(w.t, w.stock, left)
}

// balanceEvents: each transition was told once, and nothing else.
func (w *world) balanceEvents(orders map[uuid.UUID]Order) {
	happened := map[uuid.UUID]string{}
	for _, e := range w.outbox() {
		var data shipmentData
		require.NoError(w.t, json.Unmarshal(e.Data, &data))
		require.Contains(w.t, orders, data.OrderID, "%s of an order that is not there", e.Type)
		happened[data.OrderID] += e.Type + " "
	}
	for id, o := range orders {
		want := orderPaid
		if o.Status == Cancelled {
			want = orderCancelled
			if *o.CancelReason == Customer {
				want = orderPaid + " " + orderCancelled
			}
		}
		require.Equal(w.t, want, strings.TrimSpace(happened[id]))
	}
}

// balanceAnswers: a key made one order at most, and what its customer was told
// of it is true, or was put right by mail.
func (w *world) balanceAnswers(orders map[uuid.UUID]Order) {
	made := map[uuid.UUID]string{}
	for _, p := range w.keys {
		claim, err := idempotency.Find(context.Background(), w.pool, p.Key)
		require.NoError(w.t, err)
		if claim == nil {
			require.NotContains(w.t, w.answers, p.Key.Key, "an answer was not kept")
			continue
		}
		if seen, ok := w.answers[p.Key.Key]; ok {
			require.Equal(w.t, seen, *claim.Answer, "another answer was kept")
		}
		o, there := orders[claim.About]
		if claim.Answer != nil && claim.Answer.Status == 409 && !there {
			continue // sold out: the order went when its answer came
		}
		if claim.Answer != nil && claim.Answer.Status == 409 {
			require.Contains(w.t, []string{Refused, SoldOut}, *o.CancelReason)
		}
		require.True(w.t, there, "the order of key %s is gone", p.Key.Key)
		require.Empty(w.t, made[o.ID])
		made[o.ID] = p.Key.Key
		require.Equal(w.t, p.AccountID, o.AccountID)
		if o.Status == Cancelled && claim.Answer != nil && claim.Answer.Status == 202 {
			require.Contains(w.t, w.post.mails[o.ID], "order_cancelled", "nobody told the customer")
		}
	}
	require.Len(w.t, orders, len(made), "an order that no key stands for")
}
