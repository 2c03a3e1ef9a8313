package inventory

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"banyan/internal/postgres"
	"banyan/internal/telemetry"
)

func selectStock(ctx context.Context, q postgres.Querier, bookID uuid.UUID) (Stock, error) {
	rows, err := q.Query(ctx, `select id as book_id, least(stock, $2) as available from books where id = $1`, bookID, maxAvailable)
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
// copies than the contract can count: the stock becomes null, which the column refuses.
func queueAddStock(b *pgx.Batch, bookID uuid.UUID, quantity int, into *Stock) {
	b.Queue(`
		update books
		set stock = case when stock + $2 <= $3 then stock + $2 end
		where id = $1
		returning id as book_id, stock as available`, bookID, quantity, maxAvailable).Query(func(rows pgx.Rows) (err error) {
		*into, err = oneStock(rows)
		return err
	})
}

func shelfFull(err error) bool { return postgres.NotNullViolation(err, "books", "stock") }

func queueInsertDelivery(b *pgx.Batch, id, bookID uuid.UUID, quantity int) {
	b.Queue(`
		insert into deliveries (id, book_id, quantity, delivered_at)
		values ($1, $2, $3, now())`, id, bookID, quantity)
}

// queueTake relies on the column's check, stock >= 0, to refuse.
func queueTake(b *pgx.Batch, bookID uuid.UUID, quantity int) {
	b.Queue(`update books set stock = stock - $2 where id = $1`, bookID, quantity)
}

// queueTell counts the change of the books' stock, and writes stock.changed for
// them into the outbox. The database makes its data, where events.Queue would take
// it from the caller: what is left is known only here, after the updates before it
// on the batch. It comes after these, for the rows are locked by then.
func queueTell(ctx context.Context, b *pgx.Batch, books []uuid.UUID) {
	b.Queue(`
		with changed as (
			update books
			set stock_version = stock_version + 1
			where id = any($4::uuid[])
			returning id, stock, stock_version
		)
		insert into outbox (id, type, data, trace)
		select $1, $2, json_build_object('books', json_agg(json_build_object(
			'book_id', id, 'available', least(stock, $5), 'version', stock_version) order by id)), $3
		from changed`, uuid.Must(uuid.NewV7()), stockChanged, telemetry.Traceparent(ctx), books, maxAvailable)
}
