package shipping

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
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
	s := New(pool, nil, shippedOrders{})
	e := web.New(web.Options{Log: slog.New(slog.DiscardHandler)})
	Register(e.Group(""), s, web.SignedIn(known))
	return shop{s, t, pool, e}
}

// shippedOrders stands in for orders.
type shippedOrders struct{}

func (shippedOrders) QueueShipped(b *pgx.Batch, orderID, _ uuid.UUID) {
	b.Queue(`update orders set status = 'shipped' where id = $1`, orderID)
}
func (shippedOrders) Refused(error) bool { return false }

// told is how often it was said that the order's parcel has left.
func (s shop) told(o order) int {
	s.t.Helper()
	return s.count(`select count(*) from orders where id = $1 and status = 'shipped'`, o.id)
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
	o := order{uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())}
	s.exec(`insert into accounts (id, email, name, password_hash, role, created_at) values ($1, $2, 'Ada', '', 'customer', now())`, o.accountID, o.accountID.String())
	return s.place(o)
}

// place writes the order's row, which the shipment refers to.
func (s shop) place(o order) order {
	s.t.Helper()
	s.exec(`
		insert into orders (id, account_id, status, total, shipping_address, placed_at)
		values ($1, $2, 'paid', 2598, '{}', now())`, o.id, o.accountID)
	return o
}

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
	var b pgx.Batch
	s.QueuePrepare(&b, o.id, o.accountID, []byte(address))
	require.NoError(s.t, postgres.Exec(s.t.Context(), s.pool, &b))
}

// cancels is what the cancellation of an order asks for.
func (s shop) cancels(o order) error {
	var b pgx.Batch
	s.QueueCancel(&b, o.id)
	return postgres.Exec(s.t.Context(), s.pool, &b)
}

// shipped reports whether that is why a cancellation failed.
func (s shop) shipped(err error) bool { return s.Dispatched(err) }

func (s shop) exec(sql string, args ...any) {
	s.t.Helper()
	_, err := s.pool.Exec(s.t.Context(), sql, args...)
	require.NoError(s.t, err)
}

func (s shop) count(sql string, args ...any) (n int) {
	s.t.Helper()
	require.NoError(s.t, s.pool.QueryRow(s.t.Context(), sql, args...).Scan(&n))
	return n
}
