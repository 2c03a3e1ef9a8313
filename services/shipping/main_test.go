package main

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
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
	order := example[paidData](t, "order.paid")
	customer, staff := p.person(order.AccountID, "customer"), p.person(uuid.New(), "staff")

	p.tell("events.orders.order.paid", "order.paid")
	var list web.List[Shipment]
	soon(t, func() bool {
		require.NoError(t, customer.Do(t.Context(), "GET", "/v1/shipments", nil, &list))
		return len(list.Items) == 1
	}, "the parcel is prepared")
	var sent Shipment
	require.NoError(t, staff.Do(t.Context(), "POST", "/v1/shipments/"+list.Items[0].ID.String()+"/dispatch", nil, &sent))
	require.Equal(t, Dispatched, sent.Status)
	soon(t, func() bool { return len(p.told()) == 1 }, "the dispatch is told")
	require.Equal(t, []string{"events.shipping.shipment.dispatched"}, p.told())

	path, req := "/internal/v1/shipments/"+order.OrderID.String()+"/cancel", cancelRequest{order.AccountID}
	require.ErrorIs(t, customer.Do(t.Context(), "POST", path, req, nil), token.ErrNotAdmitted)
	require.ErrorIs(t, p.orders().Do(t.Context(), "POST", path, req, nil), ErrDispatched)
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

	database := testdb.New(t, migrations.FS).URL("shipping_app")
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

// person is somebody who is signed in.
func (p program) person(id uuid.UUID, role string) *web.Client {
	return web.NewClient(web.ClientConfig{Base: p.url, Bearer: func() (string, error) {
		return p.people.Issue(token.Identity{Subject: id, Role: role}, time.Minute)
	}})
}

func (p program) orders() *web.Client {
	return web.NewClient(web.ClientConfig{Base: p.url, Bearer: func() (string, error) { return p.caller.Token("shipping") }})
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

// told are the subjects of this service's events, in their order.
func (p program) told() (subjects []string) {
	p.t.Helper()
	stream, err := p.js.Stream(p.t.Context(), events.Stream)
	require.NoError(p.t, err)
	for seq := uint64(1); seq <= stream.CachedInfo().State.LastSeq; seq++ {
		msg, err := stream.GetMsg(p.t.Context(), seq)
		require.NoError(p.t, err)
		if strings.HasPrefix(msg.Subject, "events.shipping.") {
			subjects = append(subjects, msg.Subject)
		}
	}
	return subjects
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
