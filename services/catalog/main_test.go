package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"banyan/docs/api"
	"banyan/internal/events"
	"banyan/internal/fault"
	"banyan/internal/testdb"
	"banyan/internal/token"
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
	soon(t, func() bool { told = p.told(); return len(told) == 2 }, "both edits are told")
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
	p.tell("events.inventory.stock.changed", about("stock.changed"))
	p.tell("events.orders.order.paid", about("order.paid"))
	soon(t, func() bool { return p.handled() == 2 }, "both events have their effect")
	require.NoError(t, p.as("").Do(t.Context(), "GET", path, nil, &b))
	require.Equal(t, stock.Available, b.Available)
	require.Equal(t, []Bestseller{{b, 2}}, sold(""))

	p.tell("events.orders.order.cancelled", about("order.cancelled"))
	soon(t, func() bool { return p.handled() == 3 }, "the cancellation has its effect")
	require.Empty(t, sold("?subject=novels"))
}

// program is the running service, and what it needs of others.
type program struct {
	t      *testing.T
	url    string
	pool   *pgxpool.Pool
	js     jetstream.JetStream
	people *token.Signer
}

func start(t *testing.T) program {
	t.Helper()
	broker := testdb.NATS(t)
	nc, err := nats.Connect(broker)
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	require.NoError(t, events.Provision(t.Context(), js))

	_, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	people := token.NewSigner("accounts", []ed25519.PrivateKey{key})
	accounts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(people.JWKS()) }))
	t.Cleanup(accounts.Close)

	db := testdb.New(t, migrations.FS)
	database := db.URL("catalog_app")
	ctx, stop := context.WithCancel(context.Background())
	addr := make(listening, 1)
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{
			"ADDR=127.0.0.1:0", "OPS_ADDR=127.0.0.1:0", "NATS_URL=" + broker, "ACCOUNTS_URL=" + accounts.URL,
			"DATABASE_URL=" + database,
		}, addr)
	}()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	select {
	case url := <-addr:
		return program{t, url, db.Pool("catalog_app"), js, people}
	case err := <-ended:
		ended <- err // the cleanup waits for it
		require.FailNow(t, "it does not start", err)
		return program{}
	}
}

// as is somebody of that role; "" is somebody who has not signed in.
func (p program) as(role string) *web.Client {
	c := web.ClientConfig{Base: p.url}
	if role != "" {
		c.Bearer = func() (string, error) {
			return p.people.Issue(token.Identity{Subject: uuid.New(), Role: role}, time.Minute)
		}
	}
	return web.NewClient(c)
}

// tell publishes an event, as its owner would.
func (p program) tell(subject string, data []byte) {
	p.t.Helper()
	typ := strings.SplitN(subject, ".", 3)[2] // events.<area>.<type>
	_, err := p.js.PublishMsg(p.t.Context(), &nats.Msg{Subject: subject, Data: data, Header: nats.Header{
		"ce-specversion": {"1.0"}, "ce-id": {uuid.NewString()}, "ce-type": {typ},
		"ce-source": {"test"}, "ce-time": {time.Now().UTC().Format(time.RFC3339Nano)},
	}})
	require.NoError(p.t, err)
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
	stream, err := p.js.Stream(p.t.Context(), events.Stream)
	require.NoError(p.t, err)
	for seq := uint64(1); seq <= stream.CachedInfo().State.LastSeq; seq++ {
		msg, err := stream.GetMsg(p.t.Context(), seq)
		require.NoError(p.t, err)
		require.Contains(p.t, msg.Subject, "events.catalog.book.")
		var data bookData
		require.NoError(p.t, json.Unmarshal(msg.Data, &data))
		books = append(books, data)
	}
	return books
}

// listening receives a process's log, and gives its public address on.
type listening chan string

func (l listening) Write(line []byte) (int, error) {
	var entry struct{ Msg, Port, Addr string }
	if json.Unmarshal(line, &entry) == nil && entry.Msg == "listening" && entry.Port == "public" {
		l <- "http://" + entry.Addr
	}
	return len(line), nil
}

// soon waits until what has to come true is true.
func soon(t *testing.T, check func() bool, what string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !check(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			require.Fail(t, "did not come true in 10 s", what)
		}
	}
}
