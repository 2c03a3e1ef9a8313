package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"banyan/docs/api"
	"banyan/internal/testdb"
	"banyan/internal/testprocess"
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
	order.OrderID = placed(0)

	p.tell("events.catalog.book.added", "book.added", order.OrderID)
	stock := "/v1/stock/" + bookID.String()
	testprocess.Soon(t, func() bool { return p.staff().Do(t.Context(), "GET", stock, nil, nil) == nil }, "the book is known")
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
	p.tell("events.orders.order.paid", "order.paid", order.OrderID)
	p.tell("events.orders.order.cancelled", "order.cancelled", order.OrderID)

	var told []bookData
	testprocess.Soon(t, func() bool { told = p.told(); return len(told) == 3 }, "all changes are told")
	require.Equal(t, []int{5, 3, 5}, []int{told[0].Available, told[1].Available, told[2].Available})
	require.Less(t, told[1].Version, told[2].Version)
}

func TestHandover(t *testing.T) {
	t.Parallel()
	testprocess.Handover(t, testdb.New(t, migrations.FS), "inventory", "deliveries", run)
}

// program is the running service, and the world around it.
type program struct {
	testprocess.World
	t      *testing.T
	url    string
	caller *token.Caller
}

func start(t *testing.T) program {
	t.Helper()
	w := testprocess.New(t, "accounts")
	keys, public := callers("orders")
	url := w.Run(run, "ACCOUNTS_URL="+w.IssuerURL, "DATABASE_URL="+testdb.New(t, migrations.FS).URL("inventory_app"),
		"CALLERS=orders="+base64.StdEncoding.EncodeToString(public["orders"][0]))
	return program{w, t, url, token.NewCaller("orders", keys["orders"])}
}

func (p program) person(role string) string {
	p.t.Helper()
	raw, err := p.People.Issue(token.Identity{Subject: uuid.New(), Role: role}, time.Minute)
	require.NoError(p.t, err)
	return raw
}

func (p program) staff() *web.Client {
	return web.NewClient(web.ClientConfig{Base: p.url, Bearer: func() (string, error) { return p.person("staff"), nil }})
}

func (p program) orders() *web.Client {
	return web.NewClient(web.ClientConfig{Base: p.url, Bearer: func() (string, error) { return p.caller.Token("inventory") }})
}

// tell publishes the example of an event, as its owner would, as if it were about this
// order: the one in the examples is too old to begin.
func (p program) tell(subject, typ string, order uuid.UUID) {
	p.t.Helper()
	theirs := example[orderData](p.t, "order.cancelled").OrderID.String()
	p.Tell(subject, bytes.ReplaceAll(api.Event(typ), []byte(theirs), []byte(order.String())))
}

// told are the books in the events of this service, in their order.
func (p program) told() (books []bookData) {
	p.t.Helper()
	for _, msg := range p.Told("events.inventory.stock.changed") {
		var data stockData
		require.NoError(p.t, json.Unmarshal(msg.Data, &data))
		books = append(books, data.Books...)
	}
	return books
}
