package main

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"banyan/docs/api"
	"banyan/internal/events"
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
	order := example[orderData](t, "order.paid")
	customer, staff := p.person(order.AccountID, "customer"), p.person(uuid.New(), "staff")

	p.tell("events.orders.order.paid", "order.paid")
	var list web.List[Shipment]
	testprocess.Soon(t, func() bool {
		require.NoError(t, customer.Do(t.Context(), "GET", "/v1/shipments", nil, &list))
		return len(list.Items) == 1
	}, "the parcel is prepared")
	var sent Shipment
	require.NoError(t, staff.Do(t.Context(), "POST", "/v1/shipments/"+list.Items[0].ID.String()+"/dispatch", nil, &sent))
	require.Equal(t, Dispatched, sent.Status)
	testprocess.Soon(t, func() bool { return len(p.told()) == 1 }, "the dispatch is told")
	require.Equal(t, []string{"events.shipping.shipment.dispatched"}, p.told())

	path, req := "/internal/v1/shipments/"+order.OrderID.String()+"/cancel", cancelRequest{order.AccountID}
	require.ErrorIs(t, customer.Do(t.Context(), "POST", path, req, nil), token.ErrNotAdmitted)
	require.ErrorIs(t, p.orders().Do(t.Context(), "POST", path, req, nil), ErrDispatched)
}

// A service that stands by answers, and leaves the events to those that own the area.
func TestStandby(t *testing.T) {
	t.Parallel()
	p := start(t, "STANDBY=true")
	order := example[orderData](t, "order.paid")
	require.NoError(t, events.Emit(t.Context(), p.pool, shipmentDispatched, dispatchedData{OrderID: order.OrderID}))
	p.tell("events.orders.order.paid", "order.paid")

	var list web.List[Shipment]
	for range 20 { // a relay and a consumer that ran would need one or two of these rounds
		require.NoError(t, p.person(order.AccountID, "customer").Do(t.Context(), "GET", "/v1/shipments", nil, &list))
		require.Empty(t, list.Items)
		require.Empty(t, p.told())
		time.Sleep(20 * time.Millisecond)
	}
	_, err := p.JetStream.Consumer(t.Context(), events.Stream, "shipping")
	require.ErrorIs(t, err, jetstream.ErrConsumerNotFound, "it has not even asked for events")
}

func TestHandover(t *testing.T) {
	t.Parallel()
	testprocess.Handover(t, testdb.New(t, migrations.FS), "shipping", "shipments", run)
}

// program is the running service, and the world around it.
type program struct {
	testprocess.World
	t      *testing.T
	url    string
	pool   *pgxpool.Pool
	caller *token.Caller
}

func start(t *testing.T, environ ...string) program {
	t.Helper()
	w := testprocess.New(t, "accounts")
	db := testdb.New(t, migrations.FS)
	keys, public := callers("orders")
	url := w.Run(run, append(environ, "ACCOUNTS_URL="+w.IssuerURL, "DATABASE_URL="+db.URL("shipping_app"),
		"CALLERS=orders="+base64.StdEncoding.EncodeToString(public["orders"][0]))...)
	return program{w, t, url, db.Pool("shipping_app"), token.NewCaller("orders", keys["orders"])}
}

// person is somebody who is signed in.
func (p program) person(id uuid.UUID, role string) *web.Client { return p.Person(p.url, id, role) }

func (p program) orders() *web.Client {
	return web.NewClient(web.ClientConfig{Base: p.url, Bearer: func() (string, error) { return p.caller.Token("shipping") }})
}

// tell publishes the example of an event, as its owner would.
func (p program) tell(subject, typ string) { p.Tell(subject, api.Event(typ)) }

// told are the subjects of this service's events, in their order.
func (p program) told() (subjects []string) {
	for _, msg := range p.Told("events.shipping.") {
		subjects = append(subjects, msg.Subject)
	}
	return subjects
}
