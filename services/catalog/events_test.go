package main

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"banyan/docs/api"
	"banyan/internal/money"
	"banyan/migrations"
)

func TestTelling(t *testing.T) {
	t.Parallel()

	t.Run("a new book and a new price are told as in their examples", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		added, changed := example[bookData](t, bookAdded), example[bookData](t, bookChanged)
		b := novel(1)
		b.ISBN, b.Title, b.Price = added.ISBN, added.Title, added.Price
		b = s.adds(b)
		require.EqualValues(t, 1, s.woken.Load())
		require.Equal(t, changed.Version, s.edits(b.ID, `{"price":{"amount":999}}`))
		require.EqualValues(t, 2, s.woken.Load())

		told := s.told()
		require.Equal(t, []string{bookAdded, bookChanged}, []string{told[0].typ, told[1].typ})
		for _, e := range told {
			require.Equal(t, b.ID.String(), e.data["book_id"])
			want := example[map[string]any](t, e.typ)
			want["book_id"] = e.data["book_id"] // all that differs
			require.Equal(t, want, e.data)
		}
	})
	t.Run("what did not happen is not told", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		b := s.adds(novel(1))
		_, err := s.Add(t.Context(), novel(1))
		require.ErrorIs(t, err, ErrISBNTaken)
		_, err = s.Change(t.Context(), b.ID, Patch{}, []int{7})
		require.ErrorIs(t, err, ErrChanged)
		_, err = s.Change(t.Context(), uuid.New(), Patch{}, nil)
		require.ErrorIs(t, err, ErrNotFound)
		require.Len(t, s.told(), 1)
		require.EqualValues(t, 1, s.woken.Load())
	})
}

// edits changes a book and returns its new version.
func (s shop) edits(id uuid.UUID, patch string) int {
	s.t.Helper()
	return read[Book](s.t, s.ask("PATCH", "/v1/books/"+id.String(), "staff", patch), 200).Version
}

func TestHearing(t *testing.T) {
	t.Parallel()

	t.Run("stock.changed is what lists and books show", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		hear(s, s.stockChanged, "stock.changed", "%s", api.Event("stock.changed")) // before the books themselves are known
		for n, book := range example[stockData](t, "stock.changed").Books {
			s.knows(book.BookID, n)
			b, err := s.Book(t.Context(), book.BookID)
			require.NoError(t, err)
			require.Equal(t, book.Available, b.Available)
		}
	})
	t.Run("stock.changed counts only if it is newer than what is known", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		b := s.adds(novel(1))
		for _, c := range []struct{ available, version, want int }{
			{5, 2, 5}, {9, 1, 5}, {4, 3, 4}, {9, 3, 4}, {5, 2, 4}, {0, 10, 0}, {9, 9, 0},
		} {
			hear(s, s.stockChanged, "stock.changed", `{"books":[{"book_id":%q,"available":%d,"version":%d}]}`, b.ID, c.available, c.version)
			found, err := s.Book(t.Context(), b.ID)
			require.NoError(t, err)
			require.Equal(t, c.want, found.Available, c)
		}
	})
	t.Run("order.paid is a sale, once, until it is cancelled", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		s.knows(example[saleData](t, "order.paid").Items[0].BookID, 1)
		for range 2 {
			hear(s, s.ordersEnded, orderPaid, "%s", api.Event("order.paid"))
			require.Equal(t, []sold{{isbn(1), 2}}, s.bestsellers(""))
		}
		for range 2 {
			hear(s, s.ordersEnded, orderCancelled, "%s", api.Event("order.cancelled"))
			require.Empty(t, s.bestsellers(""))
		}
		hear(s, s.ordersEnded, orderPaid, "%s", api.Event("order.paid"))
		require.Empty(t, s.bestsellers(""), "late, and of no use any more")
	})
	t.Run("order.cancelled may come before order.paid", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		s.knows(example[saleData](t, "order.paid").Items[0].BookID, 1)
		hear(s, s.ordersEnded, orderCancelled, "%s", api.Event("order.cancelled"))
		hear(s, s.ordersEnded, orderPaid, "%s", api.Event("order.paid"))
		require.Empty(t, s.bestsellers(""))
		var at time.Time
		require.NoError(t, s.pool.QueryRow(t.Context(), `select placed_at from recent_orders`).Scan(&at))
		require.Equal(t, example[saleData](t, "order.paid").PlacedAt, at, "to the microsecond: it decides which orders are recent")
	})
	t.Run("a sale may be of a book that is not known yet", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		hear(s, s.ordersEnded, orderPaid, "%s", api.Event("order.paid"))
		require.Empty(t, s.bestsellers(""))
		s.knows(example[saleData](t, "order.paid").Items[0].BookID, 1)
		require.Equal(t, []sold{{isbn(1), 2}}, s.bestsellers(""))
	})
}

func TestOtherSchemas(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	tables := map[string]string{
		"monolith": "books", "accounts": "accounts", "inventory": "stock", "orders": "orders",
		"payments": "payments", "shipping": "shipments", "notifications": "notifications",
	}
	for _, schema := range migrations.Schemas {
		if schema == "catalog" {
			continue
		}
		_, err := s.pool.Exec(t.Context(), `select from `+schema+`.`+tables[schema])
		var refused *pgconn.PgError
		require.ErrorAs(t, err, &refused, schema)
		require.Equal(t, "42501", refused.Code, schema)
	}
}

// knows puts a book of this id on the shelf.
func (s shop) knows(id uuid.UUID, n int) {
	s.t.Helper()
	b := novel(n)
	b.ID, b.Version, b.Price = id, 1, money.USD(1299)
	require.NoError(s.t, insertBook(s.t.Context(), s.pool, b))
}

// told are the events that the others are told, oldest first.
func (s shop) told() (all []event) {
	s.t.Helper()
	rows, err := s.pool.Query(s.t.Context(), `select type, data from outbox order by position`)
	require.NoError(s.t, err)
	var e event
	_, err = pgx.ForEachRow(rows, []any{&e.typ, &e.data}, func() error {
		all = append(all, e)
		e.data = nil
		return nil
	})
	require.NoError(s.t, err)
	return all
}

// event is one as it is in the outbox.
type event struct {
	typ  string
	data map[string]any
}

// example reads what this service declares of an event from the example of it.
func example[T any](t *testing.T, typ string) (data T) {
	t.Helper()
	require.NoError(t, json.Unmarshal(api.Event(typ), &data))
	return data
}
