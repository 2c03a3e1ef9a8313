package main

import (
	"encoding/json"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"banyan/docs/api"
)

func TestTelling(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	one, other := s.bookWith(10), s.bookWith(10)
	o := newOrder(map[uuid.UUID]int{one: 1, other: 2})
	var delivered, reserved stockData
	require.NoError(t, json.Unmarshal(s.lastTold(), &delivered))
	require.NoError(t, s.takes(o))
	require.NoError(t, json.Unmarshal(s.lastTold(), &reserved))

	t.Run("one event holds all books that changed", func(t *testing.T) {
		s := s.in(t)
		require.Equal(t, []bookData{{other, 10, 1}}, delivered.Books)
		require.Equal(t, []bookData{{one, 9, 2}, {other, 8, 2}}, reserved.Books)
		require.Equal(t, 3, s.count(`select count(*) from outbox`))
	})
	t.Run("it is as its example, wherever it is made", func(t *testing.T) {
		s := s.in(t)
		want := shape(t, api.Event(stockChanged))
		require.Equal(t, want, shape(t, s.lastTold()), "made by a reservation")
		require.NoError(t, s.cancelled(o))
		require.Equal(t, want, shape(t, s.lastTold()), "made by a release")
		s.delivers(one, 1)
		require.Equal(t, want, shape(t, s.lastTold()), "made by a delivery")
	})
	t.Run("of a full shelf it tells what the contract can count", func(t *testing.T) {
		s := s.in(t)
		bookID := s.bookWith(3)
		sold := newOrder(map[uuid.UUID]int{bookID: 3})
		require.NoError(t, s.takes(sold))
		require.NoError(t, s.paid(sold))
		s.fill(bookID, maxAvailable)
		require.NoError(t, s.cancelled(sold))
		require.Equal(t, maxAvailable, s.told(bookID))
		onHand, reserved := s.counts(bookID)
		require.Equal(t, []int{maxAvailable + 3, 0}, []int{onHand, reserved}, "a paid order's copies come back")
	})
	t.Run("what changes nothing for others is not told", func(t *testing.T) {
		s := s.in(t)
		paid, refused := newOrder(map[uuid.UUID]int{one: 1}), newOrder(map[uuid.UUID]int{one: 100})
		require.NoError(t, s.takes(paid))
		before := s.count(`select count(*) from outbox`)
		require.NoError(t, s.takes(paid))
		require.True(t, s.soldOut(s.takes(refused)))
		require.NoError(t, s.paid(paid))
		require.NoError(t, s.cancelled(refused))
		require.NoError(t, s.cancelled(newOrder(nil)))
		require.Equal(t, before, s.count(`select count(*) from outbox`))
	})
}

func TestHearing(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	added := example[newBookData](t, "book.added")
	paid, cancelled := example[orderData](t, "order.paid"), example[orderData](t, "order.cancelled")
	require.NoError(t, hearQueued(s, s.bookAdded, added))
	require.Zero(t, s.left(added.BookID), "a new book has room on the shelf, and nothing on it")
	s.delivers(added.BookID, 5)
	require.NoError(t, hearQueued(s, s.bookAdded, added))
	require.Equal(t, 5, s.left(added.BookID), "the news may come again")

	require.Equal(t, paid.OrderID, cancelled.OrderID)
	paid.OrderID = placed(0) // the order of the examples is too old to begin
	cancelled.OrderID = paid.OrderID
	require.ErrorIs(t, hearQueued(s, s.orderPaid, paid), ErrNotReserved)
	require.NoError(t, s.Reserve(t.Context(), paid.OrderID, []uuid.UUID{added.BookID}, []int{2}))
	for range 2 {
		require.NoError(t, hearQueued(s, s.orderPaid, paid))
		onHand, reserved := s.counts(added.BookID)
		require.Equal(t, []int{3, 0}, []int{onHand, reserved}, "the copies are sold, once")
	}
	for range 2 {
		require.NoError(t, hear(s, s.orderCancelled, cancelled))
		onHand, reserved := s.counts(added.BookID)
		require.Equal(t, []int{5, 0}, []int{onHand, reserved}, "the copies are back, once")
	}
	require.NoError(t, hearQueued(s, s.orderPaid, paid), "late, and of no use any more")
	require.Equal(t, 5, s.left(added.BookID))
}

func TestOtherSchemas(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	var refused *pgconn.PgError
	_, err := s.pool.Exec(t.Context(), `select from catalog.books`)
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "42501", refused.Code, "insufficient_privilege")
}

// lastTold is the data of the newest event.
func (s shop) lastTold() (data json.RawMessage) {
	s.t.Helper()
	require.NoError(s.t, s.pool.QueryRow(s.t.Context(),
		`select data from outbox where type = $1 order by position desc limit 1`, stockChanged).Scan(&data))
	return data
}

// example reads what this service declares of an event from the example of it.
func example[T any](t *testing.T, typ string) (data T) {
	t.Helper()
	require.NoError(t, json.Unmarshal(api.Event(typ), &data))
	return data
}

// shape is what a JSON text is made of: its keys, and the types of their values.
// The first of a list stands for the others.
func shape(t *testing.T, text []byte) any {
	t.Helper()
	var v any
	require.NoError(t, json.Unmarshal(text, &v), string(text))
	return shapeOf(v)
}

func shapeOf(v any) any {
	switch v := v.(type) {
	case map[string]any:
		keys := map[string]any{}
		for key, value := range v {
			keys[key] = shapeOf(value)
		}
		return keys
	case []any:
		if len(v) == 0 {
			return "an empty list"
		}
		return []any{shapeOf(v[0])}
	case string:
		return "text"
	case float64:
		return "a number"
	case bool:
		return "true or false"
	}
	return "null"
}
