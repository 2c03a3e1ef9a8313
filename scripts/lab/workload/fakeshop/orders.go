package fakeshop

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"banyan/scripts/lab/shop"
)

func (s *Shop) routeOrders() {
	s.mux.HandleFunc("GET /v1/cart", s.signedIn(func(a *account, w http.ResponseWriter, _ *http.Request) { Reply(w, 200, s.cart(a)) }))
	s.mux.HandleFunc("PUT /v1/cart/items/{id}", s.signedIn(s.put))
	s.mux.HandleFunc("DELETE /v1/cart/items/{id}", s.signedIn(s.remove))
	s.mux.HandleFunc("POST /v1/orders", s.once(s.signedIn(s.buy)))
	s.mux.HandleFunc("GET /v1/orders", s.signedIn(func(a *account, w http.ResponseWriter, r *http.Request) {
		page(w, r, a.orders, func(o shop.Order) string { return o.ID })
	}))
	s.mux.HandleFunc("GET /v1/orders/{id}", s.signedIn(s.showOrder))
	s.mux.HandleFunc("GET /v1/payments", s.signedIn(documents("captured")))
	s.mux.HandleFunc("GET /v1/shipments", s.signedIn(documents("preparing")))
	s.mux.HandleFunc("GET /v1/notifications", s.signedIn(func(a *account, w http.ResponseWriter, r *http.Request) {
		page(w, r, a.mails, thing.id)
	}))
}

func (one thing) id() string { return one.ID }

// documents are one for each order.
func documents(status string) func(*account, http.ResponseWriter, *http.Request) {
	return func(a *account, w http.ResponseWriter, r *http.Request) {
		var found []thing
		for _, o := range a.orders {
			if of := r.FormValue("order_id"); of == "" || of == o.ID {
				found = append(found, thing{ID: status + " " + o.ID, OrderID: o.ID, Status: status})
			}
		}
		page(w, r, found, thing.id)
	}
}

func (s *Shop) put(a *account, w http.ResponseWriter, r *http.Request) {
	var body struct{ Quantity int }
	_ = json.NewDecoder(r.Body).Decode(&body)
	a.cart[r.PathValue("id")] = body.Quantity
	Reply(w, 200, s.cart(a))
}

func (s *Shop) remove(a *account, w http.ResponseWriter, r *http.Request) {
	delete(a.cart, r.PathValue("id"))
	Reply(w, 200, s.cart(a))
}

func (s *Shop) cart(a *account) shop.Cart {
	bought := s.order("", a.cart, time.Time{})
	return shop.Cart{Items: bought.Items, Total: bought.Total}
}

func (s *Shop) order(id string, copies map[string]int, at time.Time) shop.Order {
	o := shop.Order{ID: id, Status: shop.Paid, PlacedAt: at, Items: []shop.Line{}, Total: shop.Money{Currency: "USD"}}
	for id, n := range copies {
		price := s.byID[id].Price
		total := shop.Money{Amount: price.Amount * int64(n), Currency: "USD"}
		o.Items = append(o.Items, shop.Line{BookID: id, Quantity: n, UnitPrice: price, LineTotal: total})
		o.Total.Amount += total.Amount
	}
	return o
}

func (s *Shop) buy(a *account, w http.ResponseWriter, _ *http.Request) {
	for id, n := range a.cart {
		if s.byID[id].Available < n {
			Refuse(w, 409, "sold-out")
			return
		}
	}
	for id, n := range a.cart {
		s.byID[id].Available -= n
	}
	o := s.order(uuid.NewString(), a.cart, time.Now())
	a.orders = slices.Insert(a.orders, 0, o)
	a.mails = slices.Insert(a.mails, 0, thing{ID: uuid.NewString()})
	clear(a.cart)
	w.Header().Set("Location", "/v1/orders/"+o.ID)
	Reply(w, 201, o)
}

func (s *Shop) showOrder(a *account, w http.ResponseWriter, r *http.Request) {
	i := slices.IndexFunc(a.orders, func(o shop.Order) bool { return o.ID == r.PathValue("id") })
	if i < 0 {
		Refuse(w, 404, "not-found")
		return
	}
	Reply(w, 200, a.orders[i])
}
