package main

import (
	"bytes"
	"encoding/base64"
	"testing"

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
	order := example[orderData](t, "order.cancelled")
	order.OrderID = placed(0)
	charge := chargeRequest{order.OrderID, order.AccountID, order.Total, "tok_visa"}

	customer := p.person(order.AccountID)
	require.ErrorIs(t, customer.Do(t.Context(), "POST", "/internal/v1/charges", charge, nil), token.ErrNotAdmitted)
	var charged struct{ Status string }
	require.NoError(t, p.orders().Do(t.Context(), "POST", "/internal/v1/charges", charge, &charged))
	require.Equal(t, Captured, charged.Status)
	testprocess.Soon(t, func() bool { return len(p.told()) == 1 }, "the payment is told")

	p.tell("events.orders.order.cancelled", "order.cancelled", order.OrderID)
	testprocess.Soon(t, func() bool { return len(p.told()) == 2 }, "the refund is told")
	require.Equal(t, []string{"events.payments.payment.captured", "events.payments.payment.refunded"}, p.told())
	var list web.List[Payment]
	require.NoError(t, customer.Do(t.Context(), "GET", "/v1/payments", nil, &list))
	require.Len(t, list.Items, 1)
	require.Equal(t, Refunded, list.Items[0].Status)
	require.Equal(t, order.OrderID, list.Items[0].OrderID)
}

func TestHandover(t *testing.T) {
	t.Parallel()
	testprocess.Handover(t, testdb.New(t, migrations.FS), "payments", "payments", run)
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
	url := w.Run(run, "ACCOUNTS_URL="+w.IssuerURL, "DATABASE_URL="+testdb.New(t, migrations.FS).URL("payments_app"),
		"CALLERS=orders="+base64.StdEncoding.EncodeToString(public["orders"][0]), "PROCESSOR_URL="+newBank(t).url, "PROCESSOR_KEY=secret")
	return program{w, t, url, token.NewCaller("orders", keys["orders"])}
}

// person is a customer who is signed in.
func (p program) person(id uuid.UUID) *web.Client { return p.Person(p.url, id, "customer") }

func (p program) orders() *web.Client {
	return web.NewClient(web.ClientConfig{Base: p.url, Bearer: func() (string, error) { return p.caller.Token("payments") }})
}

// tell publishes the example of an event, as its owner would, as if it were about this
// order: the one in the examples is too old to begin.
func (p program) tell(subject, typ string, order uuid.UUID) {
	p.t.Helper()
	theirs := example[orderData](p.t, "order.cancelled").OrderID.String()
	p.Tell(subject, bytes.ReplaceAll(api.Event(typ), []byte(theirs), []byte(order.String())))
}

// told are the subjects of this service's events, in their order.
func (p program) told() (subjects []string) {
	for _, msg := range p.Told("events.payments.") {
		subjects = append(subjects, msg.Subject)
	}
	return subjects
}
