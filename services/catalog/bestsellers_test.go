package main

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"banyan/internal/web"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// orderID is the nth of the ids, in their order.
func orderID(n int) (id uuid.UUID) {
	binary.BigEndian.PutUint64(id[8:], uint64(n))
	return id
}

// sold is how many copies of which book the list has, by ISBN and in its order.
type sold struct {
	isbn   string
	copies int
}

func (s shop) bestsellers(subject string) []sold {
	s.t.Helper()
	books, err := s.Bestsellers(s.t.Context(), subject)
	require.NoError(s.t, err)
	list := []sold{}
	for _, b := range books {
		list = append(list, sold{b.ISBN, b.Sold})
	}
	return list
}

func TestBestsellers(t *testing.T) {
	t.Parallel()

	t.Run("are those of which most copies were sold, ties in order of ISBN", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		second, first, most := s.adds(novel(2)), s.adds(novel(1)), s.adds(novel(3))
		s.adds(novel(4)) // is not sold
		s.stocks(most.ID, 9)
		s.sells(orderID(1), noon, map[uuid.UUID]int{second.ID: 1, most.ID: 2})
		s.sells(orderID(2), noon, map[uuid.UUID]int{second.ID: 1, first.ID: 2})
		s.sells(orderID(3), noon, map[uuid.UUID]int{most.ID: 1})
		require.Equal(t, []sold{{most.ISBN, 3}, {first.ISBN, 2}, {second.ISBN, 2}}, s.bestsellers(""))
		books, err := s.Bestsellers(t.Context(), "")
		require.NoError(t, err)
		most.Available = 9
		require.Equal(t, Bestseller{most, 3}, books[0])
	})
	t.Run("of one subject leave the others out", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		elsewhere := novel(1)
		elsewhere.Subject = "sea"
		elsewhere = s.adds(elsewhere)
		b := s.adds(novel(2))
		s.sells(orderID(1), noon, map[uuid.UUID]int{elsewhere.ID: 5, b.ID: 1})
		require.Equal(t, []sold{{b.ISBN, 1}}, s.bestsellers("novels"))
		require.Equal(t, []sold{{elsewhere.ISBN, 5}}, s.bestsellers("sea"))
		require.Empty(t, s.bestsellers("dogs"))
	})
	t.Run("are fifty at most", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		copies := map[uuid.UUID]int{}
		for n := range bestsellers + 1 {
			copies[s.adds(novel(n)).ID] = 1
		}
		s.sells(orderID(1), noon, copies)
		list := s.bestsellers("")
		require.Len(t, list, 50)
		require.Equal(t, sold{isbn(49), 1}, list[49])
	})
	t.Run("count the last 3,333 orders, and an older one when one of them is cancelled", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		b, old, older := s.adds(novel(1)), s.adds(novel(2)), s.adds(novel(3))
		recent := make([]uuid.UUID, 3333)
		for n := range recent {
			recent[n] = orderID(2 + n)
		}
		// Of orders placed at the same time, the one with the highest id is the last.
		s.sells(orderID(1), noon, map[uuid.UUID]int{old.ID: 99})
		s.sells(orderID(9999), noon.Add(-time.Microsecond), map[uuid.UUID]int{older.ID: 99})
		s.sellsMany(recent, noon, b.ID)
		require.Equal(t, []sold{{b.ISBN, 3333}}, s.bestsellers(""))

		s.cancels(recent[17])
		require.Equal(t, []sold{{b.ISBN, 3332}, {old.ISBN, 99}}, s.bestsellers(""))
		s.cancels(orderID(1))
		require.Equal(t, []sold{{b.ISBN, 3332}, {older.ISBN, 99}}, s.bestsellers(""))
		s.sells(orderID(10000), noon.Add(time.Hour), map[uuid.UUID]int{b.ID: 3})
		require.Equal(t, []sold{{b.ISBN, 3335}}, s.bestsellers(""), "the oldest gives way to a new one")
	})
	t.Run("are shown to everybody, and may be a moment old", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		const path = "/v1/books/bestsellers"
		require.JSONEq(t, `{"items":[],"next_cursor":null}`, s.ask("GET", path, "", "").Body.String())
		b := s.adds(novel(1))
		s.sells(orderID(1), noon, map[uuid.UUID]int{b.ID: 2})
		require.JSONEq(t, `{"items":[],"next_cursor":null}`, s.ask("GET", path, "", "").Body.String())
		list := read[web.List[Bestseller]](t, s.ask("GET", path+"?subject=novels", "", ""), 200)
		require.Equal(t, []Bestseller{{b, 2}}, list.Items)
	})
	t.Run("of what cannot be a subject are refused", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		for _, subject := range []string{"%00", "%FF"} {
			p := read[problem](t, s.ask("GET", "/v1/books/bestsellers?subject="+subject, "", ""), 422)
			require.Equal(t, []string{"subject"}, p.blamed())
		}
	})
}
