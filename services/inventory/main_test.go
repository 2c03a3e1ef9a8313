package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"banyan/docs/api"
	"banyan/internal/events"
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
	bookID := example[newBookData](t, "book.added").BookID
	order := example[orderData](t, "order.paid")

	p.tell("events.catalog.book.added", "book.added")
	stock := "/v1/stock/" + bookID.String()
	soon(t, func() bool { return p.staff().Do(t.Context(), "GET", stock, nil, nil) == nil }, "the book is known")
	req, err := http.NewRequestWithContext(t.Context(), "POST", p.url+stock+"/deliveries", bytes.NewBufferString(`{"quantity":5}`))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+p.person("staff"))
	req.Header.Set("Idempotency-Key", "k")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	res.Body.Close()
	require.Equal(t, 200, res.StatusCode)

	reservation := reservationRequest{order.OrderID, []item{{bookID, 2}}}
	require.ErrorIs(t, p.staff().Do(t.Context(), "POST", "/internal/v1/reservations", reservation, nil), token.ErrNotAdmitted)
	require.NoError(t, p.orders().Do(t.Context(), "POST", "/internal/v1/reservations", reservation, nil))
	p.tell("events.orders.order.paid", "order.paid")
	p.tell("events.orders.order.cancelled", "order.cancelled")

	var told []bookData
	soon(t, func() bool { told = p.told(); return len(told) == 3 }, "all changes are told")
	require.Equal(t, []int{5, 3, 5}, []int{told[0].Available, told[1].Available, told[2].Available})
	require.Less(t, told[1].Version, told[2].Version)
}

// program is the running service, and what it needs of others.
type program struct {
	t      *testing.T
	url    string
	js     jetstream.JetStream
	people *token.Signer
	caller *token.Caller
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
	keys, public := callers("orders")

	database := testdb.New(t, migrations.FS).URL("inventory_app")
	ctx, stop := context.WithCancel(context.Background())
	addr := make(listening, 1)
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{
			"ADDR=127.0.0.1:0", "OPS_ADDR=127.0.0.1:0", "NATS_URL=" + broker, "ACCOUNTS_URL=" + accounts.URL,
			"DATABASE_URL=" + database,
			"CALLERS=orders=" + base64.StdEncoding.EncodeToString(public["orders"]),
		}, addr)
	}()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	select {
	case url := <-addr:
		return program{t, url, js, people, token.NewCaller("orders", keys["orders"])}
	case err := <-ended:
		require.FailNow(t, "it does not start", err)
		return program{}
	}
}

func (p program) person(role string) string {
	p.t.Helper()
	raw, err := p.people.Issue(token.Identity{Subject: uuid.New(), Role: role}, time.Minute)
	require.NoError(p.t, err)
	return raw
}

func (p program) staff() *web.Client {
	return web.NewClient(web.ClientConfig{Base: p.url, Bearer: func() (string, error) { return p.person("staff"), nil }})
}

func (p program) orders() *web.Client {
	return web.NewClient(web.ClientConfig{Base: p.url, Bearer: func() (string, error) { return p.caller.Token("inventory") }})
}

// tell publishes the example of an event, as its owner would.
func (p program) tell(subject, typ string) {
	p.t.Helper()
	_, err := p.js.PublishMsg(p.t.Context(), &nats.Msg{Subject: subject, Data: api.Event(typ), Header: nats.Header{
		"ce-specversion": {"1.0"}, "ce-id": {uuid.NewString()}, "ce-type": {typ},
		"ce-source": {"test"}, "ce-time": {time.Now().UTC().Format(time.RFC3339Nano)},
	}})
	require.NoError(p.t, err)
}

// told are the books in the events of this service, in their order.
func (p program) told() (books []bookData) {
	p.t.Helper()
	stream, err := p.js.Stream(p.t.Context(), events.Stream)
	require.NoError(p.t, err)
	for seq := uint64(1); seq <= stream.CachedInfo().State.LastSeq; seq++ {
		msg, err := stream.GetMsg(p.t.Context(), seq)
		require.NoError(p.t, err)
		if msg.Subject != "events.inventory.stock.changed" {
			continue
		}
		var data stockData
		require.NoError(p.t, json.Unmarshal(msg.Data, &data))
		books = append(books, data.Books...)
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
