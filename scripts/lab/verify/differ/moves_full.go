package differ

import (
	"fmt"
	"net/http"
)

// mostTitles is how many a cart holds.
const mostTitles = 100

// fullCart puts a hundred titles into a cart, tries one more, and buys.
func fullCart(g *generator) {
	who := g.customer()
	items := make([]string, mostTitles+1)
	for i, n := range g.random.Perm(len(g.books.IDs))[:len(items)] {
		items[i] = "/v1/cart/items/" + g.books.IDs[n]
	}
	last, over := items[mostTitles-1], items[mostTitles]
	put := func(path string, quantity int) Step {
		return Step{As: who, Method: http.MethodPut, Path: path, Body: fmt.Sprintf(`{"quantity":%d}`, quantity)}
	}
	filling := put(last, 1)
	filling.Before = items[:mostTitles-1]
	g.add(filling)
	g.filled[who] = true
	g.add(put(over, 1))
	switch g.random.IntN(3) {
	case 0:
		g.add(put(last, 2))
	case 1:
		g.add(Step{As: who, Method: http.MethodDelete, Path: "/v1/cart/items/" + g.noID()})
		g.add(Step{As: who, Method: http.MethodDelete, Path: items[0]})
		g.add(put(over, 1))
	}
	g.buy(who)
}

// fullShelf sells from a shelf that is full, delivers until it is full again, and cancels the sale.
func fullShelf(g *generator) {
	who, book := g.customer(), pick(g, g.added...)
	id := fmt.Sprintf("<s%d.id>", book)
	g.add(Step{As: who, Method: http.MethodPut, Path: "/v1/cart/items/" + id, Body: `{"quantity":2}`, Fill: id})
	sale := g.add(Step{As: who, Method: http.MethodPost, Path: "/v1/orders", Body: checkoutBody("tok_visa", address),
		Header: map[string]string{"Idempotency-Key": g.key()}})
	g.bought[who] = append(g.bought[who], sale)
	g.filled[who] = false
	g.deliver(book, pick(g, 3, 1_000_000))
	g.deliver(book, pick(g, 1, 2))
	g.add(Step{As: who, Method: http.MethodPost, Path: fmt.Sprintf("/v1/orders/<s%d.id>/cancel", sale)})
	g.get(staff, "/v1/stock/%s", id)
	g.get(nobody, "/v1/books/%s", id)
	g.deliver(book, 1)
}
