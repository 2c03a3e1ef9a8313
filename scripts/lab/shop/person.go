package shop

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/uuid"

	"banyan/scripts/lab/seed"
)

// signingIn is how many people sign in side by side. Passwords are dear to check, on purpose.
const signingIn = 4

// Person is somebody who uses the shop.
type Person struct {
	Client *Client
	Email  string
	Token  string // empty: not signed in
}

// Send makes one request. An error means that nobody knows what came of it.
func (p *Person) Send(ctx context.Context, r Request) (Answer, error) {
	r.Token = p.Token
	return p.Client.Send(ctx, r)
}

// Patiently repeats what is safe to repeat while the shop is away or has too much to do.
func (p *Person) Patiently(ctx context.Context, r Request) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	for {
		said, err := p.Send(ctx, r)
		if err == nil && !said.Later() {
			return said, nil
		}
		if waited := Pause(ctx, said.Wait()); waited != nil {
			if err == nil {
				err = said.Err()
			}
			return said, fmt.Errorf("not within %s: %w", Patience, err)
		}
	}
}

// Ask makes a request that is safe to repeat and has to succeed, and reads its answer into a pointer, unless that is nil.
func (p *Person) Ask(ctx context.Context, method, path string, body, into any) error {
	return p.ask(ctx, Request{Method: method, Path: path, Body: body}, into)
}

func (p *Person) ask(ctx context.Context, r Request, into any) error {
	said, err := p.Patiently(ctx, r)
	if err == nil {
		err = said.Read(into)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", r, err)
	}
	return nil
}

// onceKnown is ask for what a part of the shop may not have heard of yet: it asks again as long as it is answered with 404.
func (p *Person) onceKnown(ctx context.Context, r Request, into any) error {
	return Eventually(ctx, func(ctx context.Context) (bool, error) {
		said, err := p.Patiently(ctx, r)
		if err != nil || said.Status == http.StatusNotFound {
			return false, err
		}
		return true, said.Read(into)
	})
}

// SignIn signs somebody in who has an account.
func SignIn(ctx context.Context, c *Client, email, password string) (*Person, error) {
	p := &Person{Client: c, Email: email}
	var session struct {
		Token string `json:"token"`
	}
	err := p.Ask(ctx, http.MethodPost, "/v1/sessions", Credentials{email, password}, &session)
	if err == nil && session.Token == "" {
		err = errors.New("the answer holds no token")
	}
	if err != nil {
		return nil, fmt.Errorf("sign in as %s: %w", email, err)
	}
	p.Token = session.Token
	return p, nil
}

// Register makes an account and signs its owner in.
func Register(ctx context.Context, c *Client, email, password, name string) (*Person, error) {
	stranger := &Person{Client: c, Email: email}
	account := map[string]string{"email": email, "password": password, "name": name}
	if err := stranger.Ask(ctx, http.MethodPost, "/v1/accounts", account, nil); err != nil {
		return nil, fmt.Errorf("register %s: %w", email, err)
	}
	return SignIn(ctx, c, email, password)
}

// Credentials are the body of a sign-in.
type Credentials struct {
	Email    string `json:"email"`
	Password string `json:"password"`
}

// Staff signs the seeded member of staff in.
func Staff(ctx context.Context, c *Client) (*Person, error) {
	return SignIn(ctx, c, seed.StaffEmail, seed.StaffPassword)
}

// Readers signs in the first n customers of the seeded data.
func Readers(ctx context.Context, c *Client, n int) ([]*Person, error) {
	people := make([]*Person, n)
	err := Each(ctx, n, signingIn, func(ctx context.Context, i int) (err error) {
		const tries = 5 // a password takes its time where others work, too
		for try := 1; ; try++ {
			people[i], err = SignIn(ctx, c, seed.ReaderEmail(i+1), seed.ReaderPassword)
			if err == nil || try == tries || ctx.Err() != nil {
				return err
			}
		}
	})
	return people, err
}

// Put lays copies into the cart and returns it, as soon as the cart knows the book.
func (p *Person) Put(ctx context.Context, bookID string, quantity int) (cart Cart, err error) {
	r := Request{Method: http.MethodPut, Path: "/v1/cart/items/" + bookID, Body: map[string]int{"quantity": quantity}}
	if err := p.onceKnown(ctx, r, &cart); err != nil {
		return Cart{}, fmt.Errorf("put book %s into the cart of %s: %w", bookID, p.Email, err)
	}
	return cart, nil
}

// EmptyCart removes what earlier visits have left.
func (p *Person) EmptyCart(ctx context.Context) error {
	var left Cart
	if err := p.Ask(ctx, http.MethodGet, "/v1/cart", nil, &left); err != nil {
		return err
	}
	for _, line := range left.Items {
		if err := p.Ask(ctx, http.MethodDelete, "/v1/cart/items/"+line.BookID, nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// CheckOut buys the cart, and asks again under the same key while the shop is away or has too much to do.
func (p *Person) CheckOut(ctx context.Context, key, card string) (Answer, error) {
	said, err := p.Patiently(ctx, Request{Method: http.MethodPost, Path: "/v1/orders", Key: key, Body: Checkout(card)})
	if err != nil {
		return said, fmt.Errorf("check out as %s: %w", p.Email, err)
	}
	return said, nil
}

// Settle follows an order until it is no longer pending.
func (p *Person) Settle(ctx context.Context, orderID string) (o Order, err error) {
	err = Eventually(ctx, func(ctx context.Context) (bool, error) {
		o = Order{}
		err := p.Ask(ctx, http.MethodGet, "/v1/orders/"+orderID, nil, &o)
		return o.Status != Pending, err
	})
	if err != nil {
		return o, fmt.Errorf("wait for order %s: %w", orderID, err)
	}
	return o, nil
}

// Bestsellers are the n books that sell best.
func (p *Person) Bestsellers(ctx context.Context, n int) ([]Book, error) {
	var best List[Book]
	if err := p.Ask(ctx, http.MethodGet, "/v1/books/bestsellers", nil, &best); err != nil {
		return nil, err
	}
	if len(best.Items) < n {
		return nil, fmt.Errorf("the shop has %d bestsellers, and the customers want %d", len(best.Items), n)
	}
	return best.Items[:n], nil
}

// Deliver has staff add copies to the stock, as soon as it knows the book.
func (p *Person) Deliver(ctx context.Context, bookID string, copies int) error {
	r := Request{
		Method: http.MethodPost, Path: "/v1/stock/" + bookID + "/deliveries", Key: uuid.NewString(),
		Body: map[string]int{"quantity": copies},
	}
	if err := p.onceKnown(ctx, r, nil); err != nil {
		return fmt.Errorf("deliver %d copies of book %s: %w", copies, bookID, err)
	}
	return nil
}

// StockUp has staff deliver copies of each of the n books that sell best.
func (p *Person) StockUp(ctx context.Context, n, copies int) ([]Book, error) {
	best, err := p.Bestsellers(ctx, n)
	if err != nil {
		return nil, err
	}
	for _, book := range best {
		if err := p.Deliver(ctx, book.ID, copies); err != nil {
			return nil, err
		}
	}
	return best, nil
}

// Stock is how many copies of a book can be bought, as staff see it.
func (p *Person) Stock(ctx context.Context, bookID string) (int, error) {
	var stock struct {
		Available int `json:"available"`
	}
	err := p.Ask(ctx, http.MethodGet, "/v1/stock/"+bookID, nil, &stock)
	return stock.Available, err
}
