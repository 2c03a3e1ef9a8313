package differ

import (
	"fmt"
	"net/http"
	"net/url"
)

var stockMoves = []move{
	{3, func(g *generator) {
		id, shared := g.anyBook()
		if g.chance(20) {
			id, shared = g.noID(), false
		}
		g.add(Step{As: g.anybody(), Method: http.MethodGet, Path: "/v1/stock/" + id, Shared: shared})
	}},
	{4, deliverSome},
	{3, badDelivery},
}

func (g *generator) key() string { return fmt.Sprintf("<tag>-k%d", len(g.steps)) }

func deliverSome(g *generator) { g.deliver(pick(g, g.added...), pick(g, 1, 2, 5, 50)) }

// deliver has copies delivered of the book that a step has added.
func (g *generator) deliver(book, copies int) {
	s := Step{
		As: staff, Method: http.MethodPost, Path: fmt.Sprintf("/v1/stock/<s%d.id>/deliveries", book),
		Body: fmt.Sprintf(`{"quantity":%d}`, copies), Header: map[string]string{"Idempotency-Key": g.key()},
	}
	g.add(s)
	g.repeat(s, `{"quantity":4}`)
}

// repeat sends a step again under its key, sometimes with another body.
func (g *generator) repeat(s Step, otherBody string) {
	if !g.chance(25) {
		return
	}
	if g.chance(30) {
		s.Body = otherBody
	}
	g.add(s)
}

func badDelivery(g *generator) {
	path := "/v1/stock/" + g.ownBook() + "/deliveries"
	header := map[string]string{"Idempotency-Key": g.key()}
	switch g.random.IntN(6) {
	case 0:
		g.mistake(staff, http.MethodPost, path, `{"quantity":5}`, header)
	case 1:
		g.send(staff, http.MethodPost, path, `{"quantity":5}`) // without a key
	case 2:
		g.add(Step{As: staff, Method: http.MethodPost, Path: path, Body: `{"quantity":5}`,
			Header: map[string]string{"Idempotency-Key": g.badKey()}})
	case 3:
		g.add(Step{As: staff, Method: http.MethodPost, Path: "/v1/stock/" + g.noID() + "/deliveries", Body: `{"quantity":5}`,
			Header: header})
	case 4:
		g.add(Step{As: pick(g, alice, nobody, liar), Method: http.MethodPost, Path: path, Body: `{"quantity":5}`, Header: header})
	default:
		g.add(Step{As: staff, Method: http.MethodPost, Path: path, Header: header, Body: pick(g,
			`{}`, `{"quantity":0}`, `{"quantity":-1}`, `{"quantity":1000001}`, `{"quantity":2147483648}`,
			`{"quantity":9223372036854775808}`, `{"quantity":1.5}`, `{"quantity":"5"}`, `{"quantity":null}`,
			`{"quantity":1,"quantity":2}`, `{"Quantity":3}`, `{"quantity":1e2}`)})
	}
}

func (g *generator) badKey() string { return pick(g, "k\u00e9y", longWord+longWord[:55], " ") }

var cartMoves = []move{
	{4, func(g *generator) { g.get(pick(g, alice, bob, alice, nobody, staff), "/v1/cart") }},
	{9, putIntoCart},
	{4, badPut},
	{2, func(g *generator) {
		id, _ := g.anyBook()
		if g.chance(30) {
			id = g.noID()
		}
		g.add(Step{As: pick(g, alice, bob, nobody), Method: http.MethodDelete, Path: "/v1/cart/items/" + id})
	}},
}

func putIntoCart(g *generator) { g.put(g.customer()) }

func (g *generator) put(who string) {
	id, _ := g.anyBook()
	g.filled[who] = true
	g.send(who, http.MethodPut, "/v1/cart/items/"+id, fmt.Sprintf(`{"quantity":%d}`, pick(g, 1, 1, 1, 1, 2, 2, 13)))
}

func badPut(g *generator) {
	path := "/v1/cart/items/" + g.ownBook()
	switch g.random.IntN(4) {
	case 0:
		g.mistake(alice, http.MethodPut, path, `{"quantity":1}`, nil)
	case 1:
		g.send(alice, http.MethodPut, "/v1/cart/items/"+g.noID(), `{"quantity":1}`)
	case 2:
		g.send(pick(g, nobody, liar), http.MethodPut, path, `{"quantity":1}`)
	default:
		g.send(alice, http.MethodPut, path, pick(g, `{}`, `{"quantity":0}`, `{"quantity":-1}`, `{"quantity":100}`,
			`{"quantity":2147483648}`,
			`{"quantity":0.5}`, `{"quantity":"1"}`, `{"quantity":null}`, `{"quantity":1,"price":{"amount":1}}`, `{"quantity":true}`, `{"quantity":1,"quantity":1}`))
	}
}

