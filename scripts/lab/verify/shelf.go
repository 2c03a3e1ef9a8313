package verify

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"banyan/internal/postgres"
	"banyan/scripts/lab/up"
)

// fillAt is the statement for a side: while inventory is in the monolith, a shelf is a column of the book. From step 4 on
// that is told.
func fillAt(side string, step int) string {
	switch {
	case side == up.Services && step >= 5:
		return fillService
	case side == up.Services && step == 4:
		return fillTold
	}
	return fillMonolith
}

// They make a shelf as full as the contract has it. What it adds is written down as a delivery, so that the books
// balance, and on the services it is told to the others. The database does it, for of deliveries of a million copies
// there would have to be nine thousand million.
const (
	fillMonolith = `
		with was as (
			select id, stock from monolith.books where id = $1 for no key update
		), filled as (
			update monolith.books b
			set stock = 9007199254740991
			from was
			where b.id = was.id and was.stock < 9007199254740991
			returning b.id, b.stock - was.stock as came
		)
		insert into monolith.deliveries (id, book_id, quantity, delivered_at)
		select $2, id, came, now() from filled`

	fillTold = `
		with was as (
			select id, stock from monolith.books where id = $1 for no key update
		), filled as (
			update monolith.books b
			set stock = 9007199254740991, stock_version = stock_version + 1
			from was
			where b.id = was.id and was.stock < 9007199254740991
			returning b.id, b.stock - was.stock as came, b.stock as available, b.stock_version as version
		), told as (
			insert into monolith.outbox (id, type, data, trace)
			select $2, 'stock.changed', json_build_object('books', json_build_array(json_build_object(
				'book_id', id, 'available', available, 'version', version))), ''
			from filled
		)
		insert into monolith.deliveries (id, book_id, quantity, delivered_at)
		select $2, id, came, now() from filled`

	fillService = `
		with was as (
			select book_id, on_hand from inventory.stock where book_id = $1 for no key update
		), filled as (
			update inventory.stock s
			set on_hand = s.reserved + 9007199254740991, version = s.version + 1
			from was
			where s.book_id = was.book_id and s.on_hand - s.reserved < 9007199254740991
			returning s.book_id, s.on_hand - was.on_hand as came, s.on_hand - s.reserved as available, s.version
		), told as (
			insert into inventory.outbox (id, type, data, trace)
			select $2, 'stock.changed', json_build_object('books', json_build_array(json_build_object(
				'book_id', book_id, 'available', available, 'version', version))), ''
			from filled
		)
		insert into inventory.deliveries (id, book_id, quantity, delivered_at)
		select $2, book_id, came, now() from filled`
)

// FillShelf makes the shelf of a book on a side as full as the contract has it, in the side's database.
func FillShelf(ctx context.Context, q postgres.Querier, side string, step int, bookID string) error {
	if _, err := q.Exec(ctx, fillAt(side, step), bookID, uuid.Must(uuid.NewV7())); err != nil {
		return fmt.Errorf("fill the shelf of book %s at the %s: %w", bookID, side, err)
	}
	return nil
}
