package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"banyan/internal/idempotency"
	"banyan/internal/postgres"
	"banyan/internal/testdb"
	"banyan/migrations"
	"banyan/monolith/inventory"
	"banyan/monolith/notifications"
	"banyan/monolith/orders"
	"banyan/monolith/payments"
	"banyan/monolith/shipping"
	"banyan/scripts/lab/seed"
)

const (
	members   = 256 // customers who buy once, then get their carts filled again
	cartBooks = 3
)

const checkoutBody = `{"payment":{"token":"tok_visa"},"shipping_address":{"name":"A Reader",` +
	`"street":"1 Fig Tree Lane","city":"Bayonne","postcode":"64100","country":"FR"}}`

// limits is a monolith that runs in this process, on the small data set.
type limits struct {
	url      string
	appURL   string        // its database
	pool     *pgxpool.Pool // as large as its own
	owner    *pgxpool.Pool // for what is not measured
	books    []seed.Book
	subjects []string
	members  []*member
	charges  string // the card processor's address
	http     *http.Client
}

// member is a signed-in customer who buys the same books each time.
type member struct {
	id    uuid.UUID
	token string
	books []uuid.UUID // sorted, as locks have to be taken
}

func newLimits(b *testing.B) *limits {
	b.Helper()
	ctx := b.Context()
	db := testdb.New(b, migrations.FS)
	l := &limits{
		appURL: db.URL("monolith_app"),
		owner:  db.Pool("monolith_owner"),
		http: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
			MaxIdleConnsPerHost: clients, DisableCompression: true,
		}},
	}
	data := seed.Generate(seed.Small)
	conn, err := postgres.Connect(ctx, db.URL("monolith_owner"))
	require.NoError(b, err)
	require.NoError(b, seed.Copy(ctx, conn, "monolith", data))
	require.NoError(b, conn.Close(ctx))
	l.books = data.Books
	subjects := map[string]bool{}
	for _, book := range data.Books {
		subjects[book.Subject] = true
	}
	l.subjects = slices.Sorted(maps.Keys(subjects))

	l.pool, err = postgres.Open(ctx, l.appURL, postgres.Options{MaxConns: clients})
	require.NoError(b, err)
	b.Cleanup(l.pool.Close)
	l.signIn(b, data.Accounts[1:1+members])
	_, err = l.owner.Exec(ctx, `update books set stock = 1000000000`)
	require.NoError(b, err)

	l.charges = approveAll(b)
	l.start(b)
	b.Cleanup(l.http.CloseIdleConnections)
	return l
}

