package contract_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

const password = "correct horse battery"

// customer registers somebody new and signs them in. Passwords are dear on
// purpose, so tests share a customer where they can.
func customer(t *testing.T) visitor {
	t.Helper()
	v := anybody(t)
	email := newEmail()
	v.post("/v1/accounts", registration(email)).is(http.StatusCreated)
	v.token = v.signIn(email, password).Token
	return v
}

func newEmail() string { return word() + "@contract.example" }

func registration(email string) object {
	return object{"email": email, "password": password, "name": "Ada Lovelace"}
}

func (v visitor) signIn(email, password string) session {
	v.t.Helper()
	return into[session](v.post("/v1/sessions", object{"email": email, "password": password}).is(http.StatusCreated))
}

// newBook is a body for POST /v1/books that is fine.
func newBook() object {
	return object{
		"isbn": newISBN(), "title": "The " + word(), "authors": []string{"Jane " + word()}, "subject": word(),
		"price": object{"amount": 1299, "currency": "USD"},
	}
}

// adds puts a book on the shelf. Only the catalog knows it at once.
func (v visitor) adds(body object) book {
	v.t.Helper()
	return into[book](v.post("/v1/books", body).is(http.StatusCreated))
}

// bookWith is a new book of which there are so many copies.
func bookWith(t *testing.T, copies int) book {
	t.Helper()
	return stocked(t, newBook(), copies)
}

func stocked(t *testing.T, body object, copies int) book {
	t.Helper()
	s := staff(t)
	b := s.adds(body)
	if copies > 0 {
		s.delivers(b, copies)
	}
	return b
}

// delivers waits until the stock knows the book, then adds copies.
func (v visitor) delivers(b book, copies int) stock {
	v.t.Helper()
	k := freshKey()
	var r reply
	eventually(v.t, "the stock knows the new book", func() bool {
		r = v.post("/v1/stock/"+b.ID+"/deliveries", object{"quantity": copies}, k)
		return r.status != http.StatusNotFound
	})
	return into[stock](r.is(http.StatusOK))
}

// copiesOf is how many copies the stock has now.
func copiesOf(t *testing.T, b book) int {
	t.Helper()
	return into[stock](staff(t).get("/v1/stock/" + b.ID).is(http.StatusOK)).Available
}

// comesTo waits until the stock of a book is so many copies.
func comesTo(t *testing.T, b book, copies int) {
	t.Helper()
	eventually(t, "the stock comes to the right number", func() bool { return copiesOf(t, b) == copies })
}

// puts lays copies of a book into the cart, as soon as the cart knows it.
func (v visitor) puts(quantity int, b book) cart {
	v.t.Helper()
	var r reply
	eventually(v.t, "the cart knows the new book", func() bool {
		r = v.put("/v1/cart/items/"+b.ID, object{"quantity": quantity})
		return r.status != http.StatusNotFound
	})
	return into[cart](r.is(http.StatusOK))
}

func (v visitor) cart() cart {
	v.t.Helper()
	return into[cart](v.get("/v1/cart").is(http.StatusOK))
}

var home = address{"Ada Lovelace", "12 St James's Square", "London", "SW1Y 4JH", "GB"}

// checkout is a body for POST /v1/orders that is fine.
func checkout(card string) object {
	return object{
		"payment": object{"token": card},
		"shipping_address": object{
			"name": home.Name, "street": home.Street, "city": home.City, "postcode": home.Postcode, "country": home.Country,
		},
	}
}

// pays sends the checkout, once.
func (v visitor) pays(card string, k header) reply {
	v.t.Helper()
	return v.post("/v1/orders", checkout(card), k)
}

// buys buys the cart with a card that pays and waits until it has.
func (v visitor) buys() order {
	v.t.Helper()
	return v.settles(v.pays("tok_visa", freshKey()))
}

// settles follows a 201 or 202 until the order is paid.
func (v visitor) settles(r reply) order {
	v.t.Helper()
	require.Contains(v.t, []int{http.StatusCreated, http.StatusAccepted}, r.status, "%s\n%s", r.call, r.body)
	o := into[order](r)
	require.Equal(v.t, "/v1/orders/"+o.ID, r.header.Get("Location"))
	return v.becomes(o.ID, "paid")
}

// becomes waits until an order has the status.
func (v visitor) becomes(id, status string) order {
	v.t.Helper()
	var o order
	eventually(v.t, "the order becomes "+status, func() bool {
		o = v.order(id)
		return o.Status == status
	})
	return o
}

func (v visitor) order(id string) order {
	v.t.Helper()
	return into[order](v.get("/v1/orders/" + id).is(http.StatusOK))
}

// orders are the customer's orders, up to 100.
func (v visitor) orders() []order { v.t.Helper(); return items[order](v, "/v1/orders?limit=100") }

// payments of one order.
func (v visitor) payments(orderID string) []payment {
	v.t.Helper()
	return items[payment](v, "/v1/payments?order_id="+orderID)
}

// payment waits until the order's one payment has the status.
func (v visitor) payment(orderID, status string) payment {
	v.t.Helper()
	var found []payment
	eventually(v.t, "the payment is "+status, func() bool {
		found = v.payments(orderID)
		return len(found) == 1 && found[0].Status == status
	})
	return found[0]
}

// shipment waits until the order's one shipment has the status.
func (v visitor) shipment(orderID, status string) shipment {
	v.t.Helper()
	var found []shipment
	eventually(v.t, "the shipment is "+status, func() bool {
		found = items[shipment](v, "/v1/shipments?order_id="+orderID)
		return len(found) == 1 && found[0].Status == status
	})
	return found[0]
}

// mailed waits until the kinds of mail sent to the customer are these, in any order.
func (v visitor) mailed(kinds ...string) []notification {
	v.t.Helper()
	var found []notification
	eventually(v.t, "the mail is sent", func() bool {
		found = items[notification](v, "/v1/notifications?limit=100")
		if len(found) != len(kinds) {
			return false
		}
		for _, n := range found {
			if n.Status != "sent" {
				return false
			}
		}
		return true
	})
	var got []string
	for _, n := range found {
		got = append(got, n.Kind)
	}
	require.ElementsMatch(v.t, kinds, got)
	return found
}

// items are the items of one page.
func items[T any](v visitor, path string) []T {
	v.t.Helper()
	return into[list[T]](v.get(path).is(http.StatusOK)).Items
}

// allPages walks a list from its first page to its last. The path has a query already.
func allPages[T any](v visitor, path string) []T {
	v.t.Helper()
	var all []T
	page := into[list[T]](v.get(path).is(http.StatusOK))
	for all = page.Items; page.NextCursor != nil; all = append(all, page.Items...) {
		require.NotEmpty(v.t, page.Items, "a page that is not the last holds something")
		require.Less(v.t, len(all), 10_000, "the list does not end")
		page = into[list[T]](v.get(path + "&cursor=" + url.QueryEscape(*page.NextCursor)).is(http.StatusOK))
	}
	return all
}
