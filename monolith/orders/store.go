package orders

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
	s.queueReadCart(&b, key.Owner, &cart)
	idempotency.QueueFind(&b, key, func(c *idempotency.Claim) error { claim = c; return nil })
	if err := postgres.ExecWithin(ctx, s.pool, &b); err != nil {
		return nil, Cart{}, err
	}
	return claim, cart, nil
}

// queueReadCart reads how many copies there are as well, while stock is near.
func (s *Service) queueReadCart(b *pgx.Batch, accountID uuid.UUID, into *Cart) {
	stock := "b.stock"
	if s.far.Stock != nil {
		stock = "0"
	}
	b.Queue(`
		select c.version, i.book_id, b.title, i.quantity, b.price, `+stock+`
		from carts c
		join cart_items i on i.account_id = c.account_id
		join books b on b.id = i.book_id
		where c.account_id = $1
		order by i.book_id`, accountID).Query(func(rows pgx.Rows) error {
		var version int64
		items, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (i CartItem, err error) {
			return i, row.Scan(&version, &i.BookID, &i.Title, &i.Quantity, &i.UnitPrice, &i.Stock)
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

// queueInsertOrder keeps the card token with the order once no payment keeps it here.
func (s *Service) queueInsertOrder(b *pgx.Batch, o Order) {
	if s.far.Payments == nil {
		b.Queue(`
			insert into orders (id, account_id, status, total, shipping_address, placed_at)
			values ($1, $2, $3, $4, $5, $6)`,
			o.ID, o.AccountID, o.Status, o.Total, o.ShippingAddress.json(), o.PlacedAt)
	} else {
		b.Queue(`
			insert into orders (id, account_id, status, total, shipping_address, placed_at, card_token)
			values ($1, $2, $3, $4, $5, $6, $7)`,
			o.ID, o.AccountID, o.Status, o.Total, o.ShippingAddress.json(), o.PlacedAt, o.CardToken)
	}
	for n, i := range o.Items {
		b.Queue(`
			insert into order_items (order_id, position, book_id, title, quantity, unit_price)
			values ($1, $2, $3, $4, $5, $6)`,
			o.ID, n, i.BookID, i.Title, i.Quantity, i.UnitPrice)
	}
}

// queueTransition fails the batch, and moved reports it, unless the order is in
// the state it is to leave: its status becomes null, which the column refuses.
// While stock is near, an order that was placed stays.
func (s *Service) queueTransition(b *pgx.Batch, id uuid.UUID, from, to, reason string) {
	if s.far.Stock == nil {
		queueUpdateStatus(b, id, from, to, reason)
		return
	}
	// An order that was sold out is deleted, which an update would just not find.
	b.Queue(`
		merge into orders o
		using (select $1::uuid as id) this on o.id = this.id
		when matched then update
			set status = case status when $2 then $3 end, cancel_reason = nullif($4, ''),
				card_token = null, cancel_requested_at = null
		when not matched then insert (id, account_id) values (this.id, this.id)`, id, from, to, reason)
}

func queueUpdateStatus(b *pgx.Batch, id uuid.UUID, from, to, reason string) {
	b.Queue(`
		update orders
		set status = case status when $2 then $3 end, cancel_reason = nullif($4, '')
		where id = $1`, id, from, to, reason)
}

// queueDeleteOrder takes a pending order back as if it had never been placed.
// It too fails the batch if somebody else was quicker.
func (s *Service) queueDeleteOrder(b *pgx.Batch, id uuid.UUID) {
	s.queueTransition(b, id, Pending, Pending, "") // first, as each outcome does: no deadlock
	if s.near.Recovery != nil {
		s.near.Recovery.QueueForget(b, id)
	}
	b.Queue(`delete from order_items where order_id = $1`, id)
	b.Queue(`delete from orders where id = $1`, id)
}

// queueCancelRequest fails the batch, and moved reports it, unless the order is paid.
func queueCancelRequest(b *pgx.Batch, id uuid.UUID) {
	b.Queue(`
		update orders
		set status = case status when 'paid' then status end,
			cancel_requested_at = coalesce(cancel_requested_at, now())
		where id = $1`, id)
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
	i.book_id, i.title, i.quantity, i.unit_price`

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

func selectPending(ctx context.Context, q postgres.Querier, before time.Time, most int) ([]Order, error) {
	return collectOrders(q.Query(ctx, `
		select `+orderColumns+`
		from (
			select *
			from orders
			where status = 'pending' and placed_at < $1
			order by placed_at
			limit $2
		) o
		join order_items i on i.order_id = o.id
		order by o.placed_at, o.id, i.position`, before, most))
}

// selectCancelRequests are the paid orders whose customers wished to cancel them
// before then, and have heard nothing.
func selectCancelRequests(ctx context.Context, q postgres.Querier, before time.Time, most int) ([]Order, error) {
	return collectOrders(q.Query(ctx, `
		select `+orderColumns+`
		from (
			select *
			from orders
			where cancel_requested_at < $1
			order by cancel_requested_at
			limit $2
		) o
		join order_items i on i.order_id = o.id
		order by o.placed_at, o.id, i.position`, before, most))
}

// selectCardToken is what far payments need to charge a pending order again.
func selectCardToken(ctx context.Context, q postgres.Querier, id uuid.UUID) (cardToken string, err error) {
	err = q.QueryRow(ctx, `select coalesce(card_token, '') from orders where id = $1`, id).Scan(&cardToken)
	return cardToken, err
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
			&i.BookID, &i.Title, &i.Quantity, &i.UnitPrice)
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
