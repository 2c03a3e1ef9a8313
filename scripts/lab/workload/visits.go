package workload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"banyan/scripts/lab/seed"
	"banyan/scripts/lab/shop"
)

// pageSize is how many books TPC-W's lists show.
const pageSize = "50"

// visit carries out an interaction. docs/benchmarks/workload.md describes each.
func (b *browser) visit(ctx context.Context, c *customer, v *visit) {
	switch v.interaction {
	case Home, SearchRequest:
		b.promotions(ctx, v)
	case NewProducts:
		b.newProducts(ctx, v)
	case BestSellers:
		b.bestSellers(ctx, v)
	case ProductDetail:
		b.book(ctx, "", b.shop.books[v.books[0]])
	case SearchResults:
		b.searchResults(ctx, v)
	case ShoppingCart:
		b.shoppingCart(ctx, c, v)
	case CustomerRegistration:
		b.registration(ctx, c, v)
	case BuyRequest:
		b.ask(ctx, shop.Request{Method: http.MethodGet, Path: "/v1/cart", Token: c.token}, ok(checkCart(nil)))
	case BuyConfirm:
		b.buyConfirm(ctx, c, v)
	case OrderInquiry:
		b.ask(ctx, shop.Request{Method: http.MethodGet, Path: "/v1/orders", Token: c.token}, ok(checkOrders))
	case OrderDisplay:
		b.orderDisplay(ctx, c)
	case AdminRequest:
		b.book(ctx, b.staff, b.shop.books[v.anyBook])
	case AdminConfirm:
		b.adminConfirm(ctx, v)
	}
}

func (b *browser) promotions(ctx context.Context, v *visit) {
	ids := make([]string, 0, promoted)
	for _, rank := range v.books {
		ids = append(ids, b.shop.books[rank].ID.String())
	}
	b.ask(ctx, shop.Request{Method: http.MethodGet, Path: "/v1/books?ids=" + strings.Join(ids, ",")}, ok(checkPromotions(ids)))
}

func (b *browser) newProducts(ctx context.Context, v *visit) {
	subject := b.shop.subjects[v.subject]
	path := "/v1/books?subject=" + url.QueryEscape(subject) + "&sort=newest&limit=" + pageSize
	b.ask(ctx, shop.Request{Method: http.MethodGet, Path: path}, ok(checkNewest(subject)))
}

func (b *browser) bestSellers(ctx context.Context, v *visit) {
	subject := b.shop.subjects[v.subject]
	path := "/v1/books/bestsellers?subject=" + url.QueryEscape(subject)
	b.ask(ctx, shop.Request{Method: http.MethodGet, Path: path}, ok(checkBestsellers(subject)))
}

func (b *browser) book(ctx context.Context, token string, book seed.Book) {
	b.ask(ctx, shop.Request{Method: http.MethodGet, Path: "/v1/books/" + book.ID.String(), Token: token}, ok(checkBook(book)))
}

func (b *browser) searchResults(ctx context.Context, v *visit) {
	var filter string
	var check func([]byte) error
	switch v.search.by {
	case bySubject:
		subject := b.shop.subjects[v.search.word]
		filter, check = "&subject="+url.QueryEscape(subject), checkSubject(subject)
	case byTitle:
		word := b.shop.titleWords[v.search.word]
		filter, check = "&q="+word, checkFound(word)
	case byAuthor:
		word := b.shop.authorWords[v.search.word]
		filter, check = "&q="+word, checkFound(word)
	}
	b.ask(ctx, shop.Request{Method: http.MethodGet, Path: "/v1/books?limit=" + pageSize + filter}, ok(check))
}

// shoppingCart puts a book into the cart, or changes a line of a full one. The answer is the cart.
func (b *browser) shoppingCart(ctx context.Context, c *customer, v *visit) {
	put := line{v.books[0], v.quantity}
	at := slices.IndexFunc(c.cart, func(l line) bool { return l.book == put.book })
	if at < 0 && len(c.cart) >= cartLines {
		at = v.line
		put.book = c.cart[at].book
	}
	book := b.shop.books[put.book]
	body := strconv.AppendInt([]byte(`{"quantity":`), int64(put.quantity), 10)
	check := checkCart(&wantedLine{book.ID.String(), put.quantity})
	if c.unsettled {
		check = checkCart(nil) // the order that is settled meanwhile may take copies out
	}
	r := shop.Request{Method: http.MethodPut, Path: "/v1/cart/items/" + book.ID.String(), Token: c.token, Body: append(body, '}')}
	if _, _, good := b.ask(ctx, r, ok(check)); !good {
		c.unsettled = true
		return
	}
	if at < 0 {
		c.cart = append(c.cart, put)
	} else {
		c.cart[at] = put
	}
}