// signIn makes sessions without hashing passwords.
func (l *limits) signIn(b *testing.B, accounts []seed.Account) {
	b.Helper()
	var batch pgx.Batch
	for i, account := range accounts {
		random := make([]byte, 32)
		_, _ = rand.Read(random)
		m := &member{id: account.ID, token: base64.RawURLEncoding.EncodeToString(random)}
		for n := range cartBooks {
			m.books = append(m.books, l.books[(i*cartBooks+n)%len(l.books)].ID)
		}
		slices.SortFunc(m.books, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
		l.members = append(l.members, m)
		hash := sha256.Sum256([]byte(m.token))
		batch.Queue(`insert into sessions (token_hash, account_id, created_at, expires_at) values ($1, $2, now(), now() + interval '1 day')`,
			hash[:], m.id)
	}
	require.NoError(b, postgres.Exec(b.Context(), l.owner, &batch))
}

// approveAll is a card processor that approves everything at once.
func approveAll(b *testing.B) string {
	b.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"status":"approved"}`)
	}))
	b.Cleanup(server.Close)
	return server.URL
}

// start runs the monolith as its main does. There is no mail server, so mail stays queued.
func (l *limits) start(b *testing.B) {
	b.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	log := &listening{found: make(chan string, 1)}
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{
			"ADDR=127.0.0.1:0", "OPS_ADDR=127.0.0.1:0", "DATABASE_URL=" + l.appURL,
			"PROCESSOR_URL=" + l.charges, "PROCESSOR_KEY=key", "SMTP_ADDR=" + deafAddress(b),
		}, log)
	}()
	select {
	case address := <-log.found:
		l.url = "http://" + address
	case err := <-ended:
		require.NoError(b, err, "the monolith ended")
	case <-time.After(10 * time.Second):
		require.FailNow(b, "the monolith does not listen")
	}
	b.Cleanup(func() {
		cancel()
		require.NoError(b, <-ended)
	})
}

// deafAddress is one where nobody listens.
func deafAddress(b *testing.B) string {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	defer listener.Close()
	return listener.Addr().String()
}

// listening reads a log for the address that customers use.
type listening struct {
	mu    sync.Mutex
	found chan string
}

func (l *listening) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var entry struct{ Msg, Port, Addr string }
	if json.Unmarshal(line, &entry) == nil && entry.Msg == "listening" && entry.Port != "ops" {
		l.found <- entry.Addr
	}
	return len(line), nil
}

// recordCheckout lets the modules buy one cart.
func (l *limits) recordCheckout(b *testing.B) *recorded {
	b.Helper()
	l.fillCarts(b)
	buyer := l.members[0]
	return record(b, l.appURL, func(r *recorded) error {
		mail := notifications.New(r.pool, nil)
		money := payments.New(r.pool, payments.NewProcessor(l.charges, "key"))
		sales := orders.New(r.pool, orders.Neighbours{
			Stock: inventory.New(r.pool), Payments: money, Recovery: money,
			Shipments: shipping.New(r.pool, orders.Fulfilment{Mail: mail}), Mail: mail,
		}, time.Minute)
		answer, err := sales.Checkout(b.Context(), orders.Purchase{
			AccountID: buyer.id,
			Key:       idempotency.Request{Owner: buyer.id, Method: http.MethodPost, Path: "/v1/orders", Key: recordedKey},
			CardToken: "tok_visa",
			Address:   orders.Address{Name: "A Reader", Street: "1 Fig Tree Lane", City: "Bayonne", Postcode: "64100", Country: "FR"},
		})
		if err == nil && answer.Status != http.StatusCreated {
			err = fmt.Errorf("the checkout was answered with %d %s", answer.Status, answer.Body)
		}
		return err
	})
}

const recordedKey = "recorded"

// checkoutOf makes the recorded checkout, which was the first member's, one of this member, with new ids and a
// new key.
func (l *limits) checkoutOf(m *member, r *recorded) substitution {
	to := substitution{ids: map[uuid.UUID]uuid.UUID{}, texts: map[string]string{recordedKey: uuid.NewString()}}
	for id := range r.ids {
		to.ids[id] = uuid.Must(uuid.NewV7())
	}
	buyer := l.members[0]
	to.ids[buyer.id] = m.id
	for i, book := range buyer.books {
		to.ids[book] = m.books[i]
	}
	return to
}

// checkouts lets members buy until b.N have. Carts are filled while the clock stands still.
func (l *limits) checkouts(b *testing.B, buy func(context.Context, *member) error) {
	b.Helper()
	b.ResetTimer()
	b.StopTimer()
	for done := 0; done < b.N; done += len(l.members) {
		l.fillCarts(b)
		b.StartTimer()
		spread(b, min(len(l.members), b.N-done), func(ctx context.Context, n int) error { return buy(ctx, l.members[n]) })
		b.StopTimer()
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}

// fillCarts gives each member a cart of their books, at version 1.
func (l *limits) fillCarts(b *testing.B) {
	b.Helper()
	var owners, books []uuid.UUID
	for _, m := range l.members {
		for _, book := range m.books {
			owners, books = append(owners, m.id), append(books, book)
		}
	}
	var batch pgx.Batch
	batch.Queue(`
		insert into carts (account_id)
		select distinct unnest($1::uuid[])
		on conflict (account_id) do update set version = 1`, owners)
	batch.Queue(`
		insert into cart_items (account_id, book_id, quantity)
		select *, 1 from unnest($1::uuid[], $2::uuid[])
		on conflict (account_id, book_id) do update set quantity = 1`, owners, books)
	require.NoError(b, postgres.Exec(b.Context(), l.owner, &batch))
}

func (l *limits) get(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	return l.ask(request, http.StatusOK)
}

// ask reads the whole answer, so that its connection can be used again.
func (l *limits) ask(request *http.Request, status int) error {
	response, err := l.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != status {
		content, _ := io.ReadAll(response.Body)
		return fmt.Errorf("%s was answered with %s: %s", request.URL, response.Status, content)
	}
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

func (l *limits) body(b *testing.B, url string) []byte {
	b.Helper()
	response, err := l.http.Get(url)
	require.NoError(b, err)
	defer response.Body.Close()
	require.Equal(b, http.StatusOK, response.StatusCode)
	content, err := io.ReadAll(response.Body)
	require.NoError(b, err)
	return content
}

func writeJSON(w http.ResponseWriter, content any) error {
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(content)
}
