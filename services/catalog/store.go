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

func queueAvailability(b *pgx.Batch, bookID uuid.UUID, available int, version int64) {
	b.Queue(`
		insert into availability (book_id, available, version) values ($1, $2, $3)
		on conflict (book_id) do update set available = excluded.available, version = excluded.version
		where availability.version < excluded.version`, bookID, available, version)
}

func queueSale(b *pgx.Batch, orderID uuid.UUID, placedAt time.Time) {
	b.Queue(`
		insert into recent_orders (order_id, placed_at) values ($1, $2)
		on conflict (order_id) do nothing`, orderID, placedAt)
}

func queueSaleItem(b *pgx.Batch, orderID, bookID uuid.UUID, quantity int) {
	b.Queue(`
		insert into recent_order_items (order_id, book_id, quantity) values ($1, $2, $3)
		on conflict (order_id, book_id) do nothing`, orderID, bookID, quantity)
}

func queueCancelSale(b *pgx.Batch, orderID uuid.UUID, placedAt time.Time) {
	b.Queue(`
		insert into recent_orders (order_id, placed_at, cancelled) values ($1, $2, true)
		on conflict (order_id) do update set cancelled = true`, orderID, placedAt)
}
