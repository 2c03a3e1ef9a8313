package rolling

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"banyan/scripts/lab/seed"
	"banyan/scripts/lab/shop"
)

// customer is one account, and what its owner knows of it.
type customer struct {
	shop   *shop.Client
	book   *book
	random *rand.Rand
	books  []shop.Book // all that anybody wants

	email, token string
	cart         map[string]int    // copies by book
	unsure       bool              // about the cart: a request got no answer
	orders       map[string]string // the status that each order has to have in the end, by id
	last         *shop.Order       // that was bought, and not cancelled
	newcomers    int
}

var idForm = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)

// shape is a path without its ids and its query.
func shape(path string) string {
	parsed, err := url.Parse(path)
	if err != nil {
		return path
	}
	return idForm.ReplaceAllString(parsed.Path, "{id}")
}

// ask makes one request as this customer, which has to be answered with one of the statuses. It reads the answer's body
// into the pointer, unless that is nil, and holds it against the check, unless that is nil.
func (c *customer) ask(ctx context.Context, r shop.Request, status []int, into any, check func(shop.Answer) error) (shop.Answer, bool) {
	phase := c.book.now()
	r.Token = c.token
	began := time.Now()
	said, err := c.shop.Send(ctx, r)
	if err != nil && ctx.Err() != nil {
		return said, false // the run is over
	}
	unanswered := err != nil || said.Away()
	if err == nil {
		err = expect(said, status, into, check)
	}
	good := c.book.note(phase, r, began, unanswered, err)
	if !good {
		c.unsure = true
	}
	return said, good
}

func expect(said shop.Answer, status []int, into any, check func(shop.Answer) error) error {
	known := false
	for _, s := range status {
		known = known || s == said.Status
	}
	if !known {
		return errors.New(said.String())
	}
	if into != nil && !said.Problem() {
		if err := json.Unmarshal(said.Body, into); err != nil {
			return fmt.Errorf("%s: %w", said, err)
		}
	}
	if check != nil {
		if err := check(said); err != nil {
			return fmt.Errorf("%w: %s", err, said)
		}
	}
	return nil
}

var (
	ok      = []int{http.StatusOK}
	created = []int{http.StatusCreated}
	gone    = []int{http.StatusNoContent}
)

// visits are what customers do, and how often.
var visits = []struct {
	share int
	do    func(*customer, context.Context)
}{
	{25, (*customer).search},
	{17, (*customer).lookAtBook},
	{8, (*customer).bestsellers},
	{17, (*customer).putIntoCart},
	{17, (*customer).checkOut},
	{4, (*customer).cancel},
	{8, (*customer).lookAfterOrders},
	{3, (*customer).leaveAndComeBack},
	{1, (*customer).bringNewcomer},
}

func (c *customer) visit(ctx context.Context) {
	if c.unsure {
		c.lookIntoCart(ctx)
		return
	}
	all := 0
	for _, v := range visits {
		all += v.share
	}
	n := c.random.IntN(all)
	for _, v := range visits {
		if n -= v.share; n < 0 {
			v.do(c, ctx)
			return
		}
	}
}

func (c *customer) anyBook() shop.Book { return c.books[c.random.IntN(len(c.books))] }

func (c *customer) search(ctx context.Context) {
	var found shop.List[shop.Book]
	path := "/v1/books?limit=20&sort=" + []string{"title", "price", "newest"}[c.random.IntN(3)]
	c.ask(ctx, shop.Request{Method: http.MethodGet, Path: path}, ok, &found, func(shop.Answer) error {
		if len(found.Items) != 20 {
			return fmt.Errorf("%d books instead of 20", len(found.Items))
		}
		return nil
	})
}

func (c *customer) lookAtBook(ctx context.Context) {
	var found shop.Book
	book := c.anyBook()
	c.ask(ctx, shop.Request{Method: http.MethodGet, Path: "/v1/books/" + book.ID}, ok, &found, func(shop.Answer) error {
		if found.ID != book.ID || found.Title != book.Title {
			return fmt.Errorf("not the book %q", book.Title)
		}
		return nil
	})
}