// registration asks who is signed in, or, with logins, registers one in five customers and signs them in: with
// Argon2 once or twice.
func (b *browser) registration(ctx context.Context, c *customer, v *visit) {
	if !b.withLogins {
		r := shop.Request{Method: http.MethodGet, Path: "/v1/accounts/me", Token: c.token}
		b.ask(ctx, r, ok(checkAccount(c.email)))
		return
	}
	if !v.returning {
		email := b.keys + "-" + uuid.NewString() + "@banyan.example"
		body := map[string]string{"email": email, "password": seed.ReaderPassword, "name": "New Reader"}
		r := shop.Request{Method: http.MethodPost, Path: "/v1/accounts", Body: body}
		b.ask(ctx, r, expectation{status: http.StatusCreated, check: checkAccount(email)})
	}
	if signed, good := b.signIn(ctx, c.email); good {
		c.token = signed
	}
}

func (b *browser) signIn(ctx context.Context, email string) (token string, good bool) {
	body := shop.Credentials{Email: email, Password: seed.ReaderPassword}
	r := shop.Request{Method: http.MethodPost, Path: "/v1/sessions", Body: body}
	a, _, good := b.ask(ctx, r, expectation{status: http.StatusCreated})
	if !good {
		return "", false
	}
	var session struct {
		Token string `json:"token"`
	}
	if err := a.Read(&session); err != nil || session.Token == "" {
		b.wrong(r, wrongContents, cmp.Or(err, errNoToken))
		return "", false
	}
	return session.Token, true
}

var errNoToken = errors.New("it holds no token")

// buyConfirm buys the cart; an empty one gets a book first.
func (b *browser) buyConfirm(ctx context.Context, c *customer, v *visit) {
	if len(c.cart) == 0 {
		b.shoppingCart(ctx, c, v)
	}
	want := expectation{
		status: http.StatusCreated, also: http.StatusAccepted, refusals: []string{"sold-out", "order-pending"},
		check: checkOrder("", c.cart, b.shop),
	}
	if c.unsettled {
		want.refusals = append(want.refusals, "cart-empty")
		want.check = checkOrder("", nil, b.shop)
	}
	r := shop.Request{Method: http.MethodPost, Path: "/v1/orders", Token: c.token, Key: b.keys + "-" + uuid.NewString(), Body: purchase}
	a, code, good := b.ask(ctx, r, want)
	switch {
	case good:
		id, found := strings.CutPrefix(a.Location(), "/v1/orders/")
		if !found {
			b.wrong(r, wrongContents, fmt.Errorf("its Location is %q", a.Location()))
			return
		}
		c.order, c.cart = id, c.cart[:0]
		if a.Status == http.StatusAccepted {
			b.note(func(t *Tally) { t.Pending++ })
			c.unsettled = true
		}
	case code == "sold-out":
		b.emptyCart(ctx, c)
	case code == "cart-empty":
		c.cart = c.cart[:0]
	case code == "":
		c.unsettled = true // there may be an order, or not
	}
}

// purchase is the body of every order.
var purchase = shop.Checkout(shop.CardGood)

// emptyCart takes the lines out that the customer knows of.
func (b *browser) emptyCart(ctx context.Context, c *customer) {
	for _, l := range c.cart {
		path := "/v1/cart/items/" + b.shop.books[l.book].ID.String()
		b.ask(ctx, shop.Request{Method: http.MethodDelete, Path: path, Token: c.token}, ok(checkCart(nil)))
	}
	c.cart = c.cart[:0]
}

func (b *browser) orderDisplay(ctx context.Context, c *customer) {
	get := func(path string, check func([]byte) error) {
		b.ask(ctx, shop.Request{Method: http.MethodGet, Path: path, Token: c.token}, ok(check))
	}
	get("/v1/orders/"+c.order, checkOrder(c.order, nil, b.shop))
	get("/v1/payments?order_id="+c.order, checkPayments(c.order, !c.unsettled))
	get("/v1/shipments?order_id="+c.order, checkShipments(c.order))
}

func (b *browser) adminConfirm(ctx context.Context, v *visit) {
	book := b.shop.books[v.anyBook]
	body := fmt.Appendf(nil, `{"price":{"amount":%d,"currency":"USD"}}`, v.cents)
	r := shop.Request{Method: http.MethodPatch, Path: "/v1/books/" + book.ID.String(), Token: b.staff, Body: body}
	b.ask(ctx, r, ok(checkPrice(book, v.cents)))
}
