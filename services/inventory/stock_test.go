package main

import (
	"fmt"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func TestStock(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	bookID := s.bookWith(3)
	path := "/v1/stock/" + bookID.String()

	t.Run("is shown to staff", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		res := s.ask("GET", path, "staff", "", "")
		require.Equal(t, 200, res.Code)
		require.JSONEq(t, fmt.Sprintf(`{"book_id":%q,"available":3}`, bookID), res.Body.String())
	})
	t.Run("is shown to nobody else", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		require.Equal(t, 401, s.ask("GET", path, "", "", "").Code)
		require.Equal(t, 403, s.ask("GET", path, "customer", "", "").Code)
		require.Equal(t, 403, s.ask("POST", deliveries(bookID), "customer", "k", `{"quantity":1}`).Code)
	})
	t.Run("of an unknown book is not found", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		require.Equal(t, 404, s.ask("GET", "/v1/stock/"+uuid.NewString(), "staff", "", "").Code)
		require.Equal(t, 400, s.ask("GET", "/v1/stock/emma", "staff", "", "").Code)
	})
}

func TestDelivering(t *testing.T) {
	t.Parallel()
	s := newShop(t)

	t.Run("adds to what is there", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		bookID := s.bookWith(10)
		res := s.ask("POST", deliveries(bookID), "staff", "k", `{"quantity":5}`)
		require.Equal(t, 200, res.Code)
		require.JSONEq(t, fmt.Sprintf(`{"book_id":%q,"available":15}`, bookID), res.Body.String())
		require.Equal(t, 15, s.left(bookID))
		require.Equal(t, 15, s.count(`select sum(quantity) from deliveries where book_id = $1`, bookID))
	})
	t.Run("once per key, though it is asked ten times at once", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		bookID := s.newBook()
		answers := make([]*httptest.ResponseRecorder, 10)
		var wg sync.WaitGroup
		for i := range answers {
			wg.Go(func() { answers[i] = s.ask("POST", deliveries(bookID), "staff", "once", `{"quantity":7}`) })
		}
		wg.Wait()
		for _, res := range answers {
			require.Equal(t, 200, res.Code, res.Body)
			require.Equal(t, answers[0].Body.String(), res.Body.String())
		}
		require.Equal(t, 7, s.left(bookID))
	})
	t.Run("gets the answer of the first time, whatever the stock is by then", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		bookID := s.newBook()
		first := s.ask("POST", deliveries(bookID), "staff", "again", `{"quantity":1}`)
		s.delivers(bookID, 4)
		again := s.ask("POST", deliveries(bookID), "staff", "again", `{"quantity":1}`)
		require.Equal(t, first.Body.String(), again.Body.String())
		require.Equal(t, 5, s.left(bookID))
	})
	t.Run("needs a key that was not used for something else", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		bookID := s.newBook()
		require.Equal(t, "key-missing", problem(t, s.ask("POST", deliveries(bookID), "staff", "", `{"quantity":1}`)))
		s.ask("POST", deliveries(bookID), "staff", "k", `{"quantity":1}`)
		require.Equal(t, "key-reused", problem(t, s.ask("POST", deliveries(bookID), "staff", "k", `{"quantity":2}`)))
		require.Equal(t, 1, s.left(bookID))
	})
	t.Run("of an unknown book leaves the key free", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		require.Equal(t, 404, s.ask("POST", deliveries(uuid.New()), "staff", "lost", `{"quantity":1}`).Code)
		require.Zero(t, s.count(`select count(*) from idempotency_keys where key = 'lost'`))
	})
	for body, status := range map[string]int{
		`{"quantity":0}`: 422, `{"quantity":-1}`: 422, `{"quantity":1000001}`: 422, `{}`: 422,
		`{"quantity":"1"}`: 400, `{"quantity":1.5}`: 400, `{"copies":1}`: 400, `{`: 400,
	} {
		t.Run("of "+body+" is refused", func(t *testing.T) {
			t.Parallel()
			s := s.in(t)
			bookID := s.newBook()
			require.Equal(t, status, s.ask("POST", deliveries(bookID), "staff", "k", body).Code)
			require.Zero(t, s.left(bookID))
		})
	}
}

func TestFullShelf(t *testing.T) {
	t.Parallel()
	s := newShop(t)

	t.Run("takes a delivery up to the last copy, and none beyond it", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		bookID := s.newBook()
		s.fill(bookID, maxAvailable-3)
		s.delivers(bookID, 2)
		for _, body := range []string{`{"quantity":2}`, `{"quantity":1000000}`} {
			res := s.ask("POST", deliveries(bookID), "staff", "again", body)
			require.Equal(t, 422, res.Code, res.Body)
			require.Contains(t, res.Body.String(), `"name":"quantity"`)
		}
		require.Equal(t, maxAvailable-1, s.left(bookID))
		require.Equal(t, 200, s.ask("POST", deliveries(bookID), "staff", "again", `{"quantity":1}`).Code, "the key is free")
		require.Equal(t, maxAvailable, s.left(bookID))
		require.Equal(t, 3, s.count(`select sum(quantity) from deliveries where book_id = $1`, bookID))
	})
	for _, copies := range []int{1<<31 - 1, maxAvailable} {
		t.Run(fmt.Sprintf("of %d copies takes back what an order gives back", copies), func(t *testing.T) {
			t.Parallel()
			s := s.in(t)
			bookID := s.bookWith(5)
			o := newOrder(map[uuid.UUID]int{bookID: 5})
			require.NoError(t, s.takes(o))
			s.fill(bookID, copies)
			s.givesBack(o)
			require.Equal(t, min(copies+5, maxAvailable), s.left(bookID), "as many as the contract can count")

			require.NoError(t, s.takes(newOrder(map[uuid.UUID]int{bookID: 7})))
			require.Equal(t, copies-2, s.left(bookID), "and none was lost")
		})
	}
	t.Run("that holds more than it shows takes no delivery", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		bookID := s.newBook()
		s.fill(bookID, maxAvailable+1)
		require.Equal(t, maxAvailable, s.left(bookID))
		require.Equal(t, 422, s.ask("POST", deliveries(bookID), "staff", "k", `{"quantity":1}`).Code)
	})
}
