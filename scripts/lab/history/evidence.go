package history

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"banyan/internal/postgres"
	"banyan/scripts/lab/shop"
	"banyan/scripts/lab/up"
)

// Evidence reads what a shop has left behind, past the shop: in its database, in the broker, and in the world
// outside.
type Evidence struct {
	shop Shop
	pool *pgxpool.Pool
	nats string // the broker's URL; empty where there is none
}

// Gather connects to the databases of a shop as the superuser.
func Gather(ctx context.Context, side Shop, databaseURL, natsURL string) (*Evidence, error) {
	config, err := postgres.ParsePoolConfig(databaseURL)
	if err != nil {
		return nil, fmt.Errorf("read the database's URL: %w", err)
	}
	config.MaxConns = 2
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("reach the database of the %s: %w", side.Side, err)
	}
	if side.Side != up.Services {
		natsURL = ""
	}
	return &Evidence{side, pool, natsURL}, nil
}

// Close lets go of the connections.
func (e *Evidence) Close() { e.pool.Close() }

// Facts are what a run has left behind, its own and nothing of the seed's, except for the shelves.
type Facts struct {
	Orders    []Order
	Keys      []Key
	Payments  []payment
	Shipments []shipment
	Shelves   []shelf
	Ledger    []Entry
	Mails     []Mail
	Left      []string // what has not come to rest
}

// Order is an order, as the database has it.
type Order struct {
	ID       string
	Customer string
	Status   string
	Reason   string // of the cancellation
	Total    int64  // US cents
	Lines    int64  // what the lines come to, US cents
	Copies   map[string]int
	PlacedAt time.Time
	// SettledAt is when it was paid or cancelled, as far as something tells.
	SettledAt *time.Time
}

// Key is an idempotency key of a checkout.
type Key struct {
	Customer string
	Key      string
	About    string // an order's id
	Status   int    // of the stored answer; 0: none
}

type payment struct {
	OrderID string
	Status  string
	Amount  int64 // US cents
}

type shipment struct {
	OrderID string
	Status  string
}

// shelf counts the copies of one book from the first day on, those of the seed too.
type shelf struct {
	Book      string
	Delivered int64
	OnHand    int64
	Reserved  int64
	Sold      int64 // in orders that are not cancelled
}

// In these statements a schema is the area's. The monolith has all areas in one.
const (
	selectOrders = `
		with settled as (@settled)
		select o.id::text, a.email as customer, o.status, coalesce(o.cancel_reason, '') as reason, o.total, o.placed_at,
			sum(i.quantity * i.unit_price)::bigint as lines, jsonb_object_agg(i.book_id, i.quantity) as copies,
			min(s.at) as settled_at
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

	selectPayments = `
		select order_id::text, status, amount
		from payments.payments
		where created_at >= $1`

	selectShipments = `
		select order_id::text, status
		from shipping.shipments
		where created_at >= $1`

	selectShelves = `
		with sold as (
			select i.book_id, sum(i.quantity) as copies
			from orders.order_items i
			join orders.orders o on o.id = i.order_id
			where o.status <> 'cancelled'
			group by i.book_id
		), delivered as (
			select book_id, sum(quantity) as copies
			from inventory.deliveries
			group by book_id
		)
		select s.book_id::text as book, s.on_hand, s.reserved,
			coalesce(d.copies, 0)::bigint as delivered, coalesce(sold.copies, 0)::bigint as sold
		from (@stock) s
		left join delivered d using (book_id)
		left join sold using (book_id)`
)

// What is kept in another shape on each side.
var shapes = map[string]map[string]string{
	up.Monolith: {
		"@stock": `select id as book_id, stock as on_hand, 0 as reserved from catalog.books`,
		// An order that the sweeper cancels is told of by mail.
		"@settled": `
			select order_id, min(at) as at
			from (
				select order_id, created_at as at from shipping.shipments
				union all
				select order_id, created_at from notifications.notifications where kind = 'order_cancelled'
			) told
			group by order_id`,
	},
	up.Services: {
		"@stock": `select book_id, on_hand, reserved from inventory.stock`,
		"@settled": `
			select (data->>'order_id')::uuid as order_id, min(created_at) as at
			from orders.outbox
			where type in ('order.paid', 'order.cancelled')
			group by 1`,
	},
}

// Areas are the services' schemas.
var Areas = []string{"accounts", "catalog", "inventory", "orders", "payments", "shipping", "notifications"}

// sql is a statement as the side's database understands it.
func (e *Evidence) sql(statement string) string {
	for name, text := range shapes[e.shop.Side] {
		statement = strings.ReplaceAll(statement, name, text)
	}
	if e.shop.Side == up.Monolith {
		for _, area := range Areas {
			statement = strings.ReplaceAll(statement, area+".", up.Monolith+".")
		}
	}
	return statement
}

// inArea is a statement about one area's own tables.
func inArea(statement, area string) string { return strings.ReplaceAll(statement, "@area", area) }

// Facts reads what there is since a moment.
func (e *Evidence) Facts(ctx context.Context, since time.Time, people []*shop.Person) (f *Facts, err error) {
	f = &Facts{}
	if f.Orders, err = rows[Order](ctx, e, selectOrders, since); err != nil {
		return nil, err
	}
	if f.Keys, err = rows[Key](ctx, e, selectKeys, since); err != nil {
		return nil, err
	}
	if f.Payments, err = rows[payment](ctx, e, selectPayments, since); err != nil {
		return nil, err
	}
	if f.Shipments, err = rows[shipment](ctx, e, selectShipments, since); err != nil {
		return nil, err
	}
	if f.Shelves, err = rows[shelf](ctx, e, selectShelves); err != nil {
		return nil, err
	}
	if f.Ledger, err = e.shop.Ledger(ctx, since); err != nil {
		return nil, err
	}
	for _, p := range people {
		arrived, err := e.shop.mailTo(ctx, p.Email)
		if err != nil {
			return nil, err
		}
		f.Mails = append(f.Mails, arrived...)
	}
	return f, nil
}

func rows[T any](ctx context.Context, e *Evidence, statement string, args ...any) ([]T, error) {
	found, err := e.pool.Query(ctx, e.sql(statement), args...)
	if err != nil {
		return nil, fmt.Errorf("read the database of the %s: %w", e.shop.Side, err)
	}
	all, err := pgx.CollectRows(found, pgx.RowToStructByName[T])
	if err != nil {
		return nil, fmt.Errorf("read the database of the %s: %w", e.shop.Side, err)
	}
	return all, nil
}

// DeadLetter is an event that an area has put aside.
type DeadLetter struct {
	EventID  string
	Consumer string
}

// DeadLetters are those of an area that nobody has replayed.
func (e *Evidence) DeadLetters(ctx context.Context, area string) ([]DeadLetter, error) {
	return rows[DeadLetter](ctx, e, inArea(`select event_id::text, consumer from @area.dead_letters where replayed_at is null`, area))
}
