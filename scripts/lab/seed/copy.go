package seed

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/jackc/pgx/v5"
)

// ErrNotEmpty says that a shop has data already. Seeding is for new databases.
var ErrNotEmpty = errors.New("the schema holds data already: start from an empty one")

// Copy fills one schema in one transaction, and then vacuums and analyses it, so that the first requests
// are planned as well as the later ones. Only the schema's owner may do that: conn has to be the owner's.
func Copy(ctx context.Context, conn *pgx.Conn, schema string, data *Data) error {
	tables, known := schemas[schema]
	if !known {
		return fmt.Errorf("seed: there is no schema %s", schema)
	}
	var names []string
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		for _, table := range tables(data) {
			var full bool
			if err := tx.QueryRow(ctx, `select exists (select from `+table.name+`)`).Scan(&full); err != nil {
				return err
			}
			if full {
				return ErrNotEmpty
			}
			if _, err := tx.CopyFrom(ctx, pgx.Identifier{table.name}, table.columns, table.rows); err != nil {
				return fmt.Errorf("copy %s: %w", table.name, err)
			}
			names = append(names, table.name)
		}
		return nil
	})
	if err == nil {
		_, err = conn.Exec(ctx, `vacuum analyze `+strings.Join(names, ", "))
	}
	if err != nil {
		return fmt.Errorf("seed %s: %w", schema, err)
	}
	return nil
}

// table is what COPY needs.
type table struct {
	name    string
	columns []string
	rows    pgx.CopyFromSource
}

// schemas are the tables to fill, in an order that satisfies the foreign keys. The services hold
// the same data as the monolith, each its part, and what its part copies of the others'.
var schemas = map[string]func(*Data) []table{
	"monolith":      monolithTables,
	"accounts":      accountsTables,
	"catalog":       catalogTables,
	"inventory":     inventoryTables,
	"orders":        ordersTables,
	"payments":      paymentsTables,
	"shipping":      shippingTables,
	"notifications": notificationsTables,
}

func monolithTables(data *Data) []table {
	books := booksTable(data)
	books.columns = append(books.columns, "stock")
	books.rows = each(data.Books, func(b Book) []any { return append(bookRow(b), b.Stock) })
	return []table{
		accountsTable(data), books, deliveriesTable(data), ordersTable(data), orderItemsTable(data),
		paymentsTable(data), shipmentsTable(data),
	}
}

func accountsTables(data *Data) []table { return []table{accountsTable(data)} }

func paymentsTables(data *Data) []table { return []table{paymentsTable(data)} }

func shippingTables(data *Data) []table { return []table{shipmentsTable(data)} }

// catalogTables hold no stock, but the copy of it that events would have brought, and the sales.
func catalogTables(data *Data) []table {
	return []table{
		booksTable(data),
		{"availability", []string{"book_id", "available", "version"},
			each(data.Books, func(b Book) []any { return []any{b.ID, b.Stock, 1} })},
		{"recent_orders", []string{"order_id", "placed_at", "cancelled"},
			eachOrder(data, func(o Order) []any { return []any{o.ID, o.PlacedAt, !o.sold()} })},
		{"recent_order_items", []string{"order_id", "book_id", "quantity"},
			items(data, func(o Order, _ int, i Item) []any { return []any{o.ID, i.BookID, i.Quantity} })},
	}
}

// inventoryTables know what became of each order's reservation, for one may still be cancelled.
func inventoryTables(data *Data) []table {
	return []table{
		{"stock", []string{"book_id", "on_hand", "version"},
			each(data.Books, func(b Book) []any { return []any{b.ID, b.Stock, 1} })},
		deliveriesTable(data),
		{"reservations", []string{"order_id", "status", "created_at"},
			eachOrder(data, func(o Order) []any {
				if o.sold() {
					return []any{o.ID, "committed", o.PlacedAt}
				}
				return []any{o.ID, "released", o.PlacedAt}
			})},
		{"reservation_items", []string{"order_id", "book_id", "quantity"},
			items(data, func(o Order, _ int, i Item) []any { return []any{o.ID, i.BookID, i.Quantity} })},
	}
}

// ordersTables begin with the copy of the books' titles and prices.
func ordersTables(data *Data) []table {
	return []table{
		{"books", []string{"id", "title", "price", "version"},
			each(data.Books, func(b Book) []any { return []any{b.ID, b.Title, b.Price, 1} })},
		ordersTable(data), orderItemsTable(data),
	}
}