func (c *customer) bestsellers(ctx context.Context) {
	var found shop.List[shop.Book]
	c.ask(ctx, shop.Request{Method: http.MethodGet, Path: "/v1/books/bestsellers"}, ok, &found, func(shop.Answer) error {
		if len(found.Items) != 50 {
			return fmt.Errorf("%d bestsellers instead of 50", len(found.Items))
		}
		return nil
	})
}

func (c *customer) putIntoCart(ctx context.Context) {
	book, quantity := c.anyBook(), 1+c.random.IntN(2)
	var filled shop.Cart
	r := shop.Request{Method: http.MethodPut, Path: "/v1/cart/items/" + book.ID, Body: map[string]int{"quantity": quantity}}
	c.ask(ctx, r, ok, &filled, func(shop.Answer) error {
		if !c.unsure {
			c.cart[book.ID] = quantity
		}
		return c.sameCart(filled)
	})
}

// sameCart holds a cart against what should be in it.
func (c *customer) sameCart(seen shop.Cart) error {
	if !c.unsure && !same(seen.Items, c.cart) {
		return errors.New("the cart should hold something else")
	}
	return nil
}

func same(lines []shop.Line, want map[string]int) bool {
	if len(lines) != len(want) {
		return false
	}
	for _, l := range lines {
		if want[l.BookID] != l.Quantity {
			return false
		}
	}
	return true
}

// lookIntoCart finds out what is in the cart when that can't be known.
func (c *customer) lookIntoCart(ctx context.Context) {
	var seen shop.Cart
	if _, good := c.ask(ctx, shop.Request{Method: http.MethodGet, Path: "/v1/cart"}, ok, &seen, nil); !good {
		return
	}
	c.cart = map[string]int{}
	for _, l := range seen.Items {
		c.cart[l.BookID] = l.Quantity
	}
	c.unsure = false
}

// leaveAndComeBack ends the session and begins another.
func (c *customer) leaveAndComeBack(ctx context.Context) {
	if _, good := c.ask(ctx, shop.Request{Method: http.MethodDelete, Path: "/v1/sessions/current"}, gone, nil, nil); good {
		c.token = ""
	}
	c.signIn(ctx)
}

// signIn begins a session, however often it takes.
func (c *customer) signIn(ctx context.Context) {
	var session struct {
		Token string `json:"token"`
	}
	r := shop.Request{Method: http.MethodPost, Path: "/v1/sessions", Body: map[string]string{"email": c.email, "password": seed.ReaderPassword}}
	for ctx.Err() == nil {
		c.token = ""
		if _, good := c.ask(ctx, r, created, &session, nil); good {
			c.token = session.Token
			break
		}
		_ = shop.Pause(ctx, 200*time.Millisecond)
	}
	var me struct {
		Email string `json:"email"`
	}
	c.ask(ctx, shop.Request{Method: http.MethodGet, Path: "/v1/accounts/me"}, ok, &me, func(shop.Answer) error {
		if me.Email != c.email {
			return fmt.Errorf("the account is that of %s", me.Email)
		}
		return nil
	})
}

// bringNewcomer registers somebody, who signs in, lays a book into the cart and leaves.
func (c *customer) bringNewcomer(ctx context.Context) {
	c.newcomers++
	n := &customer{
		shop: c.shop, book: c.book, random: c.random, books: c.books,
		email: fmt.Sprintf("friend%d-of-%s", c.newcomers, c.email), cart: map[string]int{},
	}
	r := shop.Request{Method: http.MethodPost, Path: "/v1/accounts", Body: map[string]string{
		"email": n.email, "password": seed.ReaderPassword, "name": "A Friend",
	}}
	if _, good := n.ask(ctx, r, created, nil, nil); !good {
		return
	}
	n.signIn(ctx)
	n.putIntoCart(ctx)
	n.ask(ctx, shop.Request{Method: http.MethodGet, Path: "/v1/notifications"}, ok, nil, nil)
	n.ask(ctx, shop.Request{Method: http.MethodDelete, Path: "/v1/sessions/current"}, gone, nil, nil)
}
