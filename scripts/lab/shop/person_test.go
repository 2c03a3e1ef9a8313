package shop

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/seed"
)

func TestAnswer(t *testing.T) {
	t.Parallel()
	answer := func(status int, kind, later, body string) Answer {
		return Answer{Status: status, Body: []byte(body), Header: http.Header{"Content-Type": {kind}, "Retry-After": {later}}}
	}
	const problem = "application/problem+json"
	soldOut := answer(409, problem, "", `{"type":"urn:banyan:problem:sold-out"}`)
	require.Equal(t, "sold-out", soldOut.Code())
	require.Empty(t, answer(409, "text/html", "", `{"type":"urn:banyan:problem:sold-out"}`).Code())
	require.Empty(t, answer(200, "application/json", "", `{}`).Code())

	for status, later := range map[int]bool{200: false, 409: false, 429: true, 500: false, 502: true, 503: true, 504: true} {
		require.Equal(t, later, answer(status, problem, "", "").Later(), status)
		require.Equal(t, later && status != 429, answer(status, problem, "", "").Away(), status)
	}
	require.Equal(t, 3*time.Second, answer(503, problem, "3", "").Wait())
	require.Equal(t, 100*time.Millisecond, answer(503, problem, "", "").Wait())
	require.Equal(t, 100*time.Millisecond, Answer{}.Wait(), "and after no answer at all")

	require.True(t, soldOut.Same(soldOut))
	require.False(t, soldOut.Same(answer(409, problem, "", `{"type":"urn:banyan:problem:order-pending"}`)))

	var book Book
	require.NoError(t, answer(200, "application/json", "", `{"id":"b"}`).Read(&book))
	require.Equal(t, "b", book.ID)
	require.NoError(t, answer(204, "", "", "").Read(nil))
	require.EqualError(t, soldOut.Read(&book), `answered 409 Conflict: {"type":"urn:banyan:problem:sold-out"}`)
	require.ErrorContains(t, answer(200, "application/json", "", `<html>`).Read(&book), "200 OK: <html>")
}

// counter is the least of a shop that a person needs. It is away at every other request, and hears of things late.
type counter struct {
	mu    sync.Mutex
	asked map[string]int
	lines []string // of the cart
}

func (s *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	route := r.Method + " " + r.URL.Path
	s.asked[route]++
	n := s.asked[route]
	if n%2 == 1 {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if route != "POST /v1/sessions" && r.Header.Get("Authorization") != "Bearer opaque" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	switch route {
	case "POST /v1/sessions":
		fmt.Fprint(w, `{"token":"opaque"}`)
	case "GET /v1/books/bestsellers":
		fmt.Fprint(w, `{"items":[{"id":"b1"},{"id":"b2"},{"id":"b3"}]}`)
	case "POST /v1/stock/b1/deliveries", "POST /v1/stock/b2/deliveries", "PUT /v1/cart/items/b1":
		if n < 4 {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		s.lines = []string{"b1"}
		fmt.Fprint(w, `{"items":[{"book_id":"b1","quantity":2}]}`)
	case "GET /v1/cart":
		fmt.Fprint(w, `{"items":[{"book_id":"b1","quantity":2}]}`)
	case "DELETE /v1/cart/items/b1":
		s.lines = nil
		fmt.Fprint(w, `{"items":[]}`)
	case "GET /v1/stock/b1":
		fmt.Fprint(w, `{"available":7}`)
	case "POST /v1/orders":
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprint(w, `{"id":"o1","status":"pending"}`)
	case "GET /v1/orders/o1":
		status := Pending
		if n >= 4 {
			status = Paid
		}
		fmt.Fprintf(w, `{"id":"o1","status":%q}`, status)
	default:
		w.WriteHeader(http.StatusTeapot)
	}
}

func TestPerson(t *testing.T) {
	t.Parallel()
	s := &counter{asked: map[string]int{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	c, err := New(Options{Connections: 2}, server.URL)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	ctx := t.Context()

	staff, err := Staff(ctx, c)
	require.NoError(t, err)
	require.Equal(t, seed.StaffEmail, staff.Email)
	books, err := staff.StockUp(ctx, 2, 50)
	require.NoError(t, err)
	require.Len(t, books, 2)
	_, err = staff.StockUp(ctx, 4, 50)
	require.ErrorContains(t, err, "the shop has 3 bestsellers, and the customers want 4")
	copies, err := staff.Stock(ctx, "b1")
	require.NoError(t, err)
	require.Equal(t, 7, copies)

	people, err := Readers(ctx, c, 3)
	require.NoError(t, err)
	require.Len(t, people, 3)
	one := people[1]
	require.Equal(t, seed.ReaderEmail(2), one.Email)
	cart, err := one.Put(ctx, "b1", 2)
	require.NoError(t, err)
	require.Equal(t, []Line{{BookID: "b1", Quantity: 2}}, cart.Items)
	require.NoError(t, one.EmptyCart(ctx))
	require.Empty(t, s.lines)

	said, err := one.CheckOut(ctx, "once", CardGood)
	require.NoError(t, err)
	var order Order
	require.NoError(t, said.Read(&order))
	require.Equal(t, Pending, order.Status)
	order, err = one.Settle(ctx, order.ID)
	require.NoError(t, err)
	require.Equal(t, Paid, order.Status)

	err = one.Ask(ctx, http.MethodGet, "/v1/nowhere", nil, nil)
	require.ErrorContains(t, err, "GET /v1/nowhere: answered 418")
}
