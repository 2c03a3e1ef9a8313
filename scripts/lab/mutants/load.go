package mutants

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"banyan/scripts/lab/seed"
)

const (
	customers = 16
	popular   = 12 // books that they buy
)

// What a customer does, of a hundred times.
const (
	declined  = 20 // has a card that is declined
	cancelled = 20 // changes their mind once the order is paid
)

// market is the customers and what they buy.
type market struct {
	people []*client
	books  []string
}

// open has the customers sign in, and the staff fill the shelves.
func open(ctx context.Context, url string, copies int) (*market, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy, transport.MaxIdleConnsPerHost = nil, customers
	shared := &http.Client{Transport: transport, Timeout: 10 * time.Second}
	m := &market{people: make([]*client, customers)}
	staff := &client{http: shared, base: url}
	var err error
	if m.books, err = staff.stockUp(ctx, copies); err != nil {
		return nil, fmt.Errorf("fill the shelves: %w", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4) // passwords are dear to check, on purpose
	for i := range m.people {
		m.people[i] = &client{http: shared, base: url}
		group.Go(func() error { return m.people[i].signIn(ctx, seed.ReaderEmail(i+1), seed.ReaderPassword) })
	}
	return m, group.Wait()
}

func (m *market) close() { m.people[0].http.CloseIdleConnections() }

// shop lets the customers make so many checkouts. What each of them does follows from the seed.
func (m *market) shop(ctx context.Context, checkouts int, random uint64) error {
	group, ctx := errgroup.WithContext(ctx)
	for i, person := range m.people {
		random := rand.New(rand.NewPCG(random, 1<<32|uint64(i)))
		visits := checkouts / len(m.people)
		if i < checkouts%len(m.people) {
			visits++
		}
		group.Go(func() error {
			for range visits {
				if err := m.visit(ctx, person, random); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// visit is one checkout. Who gets no answer to it leaves, and does not come back for it: the shop has to finish what it
// began.
func (m *market) visit(ctx context.Context, person *client, random *rand.Rand) error {
	card, changesMind := "tok_visa", false
	switch n := random.IntN(100); {
	case n < declined:
		card = "tok_declined"
	case n < declined+cancelled:
		changesMind = true
	}
	book, copies := m.books[random.IntN(len(m.books))], 1+random.IntN(2)
	if err := person.insist(ctx, http.MethodPut, "/v1/cart/items/"+book, "", object{"quantity": copies}, nil); err != nil {
		return fmt.Errorf("fill a cart: %w", err)
	}
	order, err := person.buy(ctx, card)
	if err != nil || order == "" || !changesMind {
		return err
	}
	if err := person.insist(ctx, http.MethodPost, "/v1/orders/"+order+"/cancel", "", nil, nil); err != nil {
		return fmt.Errorf("cancel order %s: %w", order, err)
	}
	return nil
}

// buy checks out, and returns the order if it is paid. While an order is pending, which nobody has waited for, the shop takes
// no other.
func (c *client) buy(ctx context.Context, card string) (paid string, err error) {
	body := object{
		"payment": object{"token": card},
		"shipping_address": object{
			"name": "Ada Lovelace", "street": "12 St James's Square", "city": "London", "postcode": "SW1Y 4JH", "country": "GB",
		},
	}
	key := uuid.NewString()
	for deadline := time.Now().Add(patience); ; {
		var order struct {
			ID string `json:"id"`
		}
		status, err := c.send(ctx, http.MethodPost, "/v1/orders", key, body, &order)
		switch {
		case ctx.Err() != nil:
			return "", context.Cause(ctx)
		case status == http.StatusCreated:
			return order.ID, nil
		case status != http.StatusConflict && status != http.StatusTooManyRequests:
			return "", nil // declined, accepted, emptied by an order of before, or without an answer
		case time.Now().After(deadline):
			return "", fmt.Errorf("check out: not within %s: %w", patience, err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}
