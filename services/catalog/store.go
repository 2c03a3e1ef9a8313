package main

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"banyan/internal/postgres"
)

// What every statement that reads books selects, and from where.
const (
	bookColumns = `b.id, b.isbn, b.title, b.authors, b.subject, b.publisher, b.published_on::text as published_on,
		b.description, b.price, coalesce(a.available, 0) as available, b.version`
	bookTables = `books b left join availability a on a.book_id = b.id`
)

func selectBook(ctx context.Context, q postgres.Querier, id uuid.UUID) (Book, error) {
	rows, err := q.Query(ctx, `select `+bookColumns+` from `+bookTables+` where b.id = $1`, id)
	return oneBook(rows, err)
}

// lockBook also keeps others from changing the book until the transaction ends.
func lockBook(ctx context.Context, q postgres.Querier, id uuid.UUID) (Book, error) {
	rows, err := q.Query(ctx, `select `+bookColumns+` from `+bookTables+` where b.id = $1 for no key update of b`, id)
	return oneBook(rows, err)
}

func oneBook(rows pgx.Rows, err error) (Book, error) {
	if err != nil {
		return Book{}, err
	}
	b, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Book])
	if errors.Is(err, pgx.ErrNoRows) {
		return Book{}, ErrNotFound
	}
	return b, err
}

func selectBooks(ctx context.Context, q postgres.Querier, ids []uuid.UUID) ([]Book, error) {
	rows, err := q.Query(ctx, `
		select `+bookColumns+`
		from `+bookTables+`
		join unnest($1::uuid[]) with ordinality as asked (id, place) on asked.id = b.id
		order by asked.place`, ids)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Book])
}

func insertBook(ctx context.Context, q postgres.Querier, b Book) error {
	_, err := q.Exec(ctx, `
		insert into books (id, isbn, title, authors, subject, publisher, published_on, description, price, version)
		values (@id, @isbn, @title, @authors, @subject, @publisher, @published_on, @description, @price, @version)`,
		columns(b))
	if postgres.UniqueViolation(err, "books_isbn") {
		return ErrISBNTaken
	}
	return err
}

func updateBook(ctx context.Context, q postgres.Querier, b Book) error {
	_, err := q.Exec(ctx, `
		update books
		set title = @title, authors = @authors, subject = @subject, publisher = @publisher,
			published_on = @published_on, description = @description, price = @price, version = @version
		where id = @id`,
		columns(b))
	return err
}

func columns(b Book) pgx.NamedArgs {
	return pgx.NamedArgs{
		"id": b.ID, "isbn": b.ISBN, "title": b.Title, "authors": b.Authors, "subject": b.Subject,
		"publisher": b.Publisher, "published_on": b.PublishedOn, "description": b.Description,
		"price": b.Price, "version": b.Version,
	}
}

// availability is what inventory told of several books, a book as often as it was told of.
type availability struct {
	books     []uuid.UUID
	available []int
	versions  []int64
}

// queueAvailability locks the rows in order of the books, as every other transaction
// does. A statement may change a row only once, so it takes the newest of each book.
func queueAvailability(b *pgx.Batch, told availability) {
	b.Queue(`
		insert into availability (book_id, available, version)
		select distinct on (book_id) book_id, available, version
		from unnest($1::uuid[], $2::bigint[], $3::bigint[]) as told (book_id, available, version)
		order by book_id, version desc
		on conflict (book_id) do update set available = excluded.available, version = excluded.version
		where availability.version < excluded.version`, told.books, told.available, told.versions)
}

// sales are orders that were paid or cancelled, an order once or twice.
type sales struct {
	ids       []uuid.UUID
	placedAt  []time.Time
	cancelled []bool
}

// queueSales keeps them in order of their ids, as every other transaction does. An order
// that is cancelled stays so.
func queueSales(b *pgx.Batch, orders sales) {
	b.Queue(`
		insert into recent_orders (order_id, placed_at, cancelled)
		select order_id, min(placed_at), bool_or(cancelled)
		from unnest($1::uuid[], $2::timestamptz[], $3::boolean[]) as told (order_id, placed_at, cancelled)
		group by order_id
		order by order_id
		on conflict (order_id) do update set cancelled = true, heard_at = now()
		where excluded.cancelled`, orders.ids, orders.placedAt, orders.cancelled)
}

// saleItems are lines of orders that were paid.
type saleItems struct {
	orders, books []uuid.UUID
	quantities    []int
}

// queueSaleItems comes after queueSales, which has locked the orders of these lines.
func queueSaleItems(b *pgx.Batch, lines saleItems) {
	b.Queue(`
		insert into recent_order_items (order_id, book_id, quantity)
		select order_id, book_id, quantity
		from unnest($1::uuid[], $2::uuid[], $3::bigint[]) as told (order_id, book_id, quantity)
		order by order_id, book_id
		on conflict (order_id, book_id) do nothing`, lines.orders, lines.books, lines.quantities)
}
