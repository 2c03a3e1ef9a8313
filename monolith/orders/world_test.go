package orders

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"banyan/internal/money"
	"banyan/internal/postgres"
	"banyan/internal/testdb"
	"banyan/internal/token"
	"banyan/internal/web"
	"banyan/migrations"
)

// shop is the module alone behind its routes, among stand-ins for its neighbours.
type shop struct {
	*Service
	*neighbours
	t    *testing.T
	pool *pgxpool.Pool
	http http.Handler
}

// An hour is never over in a test: lapse says when it is.
const sweepAfter = time.Hour

func newShop(t *testing.T) shop {
	t.Helper()
	pool := testdb.New(t, migrations.FS).Pool("monolith_app")
	n := newNeighbours(t, pool)
	s := New(pool, func() {}, Near{
		Stock: n.shelf, Payments: n.cashier, Recovery: n.cashier, Refunds: n.cashier, Shipments: n.depot, Mail: n.post,
	}, Far{}, sweepAfter)
	e := web.New(web.Options{Log: quiet})
	Register(e.Group(""), s, web.SignedIn(byHeader))
	return shop{s, n, t, pool, e}
}

var quiet = slog.New(slog.DiscardHandler)

// byHeader believes whoever says who they are.
func byHeader(r *http.Request) (token.Identity, error) {
	id, err := uuid.Parse(r.Header.Get("Account"))
	return token.Identity{Subject: id, Role: "customer"}, err
}

// reply is an answer to the byte.
type reply struct {
	t      *testing.T
	status int
	header http.Header
	body   string
}

func (s shop) answer(req *http.Request) reply {
	res := httptest.NewRecorder()
	s.http.ServeHTTP(res, req)
	return reply{s.t, res.Code, res.Header(), res.Body.String()}
}

func (r reply) is(status int) reply {
	r.t.Helper()
	require.Equal(r.t, status, r.status, r.body)
	return r
}

// same is an answer to the byte, as a key has to repeat it.
func (r reply) same(other reply) {
	r.t.Helper()
	require.Equal(r.t, r.status, other.status, other.body)
	require.Equal(r.t, r.body, other.body)
	for _, name := range []string{"Content-Type", "Location"} {
		require.Equal(r.t, r.header.Get(name), other.header.Get(name))
	}
}

// refused is the problem of this status and code.
func (r reply) refused(status int, code string) (p struct {
	Type    string    `json:"type"`
	OrderID uuid.UUID `json:"order_id"`
	Books   []short   `json:"books"`
}) {
	r.t.Helper()
	r.is(status)
	require.NoError(r.t, json.Unmarshal([]byte(r.body), &p), r.body)
	require.Equal(r.t, web.ProblemPrefix+code, p.Type)
	return p
}

func (r reply) order() (o Order) {
	r.t.Helper()
	require.NoError(r.t, json.Unmarshal([]byte(r.body), &o), r.body)
	return o
}

func (r reply) cart() (c Cart) {
	r.t.Helper()
	require.NoError(r.t, json.Unmarshal([]byte(r.body), &c), r.body)
	return c
}

// customer asks in somebody's name.
type customer struct {
	shop
	id uuid.UUID
}

