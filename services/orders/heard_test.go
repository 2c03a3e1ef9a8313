package main

import (
	"encoding/json"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// told is one event of the outbox.
type told struct {
	ID   uuid.UUID
	Type string
	Data []byte
}

// outbox is everything that was ever told, in order.
func (n *neighbours) outbox() []told {
	n.t.Helper()
	rows, err := n.pool.Query(n.t.Context(), `select id, type, data from outbox order by position`)
	require.NoError(n.t, err)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[told])
	require.NoError(n.t, err)
	return all
}

// listen tells the neighbours what they have not heard yet.
func (n *neighbours) listen() {
	n.t.Helper()
	for _, e := range n.outbox() {
		n.hear(e)
	}
}

// hear tells the neighbours of one event; a second time changes nothing.
func (n *neighbours) hear(e told) {
	n.t.Helper()
	var data struct {
		OrderID      uuid.UUID `json:"order_id"`
		Reason       string    `json:"reason"`
		CustomerTold bool      `json:"customer_told"`
	}
	require.NoError(n.t, json.Unmarshal(e.Data, &data))
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.heard[e.ID] {
		return
	}
	n.heard[e.ID] = true
	switch e.Type {
	case orderPaid:
		n.shelf.paid(data.OrderID)
		n.depot.paid(data.OrderID)
		n.post.send(data.OrderID, "order_paid")
	case orderCancelled:
		n.shelf.cancelled(data.OrderID)
		n.cashier.cancelled(data.OrderID)
		if data.Reason == Customer {
			_ = n.depot.cancel(data.OrderID)
		}
		if !data.CustomerTold {
			n.post.send(data.OrderID, "order_cancelled")
		}
	}
}

// What became of an order's neighbours' parts, once they have heard everything.

func (n *neighbours) copies(b book) int {
	n.listen()
	n.shelf.mu.Lock()
	defer n.shelf.mu.Unlock()
	return n.shelf.copies[b.id]
}

func (n *neighbours) payment(orderID uuid.UUID) string {
	n.listen()
	n.cashier.mu.Lock()
	defer n.cashier.mu.Unlock()
	if c := n.cashier.charges[orderID]; c != nil {
		return c.status
	}
	return ""
}

func (n *neighbours) parcel(orderID uuid.UUID) string {
	n.listen()
	n.depot.mu.Lock()
	defer n.depot.mu.Unlock()
	return n.depot.parcels[orderID]
}

func (n *neighbours) mails(orderID uuid.UUID) []string {
	n.listen()
	n.post.mu.Lock()
	defer n.post.mu.Unlock()
	return n.post.mails[orderID]
}
