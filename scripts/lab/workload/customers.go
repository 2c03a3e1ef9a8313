package workload

import (
	"context"
	"fmt"

	"banyan/scripts/lab/seed"
	"banyan/scripts/lab/shop"
)

// preparers are how many sign customers in and tidy up side by side. None of that is measured.
const preparers = 4

// cartLines is how many different books a customer collects; with a full cart, they change their mind about
// one of those instead. TPC-W ends a cart with its session, ours stays with the account.
const cartLines = 5

// customer is a signed-in reader of one side and what they remember.
type customer struct {
	reader
	token string
	cart  []line
	// unsettled says that an order of theirs was not paid within its request: its lines may leave the cart at
	// any moment.
	unsettled bool
}

// line is a book in the cart, by rank of popularity.
type line struct {
	book, quantity int
}

// Visitors say who comes to a shop.
type Visitors struct {
	Catalogue *Catalogue
	Customers int
	// Keys begins every idempotency key and every address of a new account, and so must be another one in each run.
	Keys string
	// WithLogins makes Customer Registration register and sign in, passwords hashed and all.
	WithLogins bool
}

// Clientele is the customers and the member of staff who are signed in at one shop, and what they know of it.
type Clientele struct {
	url        string
	shop       *Catalogue
	staff      string // token
	keys       string
	withLogins bool
	customers  []*customer
}

// SignIn signs the member of staff and the customers in at the front of a shop, which has to hold the seeded data.
func SignIn(ctx context.Context, url string, v Visitors) (*Clientele, error) {
	readers, err := v.Catalogue.takeReaders(v.Customers)
	if err != nil {
		return nil, err
	}
	c := &Clientele{url: url, shop: v.Catalogue, keys: v.Keys, withLogins: v.WithLogins}
	for _, r := range readers {
		c.customers = append(c.customers, &customer{reader: r, unsettled: true}) // nobody has looked into the cart yet
	}
	return c, c.prepare(func(client *shop.Client) error {
		staff, err := shop.Staff(ctx, client)
		if err != nil {
			return err
		}
		c.staff = staff.Token
		return shop.Each(ctx, len(c.customers), preparers, func(ctx context.Context, i int) error {
			one := c.customers[i]
			person, err := shop.SignIn(ctx, client, one.email, seed.ReaderPassword)
			if err == nil {
				one.token = person.Token
			}
			return err
		})
	})
}

// At is the same people, carts and all, at another front of the shop that they are signed in at.
func (c *Clientele) At(url string) *Clientele {
	there := *c
	there.url = url
	return &there
}

// EmptyCarts makes all carts empty, so that each round begins like every other.
func (c *Clientele) EmptyCarts(ctx context.Context) error {
	return c.prepare(func(client *shop.Client) error {
		return shop.Each(ctx, len(c.customers), preparers, func(ctx context.Context, i int) error {
			one := c.customers[i]
			if !one.unsettled && len(one.cart) == 0 {
				return nil
			}
			person := &shop.Person{Client: client, Email: one.email, Token: one.token}
			if err := person.EmptyCart(ctx); err != nil {
				return fmt.Errorf("empty the cart of %s: %w", one.email, err)
			}
			one.cart, one.unsettled = one.cart[:0], false
			return nil
		})
	})
}

// prepare does something before or between rounds, by connections that are closed afterwards.
func (c *Clientele) prepare(do func(*shop.Client) error) error {
	client, err := shop.New(shop.Options{Raw: true}, c.url)
	if err != nil {
		return err
	}
	defer client.Close()
	return do(client)
}
