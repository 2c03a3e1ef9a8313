package main

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"banyan/internal/events"
	"banyan/internal/postgres"
	"banyan/internal/telemetry"
)

func selectStock(ctx context.Context, q postgres.Querier, bookID uuid.UUID) (Stock, error) {
	rows, err := q.Query(ctx, `select book_id, least(on_hand - reserved, $2) as available, version from stock where book_id = $1`,
		bookID, maxAvailable)
	if err != nil {
		return Stock{}, err
	}
	return oneStock(rows)
}

func oneStock(rows pgx.Rows) (Stock, error) {
	s, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Stock])
	if errors.Is(err, pgx.ErrNoRows) {
		return Stock{}, ErrNotFound
	}
	return s, err
}

// queueAddStock fails the batch, and shelfFull reports it, if there would be more
// copies than the contract can count: on_hand becomes null, which the column refuses.
func queueAddStock(b *pgx.Batch, bookID uuid.UUID, quantity int, into *Stock) {
	b.Queue(`
		update stock
		set on_hand = case when on_hand - reserved + $2 <= $3 then on_hand + $2 end, version = version + 1
		where book_id = $1
		returning book_id, on_hand - reserved as available, version`, bookID, quantity, maxAvailable).Query(func(rows pgx.Rows) (err error) {
		*into, err = oneStock(rows)
		return err
	})
}

func shelfFull(err error) bool { return postgres.NotNullViolation(err, "stock", "on_hand") }

func queueInsertDelivery(b *pgx.Batch, id, bookID uuid.UUID, quantity int) {
	b.Queue(`
		insert into deliveries (id, book_id, quantity, delivered_at)
		values ($1, $2, $3, now())`, id, bookID, quantity)
}

// queueTake relies on the table's check, reserved <= on_hand, to refuse. For a
// book that is not in stock at all, the update returns nothing, and the line's
// book_id, which would be null, refuses.
func queueTake(b *pgx.Batch, orderID, bookID uuid.UUID, quantity int) {
	b.Queue(`
		with taken as (
			update stock
			set reserved = reserved + $3, version = version + 1
			where book_id = $2
			returning book_id
		)
		insert into reservation_items (order_id, book_id, quantity)
		values ($1, (select book_id from taken), $3)`, orderID, bookID, quantity)
}

// queueMove changes what is in the house, and what of it is promised.
func queueMove(b *pgx.Batch, bookID uuid.UUID, onHand, reserved int) {
	b.Queue(`
		update stock
		set on_hand = on_hand + $2, reserved = reserved + $3, version = version + 1
		where book_id = $1`, bookID, onHand, reserved)
}

// queueTell writes stock.changed for the order's books into the outbox. The
// database makes its data, where events.Queue would take it from the caller:
// what is left is known only here, after the updates before it on the batch, and
// fetching it first would be a second round trip for every checkout.
func queueTell(ctx context.Context, b *pgx.Batch, orderID uuid.UUID) {
	b.Queue(`
		insert into outbox (id, type, data, trace)
		select $1, $2, json_build_object('books', json_agg(json_build_object(
			'book_id', s.book_id, 'available', least(s.on_hand - s.reserved, $5), 'version', s.version) order by s.book_id)), $3
		from reservation_items i
		join stock s on s.book_id = i.book_id
		where i.order_id = $4`, uuid.Must(uuid.NewV7()), stockChanged, telemetry.Traceparent(ctx), orderID, maxAvailable)
}

func queueInsertStock(b *pgx.Batch, bookID uuid.UUID) {
	b.Queue(`insert into stock (book_id) values ($1) on conflict (book_id) do nothing`, bookID)
}

// queueInsertReservation fails the batch, and repeated reports it, if there is
// a row for the order.
func queueInsertReservation(b *pgx.Batch, orderID uuid.UUID) {
	b.Queue(`insert into reservations (order_id, status) values ($1, 'reserved')`, orderID)
}

func repeated(err error) bool { return postgres.UniqueViolation(err, "reservations_pkey") }

