package inventory

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"banyan/internal/postgres"
	"banyan/internal/testdb"
	"banyan/internal/token"
	"banyan/internal/web"
	"banyan/migrations"
)

// shop is the module alone behind its routes.
type shop struct {
	*Service
	t    *testing.T
	pool *pgxpool.Pool
	http http.Handler
}

func newShop(t *testing.T) shop {
	t.Helper()
	pool := testdb.New(t, migrations.FS).Pool("monolith_app")
	s := New(pool, nil)
	e := web.New(web.Options{Log: slog.New(slog.DiscardHandler)})
	Register(e.Group(""), s, web.SignedIn(known))
	return shop{s, t, pool, e}
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

// ask sends a request and returns the answer.
func (s shop) ask(method, path, role, key, body string) *httptest.ResponseRecorder {
	s.t.Helper()
	req := httptest.NewRequestWithContext(s.t.Context(), method, path, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	if role != "" {
		req.Header.Set("Authorization", "Bearer "+role)
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	res := httptest.NewRecorder()
	s.http.ServeHTTP(res, req)
	return res
}

// newBook is a book that has just been added to the catalog.
func (s shop) newBook() uuid.UUID {
	s.t.Helper()
	id := uuid.Must(uuid.NewV7())
	_, err := s.pool.Exec(s.t.Context(), `
		insert into books (id, isbn, title, authors, subject, price)
		values ($1, $2, 'Emma', '{Jane Austen}', 'novels', 999)`, id, id.String())
	require.NoError(s.t, err)
	return id
}

// bookWith is a new book with so many copies.
func (s shop) bookWith(copies int) uuid.UUID {
	s.t.Helper()
	id := s.newBook()
	s.delivers(id, copies)
	return id
}

func (s shop) delivers(bookID uuid.UUID, copies int) {
	s.t.Helper()
	res := s.ask("POST", deliveries(bookID), "staff", uuid.NewString(), fmt.Sprintf(`{"quantity":%d}`, copies))
	require.Equal(s.t, 200, res.Code, res.Body)
}

// fill counts so many copies on the shelf that deliveries would take years to bring them.
func (s shop) fill(bookID uuid.UUID, copies int) {
	s.t.Helper()
	_, err := s.pool.Exec(s.t.Context(), `update books set stock = $2 where id = $1`, bookID, copies)
	require.NoError(s.t, err)
}

func deliveries(bookID uuid.UUID) string { return "/v1/stock/" + bookID.String() + "/deliveries" }

// left is how many copies can be bought.
func (s shop) left(bookID uuid.UUID) int {
	s.t.Helper()
	stock, err := s.Stock(s.t.Context(), bookID)
	require.NoError(s.t, err)
	return stock.Available
}

// order wants one copy or more of some books.
type order struct {
	id         uuid.UUID
	books      []uuid.UUID // in order of id
	quantities []int
}

func newOrder(wants map[uuid.UUID]int) order {
	o := order{id: uuid.Must(uuid.NewV7())}
	for id := range wants {
		o.books = append(o.books, id)
	}
	slices.SortFunc(o.books, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	for _, id := range o.books {
		o.quantities = append(o.quantities, wants[id])
	}
	return o
}

// takes is what a checkout does with the stock.
func (s shop) takes(o order) error {
	var b pgx.Batch
	s.QueueTake(s.t.Context(), &b, o.books, o.quantities)
	return postgres.Exec(s.t.Context(), s.pool, &b)
}

// givesBack is what the cancellation of an order does.
func (s shop) givesBack(o order) {
	s.t.Helper()
	var b pgx.Batch
	s.QueueGiveBack(s.t.Context(), &b, o.books, o.quantities)
	require.NoError(s.t, postgres.Exec(s.t.Context(), s.pool, &b))
}

// soldOut reports whether that is why a checkout failed.
func (s shop) soldOut(err error) bool { return s.Refused(err) }

func (s shop) count(sql string, args ...any) (n int) {
	s.t.Helper()
	require.NoError(s.t, s.pool.QueryRow(s.t.Context(), sql, args...).Scan(&n))
	return n
}

// problem is the code of a problem.
func problem(t *testing.T, res *httptest.ResponseRecorder) string {
	t.Helper()
	require.Equal(t, web.ContentTypeProblem, res.Header().Get("Content-Type"))
	var p struct {
		Type string `json:"type"`
	}
	require.NoError(t, json.Unmarshal(res.Body.Bytes(), &p), res.Body)
	return strings.TrimPrefix(p.Type, web.ProblemPrefix)
}
