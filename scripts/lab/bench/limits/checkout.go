package limits

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"

	crypto "crypto/rand"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"banyan/internal/idempotency"
	"banyan/internal/postgres"
	"banyan/monolith/inventory"
	"banyan/monolith/notifications"
	"banyan/monolith/orders"
	"banyan/monolith/payments"
	"banyan/monolith/shipping"
	"banyan/scripts/lab/bench/drive"
	"banyan/scripts/lab/shop"
)

const (
	cartBooks   = 3
	recordedKey = "recorded"
	// buyers each buy once a round. A multiple of clients × perRun.
	buyers = 64 * clients * perRun
)

// checkoutWorld is a monolith whose mail stays queued, and customers with full carts.
type checkoutWorld struct {
	url    string
	owner  *pgxpool.Pool
	buyers []*cartOwner
}

// cartOwner is a customer who buys the same books each time.
type cartOwner struct {
	id    uuid.UUID
	token string
	books []uuid.UUID // sorted, as locks have to be taken
}

func (c *checkoutWorld) close() { c.owner.Close() }

// compareCheckout buys carts of three books over HTTP, and sends the statements of a checkout by pgbench.
func compareCheckout(ctx context.Context, w *world) ([]Figure, error) {
	lab := w.lab
	state := lab.State()
	appURL, err := state.AppURL("monolith")
	if err != nil {
		return nil, err
	}
	ownerURL, err := state.OwnerURL("monolith")
	if err != nil {
		return nil, err
	}
	// Mail would be sent during the other's turn: neither side sends any. And pgbench's orders are not the sweeper's business.
	deaf, err := freeAddress()
	if err != nil {
		return nil, err
	}
	lab.SetEnv("monolith", "SMTP_ADDR="+deaf, "SWEEP_AFTER=1h")
	if err := restart(ctx, lab, "monolith"); err != nil {
		return nil, err
	}
	if w.checkout, err = newCheckoutWorld(ctx, w, ownerURL, lab.MonolithURL()); err != nil {
		return nil, err
	}
	shop := w.checkout
	work, err := shop.record(ctx, appURL)
	if err != nil {
		return nil, fmt.Errorf("record a checkout: %w", err)
	}
	script, err := newBench(ctx, appURL, w.dir, work, shop.checkoutOf(work, shop.buyers[1]), shop.checkoutOf(work, shop.buyers[2]))
	if err != nil {
		return nil, err
	}

	parts := map[string][]float64{}
	for round := range w.options.Rounds + 1 {
		rate, err := shop.byPgbench(ctx, script, ownerURL, work)
		if err != nil {
			return nil, err
		}
		over, err := shop.overHTTP(ctx)
		if err != nil {
			return nil, err
		}
		if round > 0 { // the first is a warm-up
			parts["pgbench"] = append(parts["pgbench"], rate)
			parts["monolith"] = append(parts["monolith"], over)
		}
	}
	var rounds []float64
	for i, over := range parts["monolith"] {
		rounds = append(rounds, over/parts["pgbench"][i])
	}
	trips := len(work.trips)
	return []Figure{{
		Key: "1", Value: median(rounds), Rounds: rounds,
		Parts: map[string]float64{"pgbench, checkouts/s": median(parts["pgbench"]), "monolith, checkouts/s": median(parts["monolith"])},
		Notes: []string{
			fmt.Sprintf("%d clients, carts of %d books, synchronous_commit on; the statements are recorded from the modules: %d round trips, "+
				"batches as pipelines, prepared", clients, cartBooks, trips),
			fmt.Sprintf("pgbench can't make ids: it fetches the arguments of %d checkouts in one more round trip, so it is a little slower than it "+
				"could be; it does not charge a card, and sends its parameters as text", perRun),
			"no mail is sent while either is measured",
		},
	}}, nil
}

