package mutants

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"banyan/scripts/lab/shop"
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

// patience is how long anybody waits for what has to be: long, since a machine may have much else to do.
const patience = time.Minute

// market is the customers and what they buy.
type market struct {
	client *shop.Client
	people []*shop.Person
	books  []shop.Book
}

// open has the customers sign in, and the staff fill the shelves.
func open(ctx context.Context, url string, copies int) (*market, error) {
	client, err := shop.New(shop.Options{Connections: customers}, url)
	if err != nil {
		return nil, err
	}
	m := &market{client: client}
	staff, err := shop.Staff(ctx, client)
	if err != nil {
		return nil, err
	}
	if m.books, err = staff.StockUp(ctx, popular, copies); err != nil {
		return nil, fmt.Errorf("fill the shelves: %w", err)
	}
	m.people, err = shop.Readers(ctx, client, customers)
	return m, err
}

// sell lets the customers make so many checkouts. What each of them does follows from the seed.
func (m *market) sell(ctx context.Context, checkouts int, random uint64) error {
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
func (m *market) visit(ctx context.Context, person *shop.Person, random *rand.Rand) error {
	card, changesMind := shop.CardGood, false
	switch n := random.IntN(100); {
	case n < declined:
		card = shop.CardDeclined
	case n < declined+cancelled:
		changesMind = true
	}
	book, copies := m.books[random.IntN(len(m.books))], 1+random.IntN(2)
	fill := shop.Request{Method: http.MethodPut, Path: "/v1/cart/items/" + book.ID, Body: map[string]int{"quantity": copies}}
	if err := insist(ctx, person, fill); err != nil {
		return fmt.Errorf("fill a cart: %w", err)
	}
	order, err := buy(ctx, person, card)
	if err != nil || order == "" || !changesMind {
		return err
	}
	if err := insist(ctx, person, shop.Request{Method: http.MethodPost, Path: "/v1/orders/" + order + "/cancel"}); err != nil {
		return fmt.Errorf("cancel order %s: %w", order, err)
	}
	return nil
}

// insist repeats a request that is safe to repeat until it succeeds. A mutant may answer once with what it should not, and
// is to be judged by what is left in the end.
func insist(ctx context.Context, person *shop.Person, r shop.Request) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		said, err := person.Send(ctx, r)
		if err == nil {
			err = said.Read(nil)
		}
		if err == nil {
			return nil
		}
		if shop.Pause(ctx, 100*time.Millisecond) != nil {
			return fmt.Errorf("%s: not within %s: %w", r, patience, err)
		}
	}
}

// buy checks out, and returns the order if it is paid. While an order is pending, which nobody has waited for, the shop takes
// no other.
func buy(ctx context.Context, person *shop.Person, card string) (paid string, err error) {
	r := shop.Request{Method: http.MethodPost, Path: "/v1/orders", Key: uuid.NewString(), Body: shop.Checkout(card)}
	for deadline := time.Now().Add(patience); ; {
		said, err := person.Send(ctx, r)
		switch {
		case ctx.Err() != nil:
			return "", context.Cause(ctx)
		case said.Status == http.StatusCreated:
			var order shop.Order
			err := said.Read(&order)
			return order.ID, err
		case err != nil || said.Status != http.StatusConflict && said.Status != http.StatusTooManyRequests:
			return "", nil // declined, accepted, emptied by an order of before, or without an answer
		case time.Now().After(deadline):
			return "", fmt.Errorf("check out: not within %s: %w", patience, said.Err())
		}
		_ = shop.Pause(ctx, 100*time.Millisecond)
	}
}
