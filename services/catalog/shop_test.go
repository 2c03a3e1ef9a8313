package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"banyan/internal/events"
	"banyan/internal/money"
	"banyan/internal/postgres"
	"banyan/internal/testdb"
	"banyan/internal/token"
	"banyan/internal/web"
	"banyan/migrations"
)

// What orders tells of.
const (
	orderPaid      = "order.paid"
	orderCancelled = "order.cancelled"
)

// shop is the service alone behind its routes.
type shop struct {
	*Service
	t     *testing.T
	pool  *pgxpool.Pool
	owner *pgxpool.Pool // who may do what only migrations do
	http  http.Handler
	woken *atomic.Int32 // how often the relay was told that there is something to publish
}

func newShop(t *testing.T) shop {
	t.Helper()
	db := testdb.New(t, migrations.FS)
	pool := db.Pool("catalog_app")
	var woken atomic.Int32
	s := New(pool, func() { woken.Add(1) })
	e := web.New(web.Options{Log: slog.New(slog.DiscardHandler)})
	Register(e.Group(""), s, web.SignedIn(known))
	return shop{s, t, pool, db.Pool("catalog_owner"), e, &woken}
}

// in is the same shop for a part of the test.
func (s shop) in(t *testing.T) shop {
	s.t = t
	return s
}

// known stands in for signing in: a token is a role.
func known(r *http.Request) (token.Identity, error) {
	role, ok := token.Bearer(r.Header)
	if !ok {
		return token.Identity{}, token.ErrUnauthenticated
	}
	return token.Identity{Subject: uuid.NewSHA1(uuid.Nil, []byte(role)), Role: role}, nil
}

// ask sends a request and returns the answer. The header is name and value in turn.
func (s shop) ask(method, path, role, body string, header ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	req := httptest.NewRequestWithContext(s.t.Context(), method, path, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	if role != "" {
		req.Header.Set("Authorization", "Bearer "+role)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res := httptest.NewRecorder()
	s.http.ServeHTTP(res, req)
	return res
}

// list is a page of books as a client gets it.
func (s shop) list(query string) web.List[Book] {
	s.t.Helper()
	return read[web.List[Book]](s.t, s.ask("GET", "/v1/books?"+query, "", ""), 200)
}

// read fails the test unless the answer has the status, and returns its body.
func read[T any](t *testing.T, res *httptest.ResponseRecorder, status int) (v T) {
	t.Helper()
	require.Equal(t, status, res.Code, res.Body)
	require.NoError(t, json.Unmarshal(res.Body.Bytes(), &v), res.Body)
	return v
}

// problem is what a problem blames, in its order.
type problem struct {
	Type   string `json:"type"`
	Errors []struct {
		Name string `json:"name"`
	} `json:"errors"`
}

func (p problem) blamed() (fields []string) {
	for _, e := range p.Errors {
		fields = append(fields, e.Name)
	}
	return fields
}

// novel is a book that can be added; each n makes another.
func novel(n int) Book {
	return Book{
		ISBN: isbn(n), Title: "Emma", Authors: []string{"Jane Austen"}, Subject: "novels", Price: money.USD(1299),
	}
}

// isbn is the nth of the ISBNs, in their order.
func isbn(n int) string {
	s := fmt.Sprintf("978%09d", n)
	for _, digit := range "0123456789" {
		if ValidISBN(s + string(digit)) {
			return s + string(digit)
		}
	}
	panic("every twelve digits have a check digit")
}

// adds puts a book on the shelf.
func (s shop) adds(b Book) Book {
	s.t.Helper()
	b, err := s.Add(s.t.Context(), b)
	require.NoError(s.t, err)
	return b
}

// stocks makes so many copies of a book available.
func (s shop) stocks(bookID uuid.UUID, copies int) {
	s.t.Helper()
	hear(s, s.stockChanged, "stock.changed", `{"books":[{"book_id":%q,"available":%d,"version":%d}]}`, bookID, copies, time.Now().UnixNano())
}

// sells is an order that was paid at that time.
func (s shop) sells(orderID uuid.UUID, at time.Time, copies map[uuid.UUID]int) {
	s.t.Helper()
	var items []string
	for bookID, quantity := range copies {
		items = append(items, fmt.Sprintf(`{"book_id":%q,"quantity":%d}`, bookID, quantity))
	}
	hear(s, s.ordersEnded, orderPaid, `{"order_id":%q,"placed_at":%q,"items":[%s]}`, orderID, at.Format(time.RFC3339Nano), strings.Join(items, ","))
}

// sellsMany are n orders of one copy, all paid at that time.
func (s shop) sellsMany(orders []uuid.UUID, at time.Time, bookID uuid.UUID) {
	s.t.Helper()
	_, err := s.pool.Exec(s.t.Context(), `
		with paid as (
			insert into recent_orders (order_id, placed_at)
			select id, $2
			from unnest($1::uuid[]) as id
			returning order_id
		)
		insert into recent_order_items (order_id, book_id, quantity)
		select order_id, $3, 1
		from paid`, orders, at, bookID)
	require.NoError(s.t, err)
}

// cancels cancels an order that was paid.
func (s shop) cancels(orderID uuid.UUID) {
	s.t.Helper()
	hear(s, s.ordersEnded, orderCancelled, `{"order_id":%q,"placed_at":%q}`, orderID, noon.Format(time.RFC3339Nano))
}

// hear gives data to the handler of an event, in a transaction.
func hear[T any](s shop, handle func(context.Context, *pgx.Batch, []events.Heard[T]) error, typ, format string, args ...any) {
	s.t.Helper()
	heard := events.Heard[T]{Event: events.Event{Type: typ}}
	require.NoError(s.t, json.Unmarshal(fmt.Appendf(nil, format, args...), &heard.Data))
	var b pgx.Batch
	require.NoError(s.t, handle(s.t.Context(), &b, []events.Heard[T]{heard}))
	require.NoError(s.t, postgres.Exec(s.t.Context(), s.pool, &b))
}