// insertRefusal keeps and returns what there is too little of. It keeps nothing
// and returns nil if there is enough by now.
func insertRefusal(ctx context.Context, q postgres.Querier, orderID uuid.UUID, books []uuid.UUID, quantities []int) (short []Short, err error) {
	err = q.QueryRow(ctx, `
		insert into reservations (order_id, status, short)
		select $1, 'refused', jsonb_agg(jsonb_build_object(
			'book_id', w.book_id, 'available', coalesce(s.on_hand - s.reserved, 0), 'requested', w.quantity) order by w.book_id)
		from unnest($2::uuid[], $3::bigint[]) as w (book_id, quantity)
		left join stock s on s.book_id = w.book_id
		where coalesce(s.on_hand - s.reserved, 0) < w.quantity
		having count(*) > 0
		returning short`, orderID, books, quantities).Scan(&short)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return short, err
}

// insertReleased writes the row that refuses a late reservation, unless the
// order has a row. If one is being written, it waits for that transaction.
func insertReleased(ctx context.Context, q postgres.Querier, orderID uuid.UUID) error {
	_, err := q.Exec(ctx, `
		insert into reservations (order_id, status) values ($1, 'released')
		on conflict (order_id) do nothing`, orderID)
	return err
}

const reservationQuery = `
	select r.status, r.short,
		array(select book_id from reservation_items where order_id = r.order_id order by book_id) as books,
		array(select quantity from reservation_items where order_id = r.order_id order by book_id) as quantities
	from reservations r
	where r.order_id = $1`

func selectReservation(ctx context.Context, q postgres.Querier, orderID uuid.UUID) (reservation, error) {
	rows, err := q.Query(ctx, reservationQuery, orderID)
	return oneReservation(rows, err)
}

// lockReservation also keeps others from changing the reservation until the transaction ends.
func lockReservation(ctx context.Context, q postgres.Querier, orderID uuid.UUID) (reservation, error) {
	rows, err := q.Query(ctx, reservationQuery+` for no key update of r`, orderID)
	return oneReservation(rows, err)
}

func oneReservation(rows pgx.Rows, err error) (reservation, error) {
	if err != nil {
		return reservation{}, err
	}
	r, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[reservation])
	if errors.Is(err, pgx.ErrNoRows) {
		return reservation{}, ErrNotReserved
	}
	return r, err
}

// queueExpectPromise fails the batch unless the order was promised its copies,
// whatever became of them since: with ErrNotReserved if there is no reservation,
// for one may come, and with ErrRefused if it was refused. What it writes then
// are nulls that the columns refuse.
func queueExpectPromise(b *pgx.Batch, orderID uuid.UUID) {
	events.Explain(b.Queue(`
		merge into reservations r
		using (select $1::uuid as order_id) paid on r.order_id = paid.order_id
		when matched and r.status = 'refused' then update set order_id = null
		when not matched then insert (order_id) values (paid.order_id)`, orderID), func(err error) error {
		switch {
		case postgres.NotNullViolation(err, "reservations", "status"):
			return ErrNotReserved
		case postgres.NotNullViolation(err, "reservations", "order_id"):
			return ErrRefused
		}
		return err
	})
}

// queueSell takes what the order was promised off the shelf, once. The books
// are locked in order of id, as a reservation locks them.
func queueSell(b *pgx.Batch, orderID uuid.UUID) {
	b.Queue(`
		with committed as (
			update reservations
			set status = 'committed'
			where order_id = $1 and status = 'reserved'
			returning order_id
		), sold as materialized (
			select s.book_id, i.quantity
			from committed c
			join reservation_items i on i.order_id = c.order_id
			join stock s on s.book_id = i.book_id
			order by s.book_id
			for no key update of s
		)
		update stock s
		set on_hand = on_hand - sold.quantity, reserved = reserved - sold.quantity, version = version + 1
		from sold
		where s.book_id = sold.book_id`, orderID)
}

func queueReservationStatus(b *pgx.Batch, orderID uuid.UUID, status string) {
	b.Queue(`update reservations set status = $2 where order_id = $1`, orderID, status)
}