func notificationsTables(data *Data) []table {
	return []table{{"contacts", []string{"account_id", "email", "name"},
		each(data.Accounts, func(a Account) []any { return []any{a.ID, a.Email, a.Name} })}}
}

func accountsTable(data *Data) table {
	return table{"accounts", []string{"id", "email", "name", "password_hash", "role", "created_at"},
		each(data.Accounts, func(a Account) []any {
			return []any{a.ID, a.Email, a.Name, a.PasswordHash, a.Role, a.CreatedAt}
		})}
}

func booksTable(data *Data) table {
	return table{"books", []string{"id", "isbn", "title", "authors", "subject", "publisher", "published_on", "description", "price"},
		each(data.Books, bookRow)}
}

func bookRow(b Book) []any {
	return []any{b.ID, b.ISBN, b.Title, b.Authors, b.Subject, b.Publisher, b.PublishedOn, b.Description, b.Price}
}

func deliveriesTable(data *Data) table {
	return table{"deliveries", []string{"id", "book_id", "quantity", "delivered_at"},
		each(data.Deliveries, func(d Delivery) []any {
			return []any{d.ID, d.BookID, d.Quantity, d.DeliveredAt}
		})}
}

func ordersTable(data *Data) table {
	return table{"orders", []string{"id", "account_id", "status", "total", "shipping_address", "placed_at", "cancel_reason"},
		eachOrder(data, func(o Order) []any {
			return []any{o.ID, o.AccountID, o.Status, o.Total, o.Address, o.PlacedAt, orNull(o.CancelReason)}
		})}
}

func orderItemsTable(data *Data) table {
	return table{"order_items", []string{"order_id", "position", "book_id", "title", "quantity", "unit_price"},
		items(data, func(o Order, position int, i Item) []any {
			return []any{o.ID, position, i.BookID, i.Title, i.Quantity, i.UnitPrice}
		})}
}

func paymentsTable(data *Data) table {
	return table{"payments", []string{"id", "order_id", "account_id", "status", "amount", "created_at", "refund_requested_at"},
		eachOrder(data, func(o Order) []any {
			p := o.Payment
			return []any{p.ID, o.ID, o.AccountID, p.Status, o.Total, p.CreatedAt, orNull(p.RefundedAt)}
		})}
}

func shipmentsTable(data *Data) table {
	return table{"shipments", []string{"id", "order_id", "account_id", "status", "tracking_number", "address", "created_at"},
		eachOrder(data, func(o Order) []any {
			s := o.Shipment
			if s == nil {
				return nil
			}
			return []any{s.ID, o.ID, o.AccountID, s.Status, orNull(s.TrackingNumber), o.Address, s.CreatedAt}
		})}
}

// each gives COPY a row per thing.
func each[T any](things []T, row func(T) []any) pgx.CopyFromSource {
	return pgx.CopyFromSlice(len(things), func(i int) ([]any, error) { return row(things[i]), nil })
}

// eachOrder gives COPY a row per order, and none where row returns nil.
func eachOrder(data *Data, row func(Order) []any) pgx.CopyFromSource {
	return stream(func(yield func([]any) bool) {
		for o := range data.AllOrders() {
			if values := row(o); values != nil && !yield(values) {
				return
			}
		}
	})
}

// items gives COPY a row per line of each order; positions count from 0, as the shop's do.
func items(data *Data, row func(o Order, position int, i Item) []any) pgx.CopyFromSource {
	return stream(func(yield func([]any) bool) {
		for o := range data.AllOrders() {
			for position, item := range o.Items {
				if !yield(row(o, position, item)) {
					return
				}
			}
		}
	})
}

// stream gives COPY rows as they are made. COPY reads to the end, or its transaction fails.
func stream(rows iter.Seq[[]any]) pgx.CopyFromSource {
	next, stop := iter.Pull(rows)
	return pgx.CopyFromFunc(func() ([]any, error) {
		row, more := next()
		if !more {
			stop()
		}
		return row, nil
	})
}

// orNull stores what is empty as null.
func orNull[T comparable](value T) any {
	var empty T
	if value == empty {
		return nil
	}
	return value
}
