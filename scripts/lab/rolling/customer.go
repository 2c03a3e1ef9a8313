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
)

// customer is one account, and what its owner knows of it.
type customer struct {
	fronts *fronts
	book   *book
	random *rand.Rand
	books  []wanted // all that anybody wants

	email, token string
	cart         map[string]int    // copies by book
	unsure       bool              // about the cart: a request got no answer
	orders       map[string]string // the status that each order has to have in the end, by id
	last         *order            // that was bought, and not cancelled
	newcomers    int
}

// wanted is a book that there is enough of.
type wanted struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

type money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

type line struct {
	BookID    string `json:"book_id"`
	Quantity  int    `json:"quantity"`
	UnitPrice money  `json:"unit_price"`
}

type cart struct {
	Items []line `json:"items"`
	Total money  `json:"total"`
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
func (c *customer) ask(ctx context.Context, r request, status []int, into any, check func(answer) error) (answer, bool) {
	phase := c.book.now()
	r.token = c.token
	began := time.Now()
	said, err := c.fronts.send(ctx, r)
	if err != nil && ctx.Err() != nil {
		return said, false // the run is over
	}
	unanswered := err != nil || said.unanswered()
	if err == nil {
		err = expect(said, status, into, check)
	}
	good := c.book.note(phase, r, began, unanswered, err)
	if !good {
		c.unsure = true
	}
	return said, good
}

func expect(said answer, status []int, into any, check func(answer) error) error {
	known := false
	for _, s := range status {
		known = known || s == said.status
	}
	if !known {
		return errors.New(said.String())
	}
	if into != nil && !said.problem {
		if err := json.Unmarshal(said.body, into); err != nil {
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

func (c *customer) anyBook() wanted { return c.books[c.random.IntN(len(c.books))] }

func (c *customer) search(ctx context.Context) {
	var found list[wanted]
	path := "/v1/books?limit=20&sort=" + []string{"title", "price", "newest"}[c.random.IntN(3)]
	c.ask(ctx, request{method: http.MethodGet, path: path}, ok, &found, func(answer) error {
		if len(found.Items) != 20 {
			return fmt.Errorf("%d books instead of 20", len(found.Items))
		}
		return nil
	})
}

func (c *customer) lookAtBook(ctx context.Context) {
	var found wanted
	book := c.anyBook()
	c.ask(ctx, request{method: http.MethodGet, path: "/v1/books/" + book.ID}, ok, &found, func(answer) error {
		if found != book {
			return fmt.Errorf("not the book %q", book.Title)
		}
		return nil
	})
}

func (c *customer) bestsellers(ctx context.Context) {
	var found list[wanted]
	c.ask(ctx, request{method: http.MethodGet, path: "/v1/books/bestsellers"}, ok, &found, func(answer) error {
		if len(found.Items) != 50 {
			return fmt.Errorf("%d bestsellers instead of 50", len(found.Items))
		}
		return nil
	})
}

func (c *customer) putIntoCart(ctx context.Context) {
	book, quantity := c.anyBook(), 1+c.random.IntN(2)
	var filled cart
	r := request{method: http.MethodPut, path: "/v1/cart/items/" + book.ID, body: map[string]int{"quantity": quantity}}
	c.ask(ctx, r, ok, &filled, func(answer) error {
		if !c.unsure {
			c.cart[book.ID] = quantity
		}
		return c.sameCart(filled)
	})
}

// sameCart holds a cart against what should be in it.
func (c *customer) sameCart(seen cart) error {
	if !c.unsure && !same(seen.Items, c.cart) {
		return errors.New("the cart should hold something else")
	}
	return nil
}

func same(lines []line, want map[string]int) bool {
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
	var seen cart
	if _, good := c.ask(ctx, request{method: http.MethodGet, path: "/v1/cart"}, ok, &seen, nil); !good {
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
	if _, good := c.ask(ctx, request{method: http.MethodDelete, path: "/v1/sessions/current"}, gone, nil, nil); good {
		c.token = ""
	}
	c.signIn(ctx)
}

// signIn begins a session, however often it takes.
func (c *customer) signIn(ctx context.Context) {
	var session struct {
		Token string `json:"token"`
	}
	r := request{method: http.MethodPost, path: "/v1/sessions", body: map[string]string{"email": c.email, "password": seed.ReaderPassword}}
	for ctx.Err() == nil {
		c.token = ""
		if _, good := c.ask(ctx, r, created, &session, nil); good {
			c.token = session.Token
			break
		}
		_ = pause(ctx, 200*time.Millisecond)
	}
	var me struct {
		Email string `json:"email"`
	}
	c.ask(ctx, request{method: http.MethodGet, path: "/v1/accounts/me"}, ok, &me, func(answer) error {
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
		fronts: c.fronts, book: c.book, random: c.random, books: c.books,
		email: fmt.Sprintf("friend%d-of-%s", c.newcomers, c.email), cart: map[string]int{},
	}
	r := request{method: http.MethodPost, path: "/v1/accounts", body: map[string]string{
		"email": n.email, "password": seed.ReaderPassword, "name": "A Friend",
	}}
	if _, good := n.ask(ctx, r, created, nil, nil); !good {
		return
	}
	n.signIn(ctx)
	n.putIntoCart(ctx)
	n.ask(ctx, request{method: http.MethodGet, path: "/v1/notifications"}, ok, nil, nil)
	n.ask(ctx, request{method: http.MethodDelete, path: "/v1/sessions/current"}, gone, nil, nil)
}
