package invariants

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// Facts are what a run has left behind, for judges of what its customers were told.
type Facts struct {
	Orders []Order
	Keys   []Key
	Ledger []Entry
	Mails  []Mail
}

// Order is an order as the shop has it.
type Order struct {
	ID       string
	Customer string // their email
	Status   string
	Reason   string // of the cancellation
	Total    int64  // US cents
	Copies   map[string]int
	PlacedAt time.Time
	// SettledAt is when it was paid or cancelled, as far as something tells.
	SettledAt *time.Time
}

// Sold says that the order is paid for, and was not cancelled since.
func (o Order) Sold() bool { return o.Status == "paid" || o.Status == "shipped" }

// Key is the key of a checkout.
type Key struct {
	Customer string // their email
	Key      string
	About    string // an order's id
	Status   int    // of the stored answer; 0: none
}

const (
	selectOrders = `
		with settled as (@settled)
		select o.id::text, a.email as customer, o.status, coalesce(o.cancel_reason, '') as reason, o.total, o.placed_at,
			jsonb_object_agg(i.book_id, i.quantity) as copies, min(s.at) as settled_at
		from orders.orders o
		join orders.order_items i on i.order_id = o.id
		join accounts.accounts a on a.id = o.account_id
		left join settled s on s.order_id = o.id
		where o.placed_at >= $1
		group by o.id, a.email
		order by o.id`

	selectKeys = `
		select a.email as customer, k.key, k.about::text, coalesce(k.status, 0) as status
		from orders.idempotency_keys k
		join accounts.accounts a on a.id = k.account_id
		where k.path = '/v1/orders' and k.claimed_at >= $1`
)

// settled tells when orders were paid or cancelled. Before there are events, an order that the sweeper cancels is told of
// by mail.
func (w Where) settled() string {
	if w.step() >= withEvents {
		return `
			select (data->>'order_id')::uuid as order_id, min(created_at) as at
			from orders.outbox
			where type in ('order.paid', 'order.cancelled')
			group by 1`
	}
	return `
		select order_id, min(at) as at
		from (
			select order_id, created_at as at from shipping.shipments
			union all
			select order_id, created_at from notifications.notifications where kind = 'order_cancelled'
		) told
		group by order_id`
}

// Facts reads what there is since the moment from which on all mail was kept.
func (s *Shop) Facts(ctx context.Context) (*Facts, error) {
	outside, err := s.witness(ctx)
	if err != nil {
		return nil, err
	}
	f := &Facts{
		Ledger: slices.DeleteFunc(outside.ledger, func(e Entry) bool { return e.At.Before(s.where.Since) }),
		Mails:  outside.mails,
	}
	if f.Orders, err = rows[Order](ctx, s, selectOrders); err != nil {
		return nil, err
	}
	f.Keys, err = rows[Key](ctx, s, selectKeys)
	return f, err
}

func rows[T any](ctx context.Context, s *Shop, statement string) ([]T, error) {
	found, err := s.pool.Query(ctx, s.where.inSchemas(statement), s.where.Since)
	if err != nil {
		return nil, fmt.Errorf("read the database of the %s: %w", s.where.Side, err)
	}
	all, err := pgx.CollectRows(found, pgx.RowToStructByName[T])
	if err != nil {
		return nil, fmt.Errorf("read the database of the %s: %w", s.where.Side, err)
	}
	return all, nil
}
