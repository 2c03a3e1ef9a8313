package main

import (
	"crypto/ed25519"
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

	"banyan/internal/events"
	"banyan/internal/money"
	"banyan/internal/testdb"
	"banyan/internal/token"
	"banyan/internal/web"
	"banyan/migrations"
)

// shop is the service alone behind its routes, with a card processor.
type shop struct {
	*Service
	t    *testing.T
	pool *pgxpool.Pool
	http http.Handler
	bank *bank
	keys map[string]ed25519.PrivateKey // of those that may call
}

func newShop(t *testing.T) shop {
	t.Helper()
	pool := testdb.New(t, migrations.FS).Pool("payments_app")
	bank := newBank(t)
	s := New(pool, NewProcessor(bank.url, "secret"), func() {})
	keys, public := callers("orders", "gateway")
	e := web.New(web.Options{Log: slog.New(slog.DiscardHandler)})
	Register(e.Group(""), s, web.SignedIn(known), web.Admit(token.NewAdmission("payments", public).Require("orders")))
	return shop{s, t, pool, e, bank, keys}
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

// in is the same shop for a part of the test.
func (s shop) in(t *testing.T) shop {
	s.t = t
	return s
}

// known stands in for signing in: a token is an account's id.
func known(r *http.Request) (token.Identity, error) {
	raw, _ := token.Bearer(r.Header)
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

// listed are the payments on one page that the account sees.
func (s shop) listed(accountID uuid.UUID, query string) web.List[Payment] {
	s.t.Helper()
	res := s.ask("GET", "/v1/payments?"+query, accountID.String(), "")
	require.Equal(s.t, 200, res.Code, res.Body)
	var list web.List[Payment]
	require.NoError(s.t, json.Unmarshal(res.Body.Bytes(), &list))
	return list
}

// status is that of the order's payment, "" if its account sees none.
func (s shop) status(o order) string {
	s.t.Helper()
	items := s.listed(o.accountID, "order_id="+o.id.String()).Items
	if len(items) == 0 {
		return ""
	}
	return items[0].Status
}

// order is to be paid.
type order struct {
	id, accountID uuid.UUID
	cents         int64
	cardToken     string
}

// newOrder is an order of a new customer.
func (s shop) newOrder(cardToken string) order {
	s.t.Helper()
	o := order{uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7()), 2598, cardToken}
	s.place(o)
	return o
}

// place does nothing: the order is somewhere else.
func (s shop) place(order) {}

// pays does what a checkout does with the payment.
func (s shop) pays(o order) (captured bool) {
	s.t.Helper()
	captured, err := s.Pay(s.t.Context(), o.id, o.accountID, o.cents, o.cardToken)
	require.NoError(s.t, err)
	return captured
}

// cancels does what the cancellation of an order does with its payment.
func (s shop) cancels(o order) {
	s.t.Helper()
	s.hears(orderData{o.id, o.accountID, money.USD(o.cents)})
}

// hears gives a cancelled order to the handler of its event.
func (s shop) hears(data orderData) {
	s.t.Helper()
	require.NoError(s.t, pgx.BeginFunc(s.t.Context(), s.pool, func(tx pgx.Tx) error {
		return s.orderCancelled(s.t.Context(), tx, events.Event{}, data)
	}))
}

func (s shop) count(sql string, args ...any) (n int) {
	s.t.Helper()
	require.NoError(s.t, s.pool.QueryRow(s.t.Context(), sql, args...).Scan(&n))
	return n
}
