package chaos

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"banyan/scripts/lab/seed"
)

// patience is how long anybody waits for what follows a little later.
const patience = 30 * time.Second

// signingIn is how many sign in side by side. Passwords are dear to check, on purpose.
const signingIn = 4

// What the shop speaks of, as far as it is looked at here. Money is in US cents.

type money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

type book struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Price money  `json:"price"`
}

type line struct {
	BookID   string `json:"book_id"`
	Quantity int    `json:"quantity"`
}

type cart struct {
	Items []line `json:"items"`
}

type order struct {
	ID           string  `json:"id"`
	Status       string  `json:"status"`
	Items        []line  `json:"items"`
	Total        money   `json:"total"`
	CancelReason *string `json:"cancel_reason"`
}

type list[T any] struct {
	Items []T `json:"items"`
}

// checkout is the body of a checkout.
func checkout(card string) any {
	type object map[string]any
	return object{
		"payment": object{"token": card},
		"shipping_address": object{
			"name": "Ada Lovelace", "street": "12 St James's Square", "city": "London", "postcode": "SW1Y 4JH", "country": "GB",
		},
	}
}

// signIn signs somebody in.
func (s Shop) signIn(ctx context.Context, client *http.Client, email, password string) (*person, error) {
	p := &person{http: client, base: s.URL, email: email}
	var session struct {
		Token string `json:"token"`
	}
	credentials := map[string]string{"email": email, "password": password}
	if err := p.ask(ctx, http.MethodPost, "/v1/sessions", credentials, &session); err != nil {
		return nil, fmt.Errorf("sign in as %s: %w", email, err)
	}
	p.token = session.Token
	return p, nil
}

func (s Shop) staff(ctx context.Context, client *http.Client) (*person, error) {
	return s.signIn(ctx, client, seed.StaffEmail, seed.StaffPassword)
}

// readers signs in the first n customers of the seeded data.
func (s Shop) readers(ctx context.Context, client *http.Client, n int) ([]*person, error) {
	people := make([]*person, n)
	err := each(ctx, n, signingIn, func(ctx context.Context, i int) (err error) {
		const tries = 5 // a password takes its time where others work, too
		for try := 1; ; try++ {
			people[i], err = s.signIn(ctx, client, seed.ReaderEmail(i+1), seed.ReaderPassword)
			if err == nil || try == tries || ctx.Err() != nil {
				return err
			}
		}
	})
	return people, err
}

// put lays copies into the cart and returns it, as soon as the cart knows the book.
func (p *person) put(ctx context.Context, bookID string, quantity int) (cart, error) {
	var filled cart
	err := eventually(ctx, func() (bool, error) {
		path := "/v1/cart/items/" + bookID
		said, err := p.patiently(ctx, func() (answer, error) {
			return p.send(ctx, http.MethodPut, path, "", map[string]int{"quantity": quantity})
		})
		if err != nil || said.status == http.StatusNotFound {
			return false, err
		}
		filled = cart{}
		return true, said.read("PUT "+path, &filled)
	})
	if err != nil {
		return cart{}, fmt.Errorf("put book %s into the cart of %s: %w", bookID, p.email, err)
	}
	return filled, nil
}

// emptyCart removes what earlier visits have left.
func (p *person) emptyCart(ctx context.Context) error {
	var left cart
	if err := p.ask(ctx, http.MethodGet, "/v1/cart", nil, &left); err != nil {
		return err
	}
	for _, line := range left.Items {
		if err := p.ask(ctx, http.MethodDelete, "/v1/cart/items/"+line.BookID, nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// deliver adds copies to the stock, as soon as it knows the book.
func (p *person) deliver(ctx context.Context, bookID string, copies int) error {
	key := uuid.NewString()
	path := "/v1/stock/" + bookID + "/deliveries"
	return eventually(ctx, func() (bool, error) {
		said, err := p.patiently(ctx, func() (answer, error) {
			return p.send(ctx, http.MethodPost, path, key, map[string]int{"quantity": copies})
		})
		if err != nil || said.status == http.StatusNotFound {
			return false, err
		}
		return true, said.read("POST "+path, nil)
	})
}

// stock is how many copies can be bought.
func (p *person) stock(ctx context.Context, bookID string) (int, error) {
	var stock struct {
		Available int `json:"available"`
	}
	err := p.ask(ctx, http.MethodGet, "/v1/stock/"+bookID, nil, &stock)
	return stock.Available, err
}

// settles follows an order until it is no longer pending.
func (p *person) settles(ctx context.Context, orderID string) (order, error) {
	var o order
	err := eventually(ctx, func() (bool, error) {
		o = order{}
		err := p.ask(ctx, http.MethodGet, "/v1/orders/"+orderID, nil, &o)
		return o.Status != "pending", err
	})
	if err != nil {
		return o, fmt.Errorf("wait for order %s: %w", orderID, err)
	}
	return o, nil
}

// eventually repeats a look until it is enough.
func eventually(ctx context.Context, look func() (enough bool, err error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("it did not happen within %s", patience))
	defer cancel()
	for {
		enough, err := look()
		if err != nil || enough {
			return err
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// each does something for 0 to n-1, so many at once, and returns the first error.
func each(ctx context.Context, n, atOnce int, do func(ctx context.Context, i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i := range n {
		group.Go(func() error { return do(ctx, i) })
	}
	return group.Wait()
}
