package main

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"banyan/docs/api"
	"banyan/internal/fault"
	"banyan/internal/testdb"
	"banyan/internal/testprocess"
	"banyan/internal/web"
	"banyan/migrations"
)

// The whole process: started by its environment, called with real tokens,
// hearing and telling through a real broker.
func TestProcess(t *testing.T) {
	t.Parallel()
	p := start(t)

	emma := newBook{ISBN: isbn(1), Title: "Emma", Authors: []string{"Jane Austen"}, Subject: "novels", Price: novel(1).Price}
	require.Equal(t, fault.Forbidden, fault.KindOf(p.as("customer").Do(t.Context(), "POST", "/v1/books", emma, nil)))
	var b Book
	require.NoError(t, p.as("staff").Do(t.Context(), "POST", "/v1/books", emma, &b))
	path := "/v1/books/" + b.ID.String()
	require.NoError(t, p.as("staff").Do(t.Context(), "PATCH", path, map[string]string{"title": "Emma, again"}, &b))
	var told []bookData
	testprocess.Soon(t, func() bool { told = p.told(); return len(told) == 2 }, "both edits are told")
	require.Equal(t, bookEvent(b), told[1])
	require.Equal(t, "Emma", told[0].Title)

	stock := example[stockData](t, "stock.changed").Books[0]
	about := func(typ string) []byte { // the example, as if it were about this book
		return bytes.ReplaceAll(api.Event(typ), []byte(stock.BookID.String()), []byte(b.ID.String()))
	}
	sold := func(query string) []Bestseller {
		var list web.List[Bestseller]
		require.NoError(t, p.as("").Do(t.Context(), "GET", "/v1/books/bestsellers"+query, nil, &list))
		return list.Items
	}
	p.Tell("events.inventory.stock.changed", about("stock.changed"))
	p.Tell("events.orders.order.paid", about("order.paid"))
	testprocess.Soon(t, func() bool { return p.handled() == 2 }, "both events have their effect")
	require.NoError(t, p.as("").Do(t.Context(), "GET", path, nil, &b))
	require.Equal(t, stock.Available, b.Available)
	require.Equal(t, []Bestseller{{b, 2}}, sold(""))

	p.Tell("events.orders.order.cancelled", about("order.cancelled"))
	testprocess.Soon(t, func() bool { return p.handled() == 3 }, "the cancellation has its effect")
	require.Empty(t, sold("?subject=novels"))
}

func TestHandover(t *testing.T) {
	t.Parallel()
	testprocess.Handover(t, testdb.New(t, migrations.FS), "catalog", "books", run)
}

// program is the running service, and the world around it.
type program struct {
	testprocess.World
	t    *testing.T
	url  string
	pool *pgxpool.Pool
}

func start(t *testing.T) program {
	t.Helper()
	w := testprocess.New(t, "accounts")
	db := testdb.New(t, migrations.FS)
	url := w.Run(run, "ACCOUNTS_URL="+w.IssuerURL, "DATABASE_URL="+db.URL("catalog_app"))
	return program{w, t, url, db.Pool("catalog_app")}
}

// as is somebody of that role; "" is somebody who has not signed in.
func (p program) as(role string) *web.Client {
	if role == "" {
		return web.NewClient(web.ClientConfig{Base: p.url})
	}
	return p.Person(p.url, uuid.New(), role)
}

// handled is how many events had their effect.
func (p program) handled() (n int) {
	p.t.Helper()
	require.NoError(p.t, p.pool.QueryRow(p.t.Context(), `select count(*) from inbox`).Scan(&n))
	return n
}

// told is what this service published, in its order.
func (p program) told() (books []bookData) {
	p.t.Helper()
	for _, msg := range p.Told("events.catalog.") {
		require.Contains(p.t, msg.Subject, "events.catalog.book.")
		var data bookData
		require.NoError(p.t, json.Unmarshal(msg.Data, &data))
		books = append(books, data)
	}
	return books
}
