package race

import (
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"banyan/scripts/lab/history"
	"banyan/scripts/lab/invariants"
	"banyan/scripts/lab/shop"
)

// Options say how many customers want how many copies.
type Options struct {
	Side       string // also its name at the card processor
	URL        string
	OutsideURL string // of the card processor
	Buyers     int    // seeded readers, one copy each
	Copies     int
}

// Report is what came of a race.
type Report struct {
	Side   string `json:"side"`
	URL    string `json:"url"`
	Buyers int    `json:"buyers"`
	Copies int    `json:"copies"`

	Paid         int           `json:"paid"`
	SoldOut      int           `json:"sold_out"`       // told at once
	Accepted     int           `json:"accepted"`       // answered with 202, however that ended
	SoldOutLater int           `json:"sold_out_later"` // after a 202
	Stock        int           `json:"stock"`          // copies left
	Charges      int           `json:"charges"`        // captured, by the card processor's ledger
	Took         time.Duration `json:"took_ns"`        // from the first checkout to the last answer

	SameKey    SameKey             `json:"same_key"`
	Violations []history.Violation `json:"violations"`
}

// Passed says that nothing was off.
func (r *Report) Passed() bool { return len(r.Violations) == 0 }

// race is one race under way.
type race struct {
	options Options
	staff   *shop.Person
	buyers  []*shop.Person
	book    shop.Book
	began   time.Time

	report   *Report
	findings history.Findings
}

// Run lets the buyers run for the last copies of a new book, and then sends one checkout many times at
// once. An error means that there was no race to judge.
func Run(ctx context.Context, options Options) (*Report, error) {
	r := &race{
		options: options, began: time.Now(), findings: history.NewFindings(),
		report: &Report{Side: options.Side, URL: options.URL, Buyers: options.Buyers, Copies: options.Copies},
	}
	client, err := shop.New(shop.Options{Connections: max(options.Buyers, sameKeyRequests)}, options.URL)
	if err != nil {
		return nil, err
	}
	defer client.Close()
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
	r.report.Violations = r.findings.All
	return r.report, nil
}

// ledger is what the card processor has done for the shop since the race began.
func (r *race) ledger(ctx context.Context) ([]invariants.Entry, error) {
	all, err := invariants.Ledger(ctx, r.options.OutsideURL, r.options.Side)
	return slices.DeleteFunc(all, func(e invariants.Entry) bool { return e.At.Before(r.began) }), err
}

// prepare signs everybody in, adds the book, and puts one copy into each cart.
func (r *race) prepare(ctx context.Context, client *shop.Client, buyers int) (err error) {
	if r.staff, err = shop.Staff(ctx, client); err != nil {
		return err
	}
	err = r.staff.Ask(ctx, http.MethodPost, "/v1/books", map[string]any{
		"isbn": newISBN(), "title": "The Last Copies", "authors": []string{"Ada Lovelace"}, "subject": "races",
		// A price that no other order is likely to come to: it marks the race's lines in the ledger.
		"price": shop.Money{Amount: 500_000 + rand.Int64N(500_000), Currency: "USD"},
	}, &r.book)
	if err != nil {
		return err
	}
	if err := r.staff.Deliver(ctx, r.book.ID, r.options.Copies); err != nil {
		return err
	}
	if r.buyers, err = shop.Readers(ctx, client, buyers); err != nil {
		return err
	}
	const fillingCarts = 16
	return shop.Each(ctx, buyers, fillingCarts, func(ctx context.Context, i int) error {
		if err := r.buyers[i].EmptyCart(ctx); err != nil {
			return err
		}
		_, err := r.buyers[i].Put(ctx, r.book.ID, 1)
		return err
	})
}

// run sends all checkouts at the same moment and returns each buyer's settled order; without an id where there
// is none.
func (r *race) run(ctx context.Context) ([]shop.Order, error) {
	began := time.Now()
	answers, err := atOnce(len(r.buyers), func(i int) (shop.Answer, error) {
		return r.buyers[i].CheckOut(ctx, uuid.NewString(), shop.CardGood)
	})
	r.report.Took = time.Since(began)
	if err != nil {
		return nil, err
	}
	orders := make([]shop.Order, len(answers))
	for i, said := range answers {
		switch {
		case said.Status == http.StatusConflict && said.Code() == "sold-out":
			r.report.SoldOut++
			continue
		case said.Status == http.StatusAccepted:
			r.report.Accepted++
		case said.Status != http.StatusCreated:
			r.findings.Add("a checkout is answered with 201, 202 or 409 sold-out", "%s: %v", r.buyers[i].Email, said.Err())
			continue
		}
		if err := said.Read(&orders[i]); err != nil {
			return nil, err
		}
		if orders[i], err = r.buyers[i].Settle(ctx, orders[i].ID); err != nil {
			return nil, err
		}
	}
	return orders, nil
}

// atOnce makes n requests at the same moment.
func atOnce(n int, request func(i int) (shop.Answer, error)) ([]shop.Answer, error) {
	answers, errs := make([]shop.Answer, n), make([]error, n)
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
