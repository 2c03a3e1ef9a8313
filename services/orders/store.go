package main

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"banyan/internal/idempotency"
	"banyan/internal/money"
	"banyan/internal/postgres"
)

// readCheckout reads the cart and the key in one round trip. In this order: a
// cart that was emptied by the first request with the key comes with its claim.
func (s *Service) readCheckout(ctx context.Context, key idempotency.Request) (*idempotency.Claim, Cart, error) {
	var b pgx.Batch
	var claim *idempotency.Claim
	var cart Cart
	queueReadCart(&b, key.Owner, &cart)
	idempotency.QueueFind(&b, key, func(c *idempotency.Claim) error { claim = c; return nil })
	if err := postgres.ExecWithin(ctx, s.pool, &b); err != nil {
		return nil, Cart{}, err
	}
	return claim, cart, nil
}

func queueReadCart(b *pgx.Batch, accountID uuid.UUID, into *Cart) {
	b.Queue(`
		select c.version, i.book_id, b.title, i.quantity, b.price
		from carts c
		join cart_items i on i.account_id = c.account_id
		join books b on b.id = i.book_id
		where c.account_id = $1
		order by i.book_id`, accountID).Query(func(rows pgx.Rows) error {
		var version int64
		items, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (i CartItem, err error) {
			return i, row.Scan(&version, &i.BookID, &i.Title, &i.Quantity, &i.UnitPrice)
		})
		*into = newCart(items, version)
		return err
	})
}

// queueTouchCart locks the cart's row and moves its version, before its lines change.
func queueTouchCart(b *pgx.Batch, accountID uuid.UUID) {
	b.Queue(`
		insert into carts (account_id) values ($1)
		on conflict (account_id) do update set version = carts.version + 1`, accountID)
}

// queuePutItem fails the batch, and cartFull reports it, if the book is one title
// too many: the line's quantity becomes null, which the column refuses. It counts
// under the lock of queueTouchCart, so parallel requests can't pass the limit. A
// line that is there may always change, in a cart of any size.
func queuePutItem(b *pgx.Batch, accountID, bookID uuid.UUID, quantity int) {
	b.Queue(`
		insert into cart_items (account_id, book_id, quantity)
		select $1, $2, case when count(*) < $4 or bool_or(book_id = $2) then $3::integer end
		from cart_items
		where account_id = $1
		on conflict (account_id, book_id) do update set quantity = excluded.quantity`,
		accountID, bookID, quantity, maxTitles)
}

func cartFull(err error) bool { return postgres.NotNullViolation(err, "cart_items", "quantity") }

func queueDropItem(b *pgx.Batch, accountID, bookID uuid.UUID) {
	b.Queue(`delete from cart_items where account_id = $1 and book_id = $2`, accountID, bookID)
}

// queueExpectCart fails the batch, and cartMoved reports it, if the cart is no
// longer the one that was read: its version becomes null, which the column refuses.
func queueExpectCart(b *pgx.Batch, accountID uuid.UUID, version int64) {
	b.Queue(`
		update carts
		set version = case version when $2 then version end
		where account_id = $1`, accountID, version)
}

func cartMoved(err error) bool { return postgres.NotNullViolation(err, "carts", "version") }

// queueTakeFromCart removes what the order bought. By quantity: something may
// have been added while the card was charged.
func queueTakeFromCart(b *pgx.Batch, accountID, orderID uuid.UUID) {
	queueTouchCart(b, accountID)
	b.Queue(`
		delete from cart_items c
		using order_items i
		where i.order_id = $2 and c.account_id = $1 and c.book_id = i.book_id and c.quantity <= i.quantity`,
		accountID, orderID)
	// What the first statement left has more copies than the order.
	b.Queue(`
		update cart_items c
		set quantity = c.quantity - i.quantity
		from order_items i
		where i.order_id = $2 and c.account_id = $1 and c.book_id = i.book_id`,
		accountID, orderID)
}

// queueInsertOrder also claims the order for its request, until sweepAfter is over.
func (s *Service) queueInsertOrder(b *pgx.Batch, o Order) {
	b.Queue(`
		insert into orders (id, account_id, status, total, shipping_address, placed_at, card_token, claimed_until)
		values ($1, $2, $3, $4, $5, $6, $7, now() + $8::interval)`,
		o.ID, o.AccountID, o.Status, o.Total, o.ShippingAddress.json(), o.PlacedAt, o.CardToken, s.sweepAfter)
	for n, i := range o.Items {
		b.Queue(`
			insert into order_items (order_id, position, book_id, title, quantity, unit_price)
			values ($1, $2, $3, $4, $5, $6)`,
			o.ID, n, i.BookID, i.Title, i.Quantity, i.UnitPrice)
	}
}

// queueTransition fails the batch, and moved reports it, unless the order is in
// the state it is to leave: its status becomes null, which the column refuses.
// So is an order that has gone again, which an update would just not find.
func (s *Service) queueTransition(b *pgx.Batch, id uuid.UUID, from, to, reason string) {
	b.Queue(`
		merge into orders o
		using (select $1::uuid as id) this on o.id = this.id
		when matched then update
			set status = case status when $2 then $3 end, cancel_reason = nullif($4, ''),
				card_token = null, cancel_requested_at = null
		when not matched then insert (id, account_id) values (this.id, this.id)`, id, from, to, reason)
}

