package workload

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"banyan/scripts/lab/seed"
	"banyan/scripts/lab/shop"
)

// settle finds out what became of an order that was not settled within its request, and lets its customer begin with an empty
// cart again. In a round of a benchmark nobody does: it is short, and begins with empty carts.
func (b *browser) settle(ctx context.Context) {
	c := b.visitors[b.current]
	if !c.unsettled {
		return
	}
	var orders shop.List[shop.Order]
	if !b.read(ctx, shop.Request{Method: http.MethodGet, Path: "/v1/orders", Token: c.token}, checkOrders, &orders) || orders.Items[0].Status == shop.Pending {
		return
	}
	isPaid := func(o shop.Order) bool { return o.Status != shop.Pending && o.Status != shop.Cancelled }
	shown := slices.IndexFunc(orders.Items, func(o shop.Order) bool { return o.ID == c.order })
	if paid := slices.IndexFunc(orders.Items, isPaid); shown >= 0 && paid >= 0 && !isPaid(orders.Items[shown]) {
		c.order = orders.Items[paid].ID // one that has a payment
	}
	var cart shop.Cart
	if !b.read(ctx, shop.Request{Method: http.MethodGet, Path: "/v1/cart", Token: c.token}, checkCart(nil), &cart) {
		return
	}
	for _, l := range cart.Items {
		r := shop.Request{Method: http.MethodDelete, Path: "/v1/cart/items/" + l.BookID, Token: c.token}
		if _, _, good := b.ask(ctx, r, ok(checkCart(nil))); !good {
			return
		}
	}
	c.cart, c.unsettled = c.cart[:0], false
}

// read asks for something and reads the answer, whatever the sample is, unless it is amiss.
func (b *browser) read(ctx context.Context, r shop.Request, check func([]byte) error, into any) bool {
	a, _, good := b.ask(ctx, r, ok(nil))
	if !good {
		return false
	}
	err := check(a.Body)
	if err == nil {
		err = json.Unmarshal(a.Body, into)
	}
	if err != nil {
		b.wrong(r, wrongContents, err)
	}
	return err == nil
}

// restock has copies delivered for so many checkouts to come. What goes wrong is counted, and made up for the next time.
func (b *browser) restock(ctx context.Context, checkouts float64) {
	_ = b.fill(checkouts, func(books []seed.Book) (there map[string]int, err error) {
		check := decoded(func(found shop.List[shop.Book]) (err error) {
			there, err = copiesOf(books, found)
			return err
		})
		var found shop.List[shop.Book]
		if !b.read(ctx, shop.Request{Method: http.MethodGet, Path: listOf(books), Token: b.staff}, check, &found) {
			return nil, errCounted
		}
		return there, nil
	}, func(book seed.Book, copies int) error {
		r := shop.Request{
			Method: http.MethodPost, Path: "/v1/stock/" + book.ID.String() + "/deliveries", Token: b.staff,
			Key: b.keys + "-" + uuid.NewString(), Body: fmt.Appendf(nil, `{"quantity":%d}`, copies),
		}
		if _, _, good := b.ask(ctx, r, ok(checkStock(book))); !good {
			return errCounted
		}
		return nil
	})
}

// errCounted ends what can't go on after an answer that is counted already.
var errCounted = errors.New("an answer was amiss")
