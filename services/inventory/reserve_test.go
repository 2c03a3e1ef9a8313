package main

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestTaking(t *testing.T) {
	t.Parallel()
	s := newShop(t)

	t.Run("leaves the rest to others", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		bookID := s.bookWith(5)
		require.NoError(t, s.takes(newOrder(map[uuid.UUID]int{bookID: 2})))
		require.Equal(t, 3, s.left(bookID))
	})
	t.Run("the last copy is possible, one more is not", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		bookID := s.bookWith(2)
		require.NoError(t, s.takes(newOrder(map[uuid.UUID]int{bookID: 2})))
		require.True(t, s.soldOut(s.takes(newOrder(map[uuid.UUID]int{bookID: 1}))))
		require.Zero(t, s.left(bookID))
	})
	t.Run("takes all of the books or none", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		many, few := s.bookWith(5), s.bookWith(1)
		require.True(t, s.soldOut(s.takes(newOrder(map[uuid.UUID]int{many: 2, few: 2}))))
		require.Equal(t, 5, s.left(many))
		require.Equal(t, 1, s.left(few))
	})
	t.Run("what is given back can be taken again", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		bookID := s.bookWith(2)
		o := newOrder(map[uuid.UUID]int{bookID: 2})
		require.NoError(t, s.takes(o))
		s.givesBack(o)
		require.Equal(t, 2, s.left(bookID))
		require.NoError(t, s.takes(newOrder(map[uuid.UUID]int{bookID: 2})))
	})
	t.Run("of a book that nobody knows is refused", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		known, unknown := s.bookWith(5), uuid.Must(uuid.NewV7())
		require.True(t, s.soldOut(s.takes(newOrder(map[uuid.UUID]int{known: 1, unknown: 1}))))
		require.Equal(t, 5, s.left(known))
	})
	t.Run("the last ten, by fifty at once, gives exactly ten their copies", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		one, other := s.bookWith(10), s.bookWith(10)
		var sold, refused atomic.Int32
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				switch err := s.takes(newOrder(map[uuid.UUID]int{one: 1, other: 1})); {
				case err == nil:
					sold.Add(1)
				case s.soldOut(err):
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 10, sold.Load())
		require.EqualValues(t, 40, refused.Load())
		require.Zero(t, s.left(one))
		require.Zero(t, s.left(other))
	})
}

// Whatever happens in which order, and however often, what was delivered is
// either there or sold, and what was promised is there.
func TestStockAddsUp(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	rapid.Check(t, func(r *rapid.T) {
		books := []uuid.UUID{s.newBook(), s.newBook()}
		orders := make([]order, 3)
		for i := range orders {
			orders[i] = newOrder(map[uuid.UUID]int{
				books[0]: rapid.IntRange(1, 3).Draw(r, "first"), books[1]: rapid.IntRange(1, 3).Draw(r, "second"),
			})
		}
		delivered := map[uuid.UUID]int{}
		states := map[uuid.UUID]string{}
		sum := func(state string, book int) (copies int) {
			for _, o := range orders {
				if states[o.id] == state {
					copies += o.quantities[book]
				}
			}
			return copies
		}
		for _, step := range rapid.SliceOfN(rapid.SampledFrom([]string{"deliver", "take", "take", "paid", "cancelled"}), 1, 16).Draw(r, "steps") {
			o := rapid.SampledFrom(orders).Draw(r, "order")
			switch state := states[o.id]; step {
			case "deliver":
				id, copies := rapid.SampledFrom(books).Draw(r, "book"), rapid.IntRange(1, 5).Draw(r, "copies")
				s.delivers(id, copies)
				delivered[id] += copies
			case "take":
				err := s.takes(o)
				if state == "" {
					enough := true
					for i, id := range books {
						enough = enough && delivered[id]-sum(Committed, i)-sum(Reserved, i) >= o.quantities[i]
					}
					state = Refused
					if enough {
						state = Reserved
					}
					states[o.id] = state
				}
				require.Equal(r, state == Refused, errors.Is(err, ErrSoldOut), err)
				require.Equal(r, state == Released, errors.Is(err, ErrCancelled), err)
				require.Equal(r, state == Reserved || state == Committed, err == nil, err)
			case "paid":
				err := s.paid(o)
				require.Equal(r, state == "", errors.Is(err, ErrNotReserved), err)
				require.Equal(r, state == "" || state == Refused, err != nil)
				if state == Reserved {
					states[o.id] = Committed
				}
			case "cancelled":
				require.NoError(r, s.cancelled(o))
				if state != Refused {
					states[o.id] = Released
				}
			}
			for i, id := range books {
				onHand, reserved := s.counts(id)
				require.Equal(r, delivered[id]-sum(Committed, i), onHand)
				require.Equal(r, sum(Reserved, i), reserved)
				require.Equal(r, onHand-reserved, s.told(id), "others know what is left")
			}
		}
	})
}