var orderMoves = []move{
	{11, buy},
	{4, badCheckout},
	{4, func(g *generator) {
		who := g.customer()
		limit := pick(g, 0, 1, 1, 2)
		query := url.Values{}
		if limit > 0 {
			query.Set("limit", fmt.Sprint(limit))
		}
		g.page(who, "/v1/orders", query, limit, false)
	}},
	{5, func(g *generator) {
		of, id := g.customer(), ""
		if id = g.order(of); g.chance(15) {
			id = g.noID()
		}
		g.get(pick(g, of, of, of, alice, bob, staff, nobody), "/v1/orders/%s", id)
	}},
	{5, cancel},
}

const address = `{"name":"Ada Lovelace","street":"12 St James's Square","city":"Ło\u0301dź","postcode":"SW1Y 4JH","country":"GB"}`

func checkoutBody(token, address string) string {
	return fmt.Sprintf(`{"payment":{"token":%q},"shipping_address":%s}`, token, address)
}

// slowAt is the only step at which cards are used that take seconds: sequences go side by side, and all wait for
// the slowest.
const slowAt = 30

func buy(g *generator) { g.buy(g.customer()) }

func (g *generator) buy(who string) {
	if !g.filled[who] || g.chance(30) {
		g.put(who)
	}
	card := "tok_visa"
	switch n := g.random.IntN(100); {
	case n < 12:
		card = "tok_declined"
	case n < 16:
		card = "tok_unknown"
	case n < 20:
		card = "tok_flaky"
	case n < 26:
		card = "tok_refused"
	}
	if len(g.steps) == slowAt {
		card = pick(g, "tok_slow", "tok_timeout")
	}
	s := Step{As: who, Method: http.MethodPost, Path: "/v1/orders", Body: checkoutBody(card, address),
		Header: map[string]string{"Idempotency-Key": g.key()}}
	id := g.add(s)
	g.bought[who] = append(g.bought[who], id)
	g.filled[who] = card == "tok_declined" || card == "tok_unknown" || card == "tok_refused"
	g.repeat(s, checkoutBody("tok_other", address))
	if g.chance(30) {
		g.get(who, "/v1/cart")
	}
	if g.chance(50) {
		listShipment(g, who, fmt.Sprintf("<s%d.id>", id))
	}
}

func badCheckout(g *generator) {
	fine := checkoutBody("tok_visa", address)
	header := map[string]string{"Idempotency-Key": g.key()}
	s := Step{As: bob, Method: http.MethodPost, Path: "/v1/orders", Body: fine, Header: header}
	switch g.random.IntN(5) {
	case 0:
		g.mistake(bob, http.MethodPost, "/v1/orders", fine, header)
		return
	case 1:
		s.Header = nil
		s.Body = pick(g, fine, `{}`, "{")
	case 2:
		s.Header = map[string]string{"Idempotency-Key": g.badKey()}
	case 3:
		s.As = pick(g, nobody, liar)
	default:
		s.Body = pick(g, `{}`, `{"payment":null,"shipping_address":null}`, `{"payment":{},"shipping_address":{}}`, checkoutBody("",
			address),
			checkoutBody(longWord, address), checkoutBody("tok_visa",
				`{"name":"","street":"s","city":"c","postcode":"p","country":"GB"}`),
			checkoutBody("tok_visa", `{"name":"n","street":"s","city":"c","postcode":"p","country":"gb"}`),
			checkoutBody("tok_visa", `{"name":"n\r\nX: y","street":"s","city":"c","postcode":"p","country":"GBR"}`),
			checkoutBody("tok_visa", `"home"`), checkoutBody("tok_visa", address)[:40],
			`{"payment":{"token":"tok_visa","amount":1},"shipping_address":`+address+`}`,
			`{"payment":{"token":"tok_visa"},"shipping_address":`+address+`,"total":{"amount":1,"currency":"USD"}}`)
	}
	g.add(s)
}

func cancel(g *generator) {
	of := g.customer()
	if len(g.bought[of]) == 0 || g.chance(30) {
		g.buy(of)
	}
	id := g.order(of)
	if g.chance(15) {
		id = g.noID()
	}
	s := Step{As: pick(g, of, of, of, of, alice, bob, staff, nobody), Method: http.MethodPost,
		Path: "/v1/orders/" + id + "/cancel"}
	g.add(s)
	if g.chance(20) {
		g.add(s)
	}
	if g.chance(60) {
		g.get(of, "/v1/payments?order_id=%s", id)
	}
}
