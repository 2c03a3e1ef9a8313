package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"banyan/internal/testdb"
	"banyan/internal/web"
	"banyan/migrations"
)

var record = flag.Bool("record", false, "write testdata/statements.sql anew")

const golden = "testdata/statements.sql"

// TestStatements holds what the shop says to its database, text by text and in order, against what it said before any
// neighbour could be a service. With everything near, the ladder costs a checkout nothing: no statement more.
func TestStatements(t *testing.T) {
	t.Parallel()
	s := newTraced(t)
	const (
		reader = `{"email":"ada@example.com","password":"correct horse","name":"Ada"}`
		cart   = "/v1/cart/items/"
	)
	s.during("register", func() { s.asks(201, "POST", "/v1/accounts", reader) })
	s.signIn(reader)
	book := s.newBook(5)
	const two = `{"quantity":2}`

	s.during("fill the cart", func() { s.asks(200, "PUT", cart+book, two) })
	s.during("checkout", func() { s.buys(201, "tok_visa") })
	order := s.one(`select id from orders`)
	s.asks(200, "PUT", cart+book, two)
	s.during("checkout, declined", func() { s.buys(402, "tok_declined") })
	s.during("checkout, refused by the processor", func() { s.buys(409, "tok_refused") })
	s.asks(200, "PUT", cart+book, `{"quantity":99}`)
	s.during("checkout, sold out", func() { s.buys(409, "tok_visa") })
	s.during("cancel", func() { s.asks(200, "POST", "/v1/orders/"+order+"/cancel", "") })
	s.asks(200, "PUT", cart+book, two)
	s.buys(201, "tok_visa")
	parcel := s.one(`select id from shipments where status = 'preparing'`)

	s.promote()
	s.during("dispatch", func() { s.asks(200, "POST", "/v1/shipments/"+parcel+"/dispatch", "") })
	s.key = uuid.NewString()
	s.during("delivery", func() { s.asks(200, "POST", "/v1/stock/"+book+"/deliveries", two) })

	if *record {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(golden, s.said.Bytes(), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), s.said.String(), "go test ./monolith -run TestStatements -record writes it anew; then the commit has to say why")
}

// traced is the whole monolith, whose statements are written down.
type traced struct {
	t         *testing.T
	http      http.Handler
	superuser *pgxpool.Pool
	token     string
	key       string

	mu      sync.Mutex
	writing bool
	said    bytes.Buffer
}

func newTraced(t *testing.T) *traced {
	t.Helper()
	db := testdb.New(t, migrations.FS)
	s := &traced{t: t, superuser: db.Superuser()}
	config := db.Pool("monolith_app").Config()
	config.ConnConfig.Tracer = s
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	processor := httptest.NewServer(http.HandlerFunc(answerCards))
	t.Cleanup(processor.Close)

	m, err := assemble(Config{
		ProcessorURL: processor.URL, ProcessorKey: "key", SMTPAddr: "127.0.0.1:1", MailFrom: "shop@banyan.example",
		SweepAfter: 5 * time.Second,
	}, pool, func() {}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	e := web.New(web.Options{Log: slog.New(slog.DiscardHandler)})
	m.register(e.Group(""))
	s.http = e
	return s
}

// answerCards is a card processor that knows three cards.
func answerCards(w http.ResponseWriter, r *http.Request) {
	var charge struct{ Token string }
	_ = json.NewDecoder(r.Body).Decode(&charge)
	w.Header().Set("Content-Type", "application/json")
	switch charge.Token {
	case "tok_declined":
		_, _ = w.Write([]byte(`{"status":"declined"}`))
	case "tok_refused":
		w.WriteHeader(http.StatusUnprocessableEntity)
	default:
		_, _ = w.Write([]byte(`{"status":"approved"}`))
	}
}

// during writes down what is said to the database meanwhile.
func (s *traced) during(what string, do func()) {
	s.mu.Lock()
	fmt.Fprintf(&s.said, "-- %s\n\n", what)
	s.writing = true
	s.mu.Unlock()
	do()
	s.mu.Lock()
	s.writing = false
	s.mu.Unlock()
}

func (s *traced) write(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writing {
		fmt.Fprintf(&s.said, format, args...)
	}
}

// TraceQueryStart implements pgx.QueryTracer.
func (s *traced) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	s.write("%s;\n\n", plain(q.SQL))
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (s *traced) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart implements pgx.BatchTracer.
func (s *traced) TraceBatchStart(ctx context.Context, _ *pgx.Conn, b pgx.TraceBatchStartData) context.Context {
	s.write("-- a batch:\n")
	for _, q := range b.Batch.QueuedQueries {
		s.write("%s;\n", plain(q.SQL))
	}
	s.write("\n")
	return ctx
}

// TraceBatchQuery implements pgx.BatchTracer.
func (s *traced) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd implements pgx.BatchTracer.
func (s *traced) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// plain is a statement on one line.
func plain(sql string) string { return strings.Join(strings.Fields(sql), " ") }

func (s *traced) asks(status int, method, path, body string) []byte {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+s.token)
	if s.key != "" {
		r.Header.Set("Idempotency-Key", s.key)
	}
	w := httptest.NewRecorder()
	s.http.ServeHTTP(w, r)
	require.Equal(s.t, status, w.Code, w.Body)
	return w.Body.Bytes()
}

func (s *traced) signIn(reader string) {
	s.t.Helper()
	var credentials map[string]string
	require.NoError(s.t, json.Unmarshal([]byte(reader), &credentials))
	delete(credentials, "name")
	body, err := json.Marshal(credentials)
	require.NoError(s.t, err)
	var said struct{ Token string }
	require.NoError(s.t, json.Unmarshal(s.asks(201, "POST", "/v1/sessions", string(body)), &said))
	s.token = said.Token
}

// buys sends a new checkout.
func (s *traced) buys(status int, card string) {
	s.t.Helper()
	s.key = uuid.NewString()
	defer func() { s.key = "" }()
	s.asks(status, "POST", "/v1/orders", fmt.Sprintf(`{"payment":{"token":%q},"shipping_address":
		{"name":"Ada","street":"12 St James's Square","city":"London","postcode":"SW1Y 4JH","country":"GB"}}`, card))
}

func (s *traced) newBook(copies int) string {
	s.t.Helper()
	id := uuid.Must(uuid.NewV7()).String()
	_, err := s.superuser.Exec(s.t.Context(), `
		insert into monolith.books (id, isbn, title, authors, subject, price, stock)
		values ($1, '9780141439587', 'Emma', '{Jane Austen}', 'novels', 999, $2)`, id, copies)
	require.NoError(s.t, err)
	return id
}

// promote makes everybody staff.
func (s *traced) promote() {
	s.t.Helper()
	_, err := s.superuser.Exec(s.t.Context(), `update monolith.accounts set role = 'staff'`)
	require.NoError(s.t, err)
}

func (s *traced) one(sql string) (id string) {
	s.t.Helper()
	require.NoError(s.t, s.superuser.QueryRow(s.t.Context(), strings.ReplaceAll(sql, "from ", "from monolith.")).Scan(&id))
	return id
}