func newCheckoutWorld(ctx context.Context, w *world, ownerURL, url string) (*checkoutWorld, error) {
	owner, err := postgres.Open(ctx, ownerURL, postgres.Options{MaxConns: 2})
	if err != nil {
		return nil, err
	}
	c := &checkoutWorld{url: url, owner: owner}
	var ids []uuid.UUID
	var hashes [][]byte
	for i := range buyers {
		random := make([]byte, 32)
		_, _ = crypto.Read(random)
		b := &cartOwner{id: uuid.Must(uuid.NewV7()), token: base64.RawURLEncoding.EncodeToString(random)}
		for n := range cartBooks {
			b.books = append(b.books, w.data.Books[(i*cartBooks+n)%len(w.data.Books)].ID)
		}
		slices.SortFunc(b.books, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
		c.buyers = append(c.buyers, b)
		hash := sha256.Sum256([]byte(b.token))
		ids, hashes = append(ids, b.id), append(hashes, hash[:])
	}
	for _, change := range []struct {
		sql  string
		args []any
	}{
		{`insert into accounts (id, email, name, password_hash, role, created_at)
		  select id, id || '@limits.example', 'A Reader', 'none', 'customer', now() from unnest($1::uuid[]) as id`, []any{ids}},
		{`insert into sessions (token_hash, account_id, created_at, expires_at)
		  select hash, id, now(), now() + interval '1 day' from unnest($1::uuid[], $2::bytea[]) as s (id, hash)`, []any{ids, hashes}},
		{`update books set stock = 1000000000`, nil},
		{`analyze`, nil},
	} {
		if _, err := owner.Exec(ctx, change.sql, change.args...); err != nil {
			owner.Close()
			return nil, fmt.Errorf("make customers: %w", err)
		}
	}
	return c, nil
}

// fillCarts gives each customer a cart of their books, at version 1.
func (c *checkoutWorld) fillCarts(ctx context.Context) error {
	var ids, owners, books []uuid.UUID
	for _, b := range c.buyers {
		ids = append(ids, b.id)
		for _, book := range b.books {
			owners, books = append(owners, b.id), append(books, book)
		}
	}
	_, err := c.owner.Exec(ctx, `
		insert into carts (account_id)
		select unnest($1::uuid[])
		on conflict (account_id) do update set version = 1`, ids)
	if err == nil {
		_, err = c.owner.Exec(ctx, `
			insert into cart_items (account_id, book_id, quantity)
			select *, 1 from unnest($1::uuid[], $2::uuid[])
			on conflict (account_id, book_id) do update set quantity = 1`, owners, books)
	}
	if err != nil {
		return fmt.Errorf("fill the carts: %w", err)
	}
	return nil
}

// record lets the modules buy the first customer's cart.
func (c *checkoutWorld) record(ctx context.Context, appURL string) (*recorded, error) {
	if err := c.fillCarts(ctx); err != nil {
		return nil, err
	}
	approving := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"status":"approved"}`)
	}))
	defer approving.Close()
	buyer := c.buyers[0]
	return record(ctx, appURL, func(r *recorded) error {
		mail := notifications.New(r.pool, nil)
		money := payments.New(r.pool, payments.NewProcessor(approving.URL, "key"))
		sales := orders.New(r.pool, func() {}, orders.Near{
			Stock: inventory.New(r.pool, nil), Payments: money, Recovery: money, Refunds: money,
			Shipments: shipping.New(r.pool, nil, orders.Fulfilment{Mail: mail}), Mail: mail,
		}, orders.Far{}, time.Minute)
		answer, err := sales.Checkout(ctx, orders.Purchase{
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

// checkoutOf makes the recorded checkout, which was the first customer's, one of another's, with new ids and a new key.
func (c *checkoutWorld) checkoutOf(work *recorded, buyer *cartOwner) substitution {
	first := c.buyers[0]
	given := map[uuid.UUID]uuid.UUID{first.id: buyer.id}
	for i, book := range first.books {
		given[book] = buyer.books[i]
	}
	return work.fresh(given, map[string]string{recordedKey: uuid.NewString()})
}

func (c *checkoutWorld) byPgbench(ctx context.Context, script *bench, ownerURL string, work *recorded) (float64, error) {
	if err := c.fillCarts(ctx); err != nil {
		return 0, err
	}
	var pieces []substitution
	for _, buyer := range c.buyers {
		pieces = append(pieces, c.checkoutOf(work, buyer))
	}
	if err := script.load(ctx, ownerURL, work, pieces); err != nil {
		return 0, fmt.Errorf("load pgbench's work: %w", err)
	}
	return c.bought(ctx, func() (float64, error) { return script.run(ctx, len(pieces)) })
}

func (c *checkoutWorld) overHTTP(ctx context.Context) (float64, error) {
	if err := c.fillCarts(ctx); err != nil {
		return 0, err
	}
	var requests []drive.Request
	for _, buyer := range c.buyers {
		r, err := drive.New(http.MethodPost, c.url, "/v1/orders", shop.Checkout(shop.CardGood), http.StatusCreated,
			"Authorization: Bearer "+buyer.token, "Idempotency-Key: "+uuid.NewString())
		if err != nil {
			return 0, err
		}
		requests = append(requests, r)
	}
	return c.bought(ctx, func() (float64, error) {
		result, err := drive.Closed(ctx, drive.Load{
			Base: c.url, Clients: clients, Count: len(requests), Request: func(n int) drive.Request { return requests[n] },
		})
		if err == nil {
			err = result.Good()
		}
		if err != nil {
			return 0, fmt.Errorf("the monolith's checkout: %w", err)
		}
		return result.Rate(), nil
	})
}

// bought makes sure that everybody has bought and paid: statements that did nothing would be very fast.
func (c *checkoutWorld) bought(ctx context.Context, buy func() (float64, error)) (float64, error) {
	before, err := c.paid(ctx)
	if err != nil {
		return 0, err
	}
	rate, err := buy()
	if err != nil {
		return 0, err
	}
	after, err := c.paid(ctx)
	if err != nil {
		return 0, err
	}
	if after-before != len(c.buyers) {
		return 0, fmt.Errorf("%d customers bought, and there are %d more paid orders", len(c.buyers), after-before)
	}
	return rate, nil
}

func (c *checkoutWorld) paid(ctx context.Context) (n int, err error) {
	err = c.owner.QueryRow(ctx, `select count(*) from orders where status = 'paid'`).Scan(&n)
	return n, err
}
