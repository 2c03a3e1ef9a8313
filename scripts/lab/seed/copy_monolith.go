package seed

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// ErrNotEmpty says that a shop has books already. Seeding is for new databases.
var ErrNotEmpty = errors.New("the database holds books already: start from an empty one")

// CopyMonolith fills the monolith's schema in one transaction, and then vacuums and analyses it,
// so that the first requests are planned as well as the later ones. Only the schema's owner may
// do that: conn has to be the owner's.
func CopyMonolith(ctx context.Context, conn *pgx.Conn, data *Data) error {
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		var full bool
		if err := tx.QueryRow(ctx, `select exists (select from books)`).Scan(&full); err != nil {
			return err
		}
		if full {
			return ErrNotEmpty
		}
		for _, table := range monolithTables(data) {
			if _, err := tx.CopyFrom(ctx, pgx.Identifier{table.name}, table.columns, table.rows); err != nil {
				return fmt.Errorf("copy %s: %w", table.name, err)
			}
		}
		return nil
	})
	if err == nil {
		_, err = conn.Exec(ctx, `vacuum analyze accounts, books, deliveries, orders, order_items, payments, shipments`)
	}
	if err != nil {
		return fmt.Errorf("seed the monolith: %w", err)
	}
	return nil
}

// table is what COPY needs.
type table struct {
	name    string
	columns []string
	rows    pgx.CopyFromSource
}

// monolithTables are in an order that satisfies the foreign keys.
func monolithTables(data *Data) []table {
	return []table{
		{"accounts", []string{"id", "email", "name", "password_hash", "role", "created_at"},
			each(data.Accounts, func(a Account) []any {
				return []any{a.ID, a.Email, a.Name, a.PasswordHash, a.Role, a.CreatedAt}
			})},
		{"books", []string{"id", "isbn", "title", "authors", "subject", "publisher", "published_on", "description", "price", "stock"},
			each(data.Books, func(b Book) []any {
				return []any{b.ID, b.ISBN, b.Title, b.Authors, b.Subject, b.Publisher, b.PublishedOn, b.Description, b.Price, b.Stock}
			})},
		{"deliveries", []string{"id", "book_id", "quantity", "delivered_at"},
			each(data.Deliveries, func(d Delivery) []any {
				return []any{d.ID, d.BookID, d.Quantity, d.DeliveredAt}
			})},
		{"orders", []string{"id", "account_id", "status", "total", "shipping_address", "placed_at", "cancel_reason"},
			each(data.Orders, func(o Order) []any {
				return []any{o.ID, o.AccountID, o.Status, o.Total, o.Address, o.PlacedAt, orNull(o.CancelReason)}
			})},
		{"order_items", []string{"order_id", "position", "book_id", "title", "quantity", "unit_price"},
			items(data.Orders, func(o Order, position int, i Item) []any {
				return []any{o.ID, position, i.BookID, i.Title, i.Quantity, i.UnitPrice}
			})},
		{"payments", []string{"id", "order_id", "account_id", "status", "amount", "created_at", "refund_requested_at"},
			each(data.Orders, func(o Order) []any {
				p := o.Payment
				return []any{p.ID, o.ID, o.AccountID, p.Status, o.Total, p.CreatedAt, orNull(p.RefundedAt)}
			})},
		{"shipments", []string{"id", "order_id", "account_id", "status", "tracking_number", "address", "created_at"},
			each(shipped(data.Orders), func(o Order) []any {
				s := o.Shipment
				return []any{s.ID, o.ID, o.AccountID, s.Status, orNull(s.TrackingNumber), o.Address, s.CreatedAt}
			})},
	}
}

// each gives COPY a row per thing.
func each[T any](things []T, row func(T) []any) pgx.CopyFromSource {
	return pgx.CopyFromSlice(len(things), func(i int) ([]any, error) { return row(things[i]), nil })
}

// items gives COPY a row per line of each order; positions count from 0, as the shop's do.
func items(orders []Order, row func(o Order, position int, i Item) []any) pgx.CopyFromSource {
	order, next := 0, 0
	return pgx.CopyFromFunc(func() ([]any, error) {
		if order < len(orders) && next == len(orders[order].Items) {
			order, next = order+1, 0
		}
		if order == len(orders) {
			return nil, nil
		}
		o, position := orders[order], next
		next++
		return row(o, position, o.Items[position]), nil
	})
}

// shipped are the orders that have a shipment.
func shipped(orders []Order) []Order {
	var have []Order
	for _, order := range orders {
		if order.Shipment != nil {
			have = append(have, order)
		}
	}
	return have
}

// orNull stores what is empty as null.
func orNull[T comparable](value T) any {
	var empty T
	if value == empty {
		return nil
	}
	return value
}
