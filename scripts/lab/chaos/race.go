package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"
)

// RaceOptions say how many customers want how many copies.
type RaceOptions struct {
	Buyers int // seeded readers, one copy each
	Copies int
}

// RaceReport is what came of a race.
type RaceReport struct {
	Shop
	Buyers int `json:"buyers"`
	Copies int `json:"copies"`

	Paid         int           `json:"paid"`
	SoldOut      int           `json:"sold_out"`       // told at once
	Accepted     int           `json:"accepted"`       // answered with 202, however that ended
	SoldOutLater int           `json:"sold_out_later"` // after a 202
	Stock        int           `json:"stock"`          // copies left
	Charges      int           `json:"charges"`        // captured, by the card processor's ledger
	Took         time.Duration `json:"took_ns"`        // from the first checkout to the last answer

	SameKey    SameKeyReport `json:"same_key"`
	Violations []Violation   `json:"violations"`
}

// Passed says that nothing was off.
func (r *RaceReport) Passed() bool { return len(r.Violations) == 0 }

// race is one race under way.
type race struct {
	shop   Shop
	staff  *person
	buyers []*person
	book   book
	copies int
	began  time.Time

	report   *RaceReport
	findings findings
}

// Race lets the buyers run for the last copies of a new book, and then sends one checkout many times at
// once. An error means that there was no race to judge.
func Race(ctx context.Context, shop Shop, options RaceOptions) (*RaceReport, error) {
	r := &race{
		shop: shop, copies: options.Copies, began: time.Now(), findings: newFindings(),
		report: &RaceReport{Shop: shop, Buyers: options.Buyers, Copies: options.Copies},
	}
	client := newHTTP(max(options.Buyers, sameKeyRequests))
	defer client.CloseIdleConnections()
	if err := r.prepare(ctx, client, options.Buyers); err != nil {
		return nil, err
	}
	orders, err := r.run(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.judge(ctx, orders); err != nil {
		return nil, err
	}
	if err := r.sameKey(ctx); err != nil {
		return nil, err
	}
	r.report.Violations = r.findings.all
	return r.report, nil
}

// prepare signs everybody in, adds the book, and puts one copy into each cart.
func (r *race) prepare(ctx context.Context, client *http.Client, buyers int) (err error) {
	if r.staff, err = r.shop.staff(ctx, client); err != nil {
		return err
	}
	err = r.staff.ask(ctx, http.MethodPost, "/v1/books", map[string]any{
		"isbn": newISBN(), "title": "The Last Copies", "authors": []string{"Ada Lovelace"}, "subject": "races",
		// A price that no other order is likely to come to: it marks the race's lines in the ledger.
		"price": money{500_000 + rand.Int64N(500_000), "USD"},
	}, &r.book)
	if err != nil {
		return err
	}
	if err := r.staff.deliver(ctx, r.book.ID, r.copies); err != nil {
		return err
	}
	if r.buyers, err = r.shop.readers(ctx, client, buyers); err != nil {
		return err
	}
	const fillingCarts = 16
	return each(ctx, buyers, fillingCarts, func(ctx context.Context, i int) error {
		if err := r.buyers[i].emptyCart(ctx); err != nil {
			return err
		}
		_, err := r.buyers[i].put(ctx, r.book.ID, 1)
		return err
	})
}

// run sends all checkouts at the same moment and returns each buyer's settled order; without an id where there
// is none.
func (r *race) run(ctx context.Context) ([]order, error) {
	began := time.Now()
	answers, err := atOnce(len(r.buyers), func(i int) (answer, error) {
		return r.buyers[i].checksOut(ctx, uuid.NewString())
	})
	r.report.Took = time.Since(began)
	if err != nil {
		return nil, err
	}
	orders := make([]order, len(answers))
	for i, said := range answers {
		switch {
		case said.status == http.StatusConflict && said.code() == "sold-out":
			r.report.SoldOut++
			continue
		case said.status == http.StatusAccepted:
			r.report.Accepted++
		case said.status != http.StatusCreated:
			r.findings.add("a checkout is answered with 201, 202 or 409 sold-out", "%s: %v", r.buyers[i].email, said.unexpected())
			continue
		}
		if err := said.read("POST /v1/orders", &orders[i]); err != nil {
			return nil, err
		}
		if orders[i], err = r.buyers[i].settles(ctx, orders[i].ID); err != nil {
			return nil, err
		}
	}
	return orders, nil
}

// checksOut buys the cart; while the shop has too much to do, it tries again under the same key.
func (p *person) checksOut(ctx context.Context, key string) (answer, error) {
	said, err := p.patiently(ctx, func() (answer, error) {
		return p.send(ctx, http.MethodPost, "/v1/orders", key, checkout("tok_visa"))
	})
	if err != nil {
		return said, fmt.Errorf("check out as %s: %w", p.email, err)
	}
	return said, nil
}

// atOnce makes n requests at the same moment.
func atOnce(n int, request func(i int) (answer, error)) ([]answer, error) {
	answers, errs := make([]answer, n), make([]error, n)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			answers[i], errs[i] = request(i)
		})
	}
	close(start)
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return answers, nil
}

// newISBN makes a valid ISBN-13 that no seeded book is likely to have.
func newISBN() string {
	digits, sum := []byte("978"), 9+3*7+8
	for i := 3; i < 12; i++ {
		d := rand.IntN(10)
		digits = append(digits, byte('0'+d))
		sum += d * (1 + 2*(i%2))
	}
	return string(append(digits, byte('0'+(10-sum%10)%10)))
}