func (c customer) request(method, path, body string) *http.Request {
	req := httptest.NewRequestWithContext(c.t.Context(), method, path, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Account", c.id.String())
	return req
}

func (c customer) asks(method, path, body string) reply {
	return c.answer(c.request(method, path, body))
}

func (c customer) puts(quantity int, b book) Cart {
	c.t.Helper()
	body, _ := json.Marshal(map[string]int{"quantity": quantity})
	return c.asks("PUT", "/v1/cart/items/"+b.id.String(), string(body)).is(200).cart()
}

func (c customer) cart() Cart { return c.asks("GET", "/v1/cart", "").is(200).cart() }

// inCart is how many of each book are in the cart.
func (c customer) inCart() map[uuid.UUID]int {
	lines := map[uuid.UUID]int{}
	for _, i := range c.cart().Items {
		lines[i.BookID] = i.Quantity
	}
	return lines
}

var home = Address{"Ada Lovelace", "12 St James's Square", "London", "SW1Y 4JH", "GB"}

// checkout is the request that buys the cart.
func (c customer) checkout(card, key string) *http.Request {
	var body checkoutRequest
	body.Payment.Token, body.ShippingAddress = card, home
	b, _ := json.Marshal(body)
	req := c.request("POST", "/v1/orders", string(b))
	req.Header.Set("Idempotency-Key", key)
	return req
}

func (c customer) pays(card, key string) reply { return c.answer(c.checkout(card, key)) }

// paying is pays in the background.
func (c customer) paying(card, key string) <-chan reply {
	done := make(chan reply, 1)
	go func() { done <- c.pays(card, key) }()
	return done
}

func (c customer) orders() []Order {
	c.t.Helper()
	r := c.asks("GET", "/v1/orders?limit=100", "").is(200)
	var list web.List[Order]
	require.NoError(c.t, json.Unmarshal([]byte(r.body), &list))
	return list.Items
}

func (c customer) order(id uuid.UUID) Order {
	c.t.Helper()
	return c.asks("GET", "/v1/orders/"+id.String(), "").is(200).order()
}

func (c customer) cancels(id uuid.UUID) reply {
	return c.asks("POST", "/v1/orders/"+id.String()+"/cancel", "")
}

// became checks what has become of an order, and returns it.
func (c customer) became(id uuid.UUID, status, reason string) Order {
	c.t.Helper()
	o := c.order(id)
	require.Equal(c.t, status, o.Status)
	if reason == "" {
		require.Nil(c.t, o.CancelReason)
	} else {
		require.Equal(c.t, &reason, o.CancelReason)
	}
	return o
}

func newKey() string { return uuid.NewString() }

// lapsed makes every order the sweeper's.
const lapsed = `
	update orders
	set placed_at = placed_at - interval '2 hours', cancel_requested_at = cancel_requested_at - interval '2 hours'
	where status = 'pending' or cancel_requested_at is not null`

// lapse makes every order the sweeper's.
func (s shop) lapse() {
	s.exec(lapsed)
}

// leasesEnd makes every key in flight anybody's.
func (s shop) leasesEnd() {
	s.exec(`update idempotency_keys set claimed_at = claimed_at - interval '11 seconds' where status is null`)
}

// sweeps finishes what is left, whenever it was left.
func (s shop) sweeps() {
	s.t.Helper()
	s.lapse()
	require.NoError(s.t, s.sweep(s.t.Context(), quiet))
}

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

// soon waits for what has to come true.
func (s shop) soon(check func() bool) {
	s.t.Helper()
	for end := time.Now().Add(10 * time.Second); !check(); time.Sleep(5 * time.Millisecond) {
		require.True(s.t, time.Now().Before(end), "did not come true in 10 s")
	}
}

// waiting waits until a statement of this shop waits for a lock.
func (s shop) waiting() {
	s.t.Helper()
	s.soon(func() bool {
		return s.count(`select count(*) from pg_stat_activity
			where datname = current_database() and wait_event_type = 'Lock'`) > 0
	})
}

// ships sends the order's parcel off, and marks the order in the same transaction.
func (s shop) ships(id uuid.UUID) {
	s.t.Helper()
	var b pgx.Batch
	b.Queue(`update shipments set status = 'dispatched', tracking_number = 'BN1' where order_id = $1`, id)
	var accountID uuid.UUID
	require.NoError(s.t, s.pool.QueryRow(s.t.Context(), `select account_id from orders where id = $1`, id).Scan(&accountID))
	Fulfilment{s.near.Mail}.QueueShipped(&b, id, accountID)
	require.NoError(s.t, postgres.Exec(s.t.Context(), s.pool, &b))
}

// book is a book that can be bought.
type book struct {
	id    uuid.UUID
	title string
}

func (s shop) customer() customer {
	s.t.Helper()
	c := customer{s, uuid.New()}
	s.exec(`insert into accounts (id, email, name, password_hash, role, created_at)
		values ($1::uuid, $1::uuid || '@example.org', 'Ada', '', 'customer', now())`, c.id)
	return c
}

// cardsKept counts the card tokens that are still kept.
func (s shop) cardsKept() int {
	return s.count(`select count(*) from payments where card_token is not null`)
}

// book adds one, at so many cents, with so many copies.
func (s shop) book(title string, cents int64, copies int) book {
	s.t.Helper()
	b := book{uuid.Must(uuid.NewV7()), title}
	s.exec(`insert into books (id, isbn, title, authors, subject, price, stock)
		values ($1::uuid, $1::uuid::text, $2, '{}', 'Fiction', $3, $4)`, b.id, title, money.USD(cents), copies)
	return b
}
