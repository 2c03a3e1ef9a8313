package orders

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
		paid, cents := w.balancePayment(o)
		require.Equal(w.t, sold, paid == "captured", "order %s is %s, its payment %s", o.ID, o.Status, paid)
		if sold {
			require.Equal(w.t, o.Total, money.USD(cents))
			require.Equal(w.t, "committed", w.shelf.reserved[o.ID].status)
			want := map[string]string{Paid: "preparing", Shipped: "dispatched"}
			require.Equal(w.t, want[o.Status], w.balanceParcel(o.ID))
			require.Equal(w.t, []string{"order_paid"}, w.post.mails[o.ID])
			continue
		}
		require.Contains(w.t, []string{"released", "refused"}, w.shelf.reserved[o.ID].status)
		require.Contains(w.t, []string{"", "cancelled"}, w.balanceParcel(o.ID))
	}
	w.balanceStock()
	w.balanceEvents(orders)
	w.balanceAnswers(orders)
	for id, made := range w.cashier.charges {
		_, there := orders[id]
		require.True(w.t, there || made.status != "captured", "order %s has gone, its money has not come back", id)
	}
	for id, status := range w.neighbours.cashier.charges {
		_, there := orders[id]
		require.True(w.t, there || status != "captured", "order %s has gone, its money has not come back", id)
	}
	require.Zero(w.t, w.count(`select count(*) from orders where card_token is not null or cancel_requested_at is not null`))
}

// balancePayment is what became of the order's money, which payments and, where they are
// near, the card processor have to agree on.
func (w *world) balancePayment(o Order) (status string, cents int64) {
	if w.step >= paymentsAreFar {
		if paid := w.cashier.charges[o.ID]; paid != nil {
			return paid.status, paid.cents
		}
		return "", 0
	}
	made := w.neighbours.cashier.charges[o.ID]
	if o.Status == Cancelled && *o.CancelReason == SoldOut {
		require.Zero(w.t, w.count(`select count(*) from payments where order_id = $1`, o.ID), "nobody was asked for money")
		require.Empty(w.t, made)
		return "", 0
	}
	require.NoError(w.t, w.pool.QueryRow(context.Background(), `
		select status, amount
		from payments
		where order_id = $1 and card_token is null`, o.ID).Scan(&status, &cents))
	require.Equal(w.t, status == "captured", made == "captured", "order %s is %s: its payment is %s here, and %s at the processor", o.ID, o.Status, status, made)
	return status, cents
}

func (w *world) balanceParcel(orderID uuid.UUID) (status string) {
	if w.step >= shippingIsFar {
		return w.depot.parcels[orderID]
	}
	require.NoError(w.t, w.pool.QueryRow(context.Background(),
		`select coalesce((select status from shipments where order_id = $1), '')`, orderID).Scan(&status))
	return status
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
