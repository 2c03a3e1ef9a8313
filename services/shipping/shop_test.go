package main

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"banyan/internal/events"
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
	t    *testing.T
	pool *pgxpool.Pool
	http http.Handler
	keys map[string]ed25519.PrivateKey // of those that may call
}

func newShop(t *testing.T) shop {
	t.Helper()
	pool := testdb.New(t, migrations.FS).Pool("shipping_app")
	s := New(pool, func() {})
	keys, public := callers("orders", "gateway")
	e := web.New(web.Options{Log: slog.New(slog.DiscardHandler)})
	Register(e.Group(""), s, web.SignedIn(known), web.Admit(token.NewAdmission("shipping", public).Require("orders")))
	return shop{s, t, pool, e, keys}
}

// callers makes a key for each of the services.
func callers(names ...string) (keys map[string]ed25519.PrivateKey, public map[string][]ed25519.PublicKey) {
	keys, public = map[string]ed25519.PrivateKey{}, map[string][]ed25519.PublicKey{}
	for _, name := range names {
		key, own, _ := ed25519.GenerateKey(nil)
		public[name], keys[name] = []ed25519.PublicKey{key}, own
	}
	return keys, public
}

// told is how often it was said that the order's parcel has left.
func (s shop) told(o order) int {
	s.t.Helper()
	return s.count(`select count(*) from outbox where type = $1 and data->>'order_id' = $2`, shipmentDispatched, o.id.String())
}

// in is the same shop for a part of the test.
func (s shop) in(t *testing.T) shop {
	s.t = t
	return s
}

// known stands in for signing in: a token is an account's id, or staff.
func known(r *http.Request) (token.Identity, error) {
	raw, _ := token.Bearer(r.Header)
	if raw == "staff" {
		return token.Identity{Role: "staff"}, nil
	}
	id, err := uuid.Parse(raw)
	if err != nil {
		return token.Identity{}, token.ErrUnauthenticated
	}
	return token.Identity{Subject: id, Role: "customer"}, nil
}

// ask sends a request and returns the answer.
func (s shop) ask(method, path, credential, body string) *httptest.ResponseRecorder {
	s.t.Helper()
	req := httptest.NewRequestWithContext(s.t.Context(), method, path, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	if credential != "" {
		req.Header.Set("Authorization", "Bearer "+credential)
	}
	res := httptest.NewRecorder()
	s.http.ServeHTTP(res, req)
	return res
}

// listed are the shipments on one page that the account sees.
func (s shop) listed(accountID uuid.UUID, query string) web.List[Shipment] {
	s.t.Helper()
	res := s.ask("GET", "/v1/shipments?"+query, accountID.String(), "")
	require.Equal(s.t, 200, res.Code, res.Body)
	var list web.List[Shipment]
	require.NoError(s.t, json.Unmarshal(res.Body.Bytes(), &list))
	return list
}

// shipment is that of the order, as its customer sees it.
func (s shop) shipment(o order) Shipment {
	s.t.Helper()
	items := s.listed(o.accountID, "order_id="+o.id.String()).Items
	require.Len(s.t, items, 1)
	return items[0]
}

// dispatches sends the order's parcel off, or tries to.
func (s shop) dispatches(o order) *httptest.ResponseRecorder {
	s.t.Helper()
	return s.ask("POST", "/v1/shipments/"+s.shipment(o).ID.String()+"/dispatch", "staff", "")
}

// order is to be sent to its customer.
type order struct{ id, accountID uuid.UUID }

const address = `{"name": "Ada Lovelace", "street": "12 St James's Square", "city": "London", "postcode": "SW1Y 4JH", "country": "GB"}`

// newOrder is an order of a new customer.
func (s shop) newOrder() order {
	s.t.Helper()
	return s.place(order{uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())})
}

// place does nothing: the order is somewhere else.
func (s shop) place(o order) order { return o }

// paid is an order whose parcel is being prepared.
func (s shop) paid() order {
	s.t.Helper()
	o := s.newOrder()
	s.pays(o)
	return o
}

// pays is what a paid order does with its shipment.
func (s shop) pays(o order) {
	s.t.Helper()
	s.hears(orderPaid, orderData{OrderID: o.id, AccountID: o.accountID, ShippingAddress: []byte(address)})
}

// cancels is what the cancellation of an order asks for.
func (s shop) cancels(o order) error { return s.Cancel(s.t.Context(), o.id, o.accountID) }

// shipped reports whether that is why a cancellation failed.
func (s shop) shipped(err error) bool { return errors.Is(err, ErrDispatched) }

// cancelled is the event of a cancelled order.
func (s shop) cancelled(o order, reason string) {
	s.t.Helper()
	s.hears(orderCancelled, orderData{OrderID: o.id, AccountID: o.accountID, Reason: reason})
}

// hears gives data to the handler of an event.
func (s shop) hears(typ string, data orderData) {
	s.t.Helper()
	var b pgx.Batch
	heard := []events.Heard[orderData]{{Event: events.Event{Type: typ}, Data: data}}
	require.NoError(s.t, s.ordersEnded(s.t.Context(), &b, heard))
	require.NoError(s.t, postgres.Exec(s.t.Context(), s.pool, &b))
}

func (s shop) count(sql string, args ...any) (n int) {
	s.t.Helper()
	require.NoError(s.t, s.pool.QueryRow(s.t.Context(), sql, args...).Scan(&n))
	return n
}
