package catalog

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"banyan/internal/postgres"
)

// What every statement that reads books selects, and from where. Inventory says
// why there may be more in stock than are shown.
const (
	bookColumns = `b.id, b.isbn, b.title, b.authors, b.subject, b.publisher, b.published_on::text as published_on,
		b.description, b.price, least(b.stock, 9007199254740991) as available, b.version`
	bookTables = `books b`
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