// queueDeleteOrder takes a pending order back as if it had never been placed.
// It too fails the batch if somebody else was quicker.
func (s *Service) queueDeleteOrder(b *pgx.Batch, id uuid.UUID) {
	s.queueTransition(b, id, Pending, Pending, "")
	b.Queue(`delete from order_items where order_id = $1`, id)
	b.Queue(`delete from orders where id = $1`, id)
}

// queueCancelRequest also claims the order for its request. It fails the batch,
// and moved reports it, unless the order is paid.
func queueCancelRequest(b *pgx.Batch, id uuid.UUID, sweepAfter time.Duration) {
	b.Queue(`
		update orders
		set status = case status when 'paid' then status end,
			cancel_requested_at = coalesce(cancel_requested_at, now()), claimed_until = now() + $2::interval
		where id = $1`, id, sweepAfter)
}

func queueForgetCancelRequest(b *pgx.Batch, id uuid.UUID) {
	b.Queue(`update orders set cancel_requested_at = null where id = $1`, id)
}

// markShipped marks a paid order shipped and returns what it is then.
func markShipped(ctx context.Context, q postgres.Querier, id uuid.UUID) (status string, err error) {
	err = q.QueryRow(ctx, `
		update orders
		set status = case status when 'paid' then 'shipped' else status end, cancel_requested_at = null
		where id = $1
		returning status`, id).Scan(&status)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", ErrNotFound
	}
	return status, err
}

// seenBooks are what catalog told of several books, a book as often as it was told of.
type seenBooks struct {
	ids      []uuid.UUID
	titles   []string
	prices   []money.Money
	versions []int
}

// queueCopyBooks keeps title and price of the books unless what is known is newer. It
// locks the rows in order of the books, as every other transaction does. A statement may
// change a row only once, so it takes the newest of each book.
func queueCopyBooks(b *pgx.Batch, seen seenBooks) {
	b.Queue(`
		insert into books (id, title, price, version)
		select distinct on (id) id, title, price, version
		from unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[]) as told (id, title, price, version)
		order by id, version desc
		on conflict (id) do update set title = excluded.title, price = excluded.price, version = excluded.version
		where books.version < excluded.version`, seen.ids, seen.titles, seen.prices, seen.versions)
}

func moved(err error) bool { return postgres.NotNullViolation(err, "orders", "status") }

const orderColumns = `o.id, o.account_id, o.status, o.total, o.shipping_address, o.placed_at, o.cancel_reason,
	coalesce(o.card_token, ''), i.book_id, i.title, i.quantity, i.unit_price`

func selectOrder(ctx context.Context, q postgres.Querier, id uuid.UUID) (Order, error) {
	orders, err := collectOrders(q.Query(ctx, `
		select `+orderColumns+`
		from orders o
		join order_items i on i.order_id = o.id
		where o.id = $1
		order by i.position`, id))
	if err != nil {
		return Order{}, err
	}
	if len(orders) == 0 {
		return Order{}, ErrNotFound
	}
	return orders[0], nil
}

// position is where a page of orders ended.
type position struct {
	PlacedAt time.Time `json:"t"`
	ID       uuid.UUID `json:"i"`
}

// fromTheStart precedes every order in a list that begins with the newest.
var fromTheStart = position{time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), uuid.Max}

func (o Order) position() position { return position{o.PlacedAt, o.ID} }

// selectOrders reads a page of orders with all their lines in one query.
func selectOrders(ctx context.Context, q postgres.Querier, accountID uuid.UUID, most int, after position) ([]Order, error) {
	return collectOrders(q.Query(ctx, `
		select `+orderColumns+`
		from (
			select *
			from orders
			where account_id = $1 and (placed_at, id) < ($2, $3)
			order by placed_at desc, id desc
			limit $4
		) o
		join order_items i on i.order_id = o.id
		order by o.placed_at desc, o.id desc, i.position`, accountID, after.PlacedAt, after.ID, most))
}

// claimUnsettled takes orders that nobody is working on, for as long as working
// on all of them may take. Two instances never take the same.
func claimUnsettled(ctx context.Context, q postgres.Querier, each time.Duration, most int) ([]Order, error) {
	return collectOrders(q.Query(ctx, `
		with next as materialized ( -- once; a subquery might be run again for each row
			select id
			from orders
			where (status = 'pending' or cancel_requested_at is not null) and claimed_until < now()
			order by claimed_until
			limit $2
			for update skip locked
		), claimed as (
			update orders o
			set claimed_until = now() + $1::interval
			from next
			where o.id = next.id
			returning o.*
		)
		select `+orderColumns+`
		from claimed o
		join order_items i on i.order_id = o.id
		order by o.placed_at, o.id, i.position`, each*time.Duration(most)/sweepAtOnce, most))
}

// collectOrders folds the rows, one per line, into orders.
func collectOrders(rows pgx.Rows, err error) ([]Order, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	orders := []Order{}
	for rows.Next() {
		var o Order
		var i Item
		err := rows.Scan(&o.ID, &o.AccountID, &o.Status, &o.Total, &o.ShippingAddress, &o.PlacedAt, &o.CancelReason,
			&o.CardToken, &i.BookID, &i.Title, &i.Quantity, &i.UnitPrice)
		if err != nil {
			return nil, err
		}
		if n := len(orders); n == 0 || orders[n-1].ID != o.ID {
			orders = append(orders, o)
		}
		last := &orders[len(orders)-1]
		last.Items = append(last.Items, i)
	}
	return orders, rows.Err()
}

func (a Address) json() []byte {
	b, err := json.Marshal(a)
	if err != nil {
		panic(err) // five strings
	}
	return b
}
