package orders

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
func (n *farNeighbours) outbox() []told {
	n.t.Helper()
	rows, err := n.pool.Query(n.t.Context(), `select id, type, data from outbox order by position`)
	require.NoError(n.t, err)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[told])
	require.NoError(n.t, err)
	return all
}

// listen tells the neighbours what they have not heard yet.
func (n *farNeighbours) listen() {
	n.t.Helper()
	for _, e := range n.outbox() {
		n.hear(e)
	}
}

// hear tells the neighbours of one event; a second time changes nothing. What is near
// does not listen: its part was done in the order's transaction.
func (n *farNeighbours) hear(e told) {
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
		if n.step >= shippingIsFar {
			n.depot.paid(data.OrderID)
		}
		n.post.send(data.OrderID, "order_paid")
	case orderCancelled:
		n.shelf.cancelled(data.OrderID)
		if n.step >= paymentsAreFar {
			n.cashier.cancelled(data.OrderID)
		}
		if n.step >= shippingIsFar && data.Reason == Customer {
			_ = n.depot.cancel(data.OrderID)
		}
		if !data.CustomerTold {
			n.post.send(data.OrderID, "order_cancelled")
		}
	}
}

// What became of an order's neighbours' parts, once they have heard everything.

func (n *farNeighbours) copies(b book) int {
	n.listen()
	n.shelf.mu.Lock()
	defer n.shelf.mu.Unlock()
	return n.shelf.copies[b.id]
}

func (n *farNeighbours) payment(orderID uuid.UUID) string {
	if n.step < paymentsAreFar {
		return n.neighbours.payment(orderID)
	}
	n.listen()
	n.cashier.mu.Lock()
	defer n.cashier.mu.Unlock()
	if c := n.cashier.charges[orderID]; c != nil {
		return c.status
	}
	return ""
}

func (n *farNeighbours) parcel(orderID uuid.UUID) string {
	if n.step < shippingIsFar {
		return n.neighbours.parcel(orderID)
	}
	n.listen()
	n.depot.mu.Lock()
	defer n.depot.mu.Unlock()
	return n.depot.parcels[orderID]
}

func (n *farNeighbours) mails(orderID uuid.UUID) []string {
	n.listen()
	n.post.mu.Lock()
	defer n.post.mu.Unlock()
	return n.post.mails[orderID]
}
