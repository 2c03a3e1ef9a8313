package move

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"banyan/scripts/lab/gate"
	"banyan/scripts/lab/shop"
	"banyan/scripts/lab/up"
)

// How the service in standby is tried: for so long, so many people read what the area serves, and so does a share of the
// customers who happen to come.
const (
	tryTime   = 3 * time.Second
	tryPeople = 4
	tryShare  = .2
	readPause = 50 * time.Millisecond
	settled   = 1500 * time.Millisecond // a difference counts if it is still there a second later
)

// reads are what people look at of each area, the book's id in place of BOOK.
var reads = map[string][]string{
	"notifications": {"/v1/notifications", "/v1/notifications?limit=5"},
	"accounts":      {"/v1/accounts/me"},
	"catalog": {
		"/v1/books?limit=20&sort=title", "/v1/books?limit=50&sort=newest", "/v1/books?q=the&limit=10", "/v1/books/BOOK",
	},
	"inventory": {"/v1/stock/BOOK"},
	"payments":  {"/v1/payments", "/v1/payments?limit=3"},
	"shipping":  {"/v1/shipments", "/v1/shipments?limit=3"},
	"orders":    {"/v1/cart", "/v1/orders", "/v1/orders?limit=2"},
}

// What may differ although both are right, and why.
var (
	ignored = map[string][]gate.Ignored{
		"catalog": {{Path: "items.*.available", Reason: "a list of books may be a second old, and the two are not of one age"}},
	}
	excepted = map[string][]gate.Except{
		"catalog": {{Prefix: "/v1/books/bestsellers", Reason: "each side remembers it for 30 s, from a moment of its own"}},
	}
)

// try has the gateway send copies of reads to the service in standby, and compares its answers with those that customers
// get. Meanwhile the copier catches up, so that the service knows what the trunk knows.
func (m *Move) try(ctx context.Context) error {
	if m.step.Number == up.Ladder[2].Number {
		m.say("%s takes signed tokens, and until the switch nobody makes any: its answers can't be compared before", m.area)
		return nil
	}
	return m.during(ctx, "shadow", func(*Stage) error {
		people, book, err := m.people(ctx)
		if err != nil {
			return err
		}
		for _, prefix := range up.Prefixes(m.area) {
			if !slices.ContainsFunc(reads[m.area], func(path string) bool { return strings.HasPrefix(path, prefix) }) {
				continue // it has nothing to read
			}
			if err := m.shadow(ctx, prefix, people, book); err != nil {
				return err
			}
		}
		return nil
	})
}

// people sign in at the gateway: staff, who may look at the stock, and some customers of the seeded data.
func (m *Move) people(ctx context.Context) (people []*shop.Person, book string, err error) {
	client, err := shop.New(shop.Options{}, m.state.GatewayURL)
	if err != nil {
		return nil, "", err
	}
	staff, err := shop.Staff(ctx, client)
	if err != nil {
		return nil, "", err
	}
	best, err := staff.Bestsellers(ctx, 1)
	if err != nil {
		return nil, "", err
	}
	if m.area == "inventory" {
		return []*shop.Person{staff}, best[0].ID, nil
	}
	people, err = shop.Readers(ctx, client, tryPeople)
	return people, best[0].ID, err
}

func (m *Move) shadow(ctx context.Context, prefix string, people []*shop.Person, book string) (err error) {
	s := gate.Shadow{
		Prefix: prefix, Upstream: m.urlOf(m.area), Token: m.step.Token(m.area), Share: tryShare,
		Ignore: ignored[m.area], Except: excepted[m.area],
	}
	if err := m.atAll(ctx, func(ctx context.Context, g *gate.Gate) error { return g.Shadow(ctx, s) }); err != nil {
		return err
	}
	defer func() {
		off := m.atAll(context.WithoutCancel(ctx), func(ctx context.Context, g *gate.Gate) error {
			_, err := g.Unshadow(ctx)
			return err
		})
		err = errors.Join(err, off)
	}()
	for until := time.Now().Add(tryTime); time.Now().Before(until); {
		for _, path := range reads[m.area] {
			if !strings.HasPrefix(path, prefix) {
				continue
			}
			for _, p := range people {
				said, err := p.Send(ctx, shop.Request{Method: http.MethodGet, Path: strings.ReplaceAll(path, "BOOK", book)})
				if err != nil {
					return err
				}
				if said.Status >= http.StatusInternalServerError {
					return fmt.Errorf("the shop itself does not answer: %s", said)
				}
			}
		}
		if _, err := m.copier.CatchUp(ctx); err != nil {
			return err
		}
		if err := pause(ctx, readPause); err != nil {
			return err
		}
	}
	if err := m.catchUpDuring(ctx, settled); err != nil {
		return err
	}
	return m.compared(ctx, prefix)
}

// compared reads what the gateways have seen. A service that was never asked has shown nothing.
func (m *Move) compared(ctx context.Context, prefix string) error {
	var sum gate.Shadowed
	for _, g := range m.gates {
		seen, err := g.Shadowed(ctx)
		if err != nil {
			return err
		}
		sum.Sent += seen.Sent
		sum.Equal += seen.Equal
		sum.Different += seen.Different
		sum.Failed += seen.Failed
		sum.Differences = append(sum.Differences, seen.Differences...)
	}
	m.say("%s: %d answers of %s compared, %d equal", prefix, sum.Sent, m.area, sum.Equal)
	switch {
	case sum.Different > 0:
		return fmt.Errorf("%s answers %d of %d reads otherwise than customers were answered: %s", m.area, sum.Different, sum.Sent, named(sum.Differences))
	case sum.Failed > 0:
		return fmt.Errorf("%s did not answer %d of %d reads: its log says why", m.area, sum.Failed, sum.Sent)
	case sum.Equal == 0:
		return fmt.Errorf("no answer of %s was compared, so nothing is known about it", m.area)
	}
	return nil
}

// named are the differences that the gateways have kept, a line each.
func named(all []gate.Difference) string {
	var lines []string
	for _, d := range all {
		lines = append(lines, fmt.Sprintf("%s %s (request %s): %s", d.Method, d.Path, d.RequestID, strings.Join(d.What, "; ")))
	}
	return "\n  " + strings.Join(lines, "\n  ")
}