// counts are the book's two numbers.
func (s shop) counts(bookID uuid.UUID) (onHand, reserved int) {
	s.t.Helper()
	require.NoError(s.t, s.pool.QueryRow(s.t.Context(),
		`select on_hand, reserved from stock where book_id = $1`, bookID).Scan(&onHand, &reserved))
	return onHand, reserved
}

// told is what the newest event says of the book; of a book that had none, zero
// copies are known.
func (s shop) told(bookID uuid.UUID) int {
	s.t.Helper()
	return s.count(`
		select coalesce((array_agg((b->>'available')::bigint order by (b->>'version')::integer desc))[1], 0)
		from outbox, json_array_elements(data->'books') as b
		where b->>'book_id' = $1`, bookID.String())
}

func TestReserving(t *testing.T) {
	t.Parallel()
	s := newShop(t)

	t.Run("answers with the order", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		o := newOrder(map[uuid.UUID]int{s.bookWith(2): 2})
		res := s.reserve("orders", o)
		require.Equal(t, 200, res.Code, res.Body)
		require.JSONEq(t, fmt.Sprintf(`{"order_id":%q,"status":"reserved"}`, o.id), res.Body.String())
	})
	t.Run("what is not there names the books that are short, in order of id", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		few, enough, none := s.bookWith(1), s.bookWith(5), s.newBook()
		res := s.reserve("orders", newOrder(map[uuid.UUID]int{none: 1, few: 2, enough: 5}))
		require.Equal(t, 409, res.Code)
		require.JSONEq(t, fmt.Sprintf(`{
			"type": "urn:banyan:problem:sold-out", "title": "Conflict", "status": 409,
			"detail": "There are not enough copies left.",
			"books": [
				{"book_id":%q,"available":1,"requested":2},
				{"book_id":%q,"available":0,"requested":1}
			]}`, few, none), res.Body.String())
	})
	t.Run("again gets the same answer, whatever the stock is by then", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		bookID := s.bookWith(2)
		served, refused := newOrder(map[uuid.UUID]int{bookID: 2}), newOrder(map[uuid.UUID]int{bookID: 1})
		for _, o := range []order{served, refused} {
			first := s.reserve("orders", o)
			s.delivers(bookID, 10)
			again := s.reserve("orders", o)
			require.Equal(t, first.Code, again.Code)
			require.Equal(t, first.Body.String(), again.Body.String())
		}
		require.NoError(t, s.paid(served))
		require.Equal(t, 200, s.reserve("orders", served).Code)
	})
	t.Run("by twenty at once for one order takes once", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		bookID := s.bookWith(10)
		o := newOrder(map[uuid.UUID]int{bookID: 3})
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if err := s.takes(o); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		require.Equal(t, 7, s.left(bookID))
	})
	t.Run("for an order that is cancelled is refused", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		bookID := s.bookWith(2)
		o := newOrder(map[uuid.UUID]int{bookID: 1})
		require.NoError(t, s.cancelled(o))
		res := s.reserve("orders", o)
		require.Equal(t, 409, res.Code)
		require.Equal(t, "order-cancelled", problem(t, res))
		require.Equal(t, 2, s.left(bookID))
	})
	t.Run("holds as many titles as a cart, and no more", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		wants := map[uuid.UUID]int{}
		for range maxItems {
			wants[s.bookWith(1)] = 1
		}
		require.Equal(t, 200, s.reserve("orders", newOrder(wants)).Code)
		wants[s.bookWith(1)] = 1
		res := s.reserve("orders", newOrder(wants))
		require.Equal(t, 422, res.Code)
		require.Contains(t, res.Body.String(), `"name":"items"`)
	})
	t.Run("is for orders alone", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		bookID := s.bookWith(2)
		for _, caller := range []string{"gateway", "stranger", "staff", ""} {
			require.Equal(t, 403, s.reserve(caller, newOrder(map[uuid.UUID]int{bookID: 1})).Code, caller)
		}
		require.Equal(t, 2, s.left(bookID))
	})
	for body, status := range map[string]int{
		`{"order_id":"` + uuid.NewString() + `","items":[]}`:                                422,
		`{"items":[{"book_id":"` + uuid.NewString() + `","quantity":1}]}`:                   422,
		fmt.Sprintf(`{"order_id":%q,"items":[{"quantity":1}]}`, uuid.New()):                 422,
		fmt.Sprintf(`{"order_id":%[1]q,"items":[{"book_id":%[1]q}]}`, uuid.New()):           422,
		fmt.Sprintf(`{"order_id":%q,"items":[%[2]s,%[2]s]}`, uuid.New(), oneOf(uuid.New())): 422,
		`{"order_id":7}`: 400,
	} {
		t.Run("by "+body+" cannot be", func(t *testing.T) {
			t.Parallel()
			s := s.in(t)
			require.Equal(t, status, s.call("orders", body).Code)
		})
	}
}

func oneOf(bookID uuid.UUID) string { return fmt.Sprintf(`{"book_id":%q,"quantity":1}`, bookID) }
