package bench

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"banyan/scripts/lab/shop"
)

// fakeShop answers as the contract says, from memory and with one customer.
type fakeShop struct {
	mu     sync.Mutex
	books  []shop.Book
	cart   map[string]int // copies by book
	orders []shop.Order
	paths  []string // all that was asked for
}

// newFakeShop serves the seeded books. Spoil may answer in the shop's place.
func newFakeShop(t *testing.T, spoil http.HandlerFunc) (*fakeShop, *httptest.Server) {
	t.Helper()
	s := &fakeShop{cart: map[string]int{}}
	for i, b := range seeded().Books {
		s.books = append(s.books, shop.Book{
			ID: b.ID.String(), ISBN: b.ISBN, Title: b.Title, Authors: b.Authors, Subject: b.Subject,
			PublishedOn: b.PublishedOn.Format(time.DateOnly), Price: shop.Money{Amount: b.Price, Currency: "USD"}, Available: b.Stock, Sold: 1 + i%7,
		})
	}
	first := known().readers[0].order
	s.orders = []shop.Order{s.order(first, map[string]int{s.books[0].ID: 1}, seeded().Orders[0].PlacedAt)}

	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/books", s.list)
	mux.HandleFunc("GET /v1/books/bestsellers", s.bestsellers)
	mux.HandleFunc("GET /v1/books/{id}", s.show)
	mux.HandleFunc("PATCH /v1/books/{id}", s.change)
	mux.HandleFunc("GET /v1/cart", func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, s.wholeCart()) })
	mux.HandleFunc("PUT /v1/cart/items/{id}", s.put)
	mux.HandleFunc("DELETE /v1/cart/items/{id}", s.remove)
	mux.HandleFunc("POST /v1/orders", s.buy)
	mux.HandleFunc("GET /v1/orders", func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, shop.List[shop.Order]{Items: s.orders}) })
	mux.HandleFunc("GET /v1/orders/{id}", s.showOrder)
	document := func(w http.ResponseWriter, r *http.Request) {
		reply(w, 200, shop.List[document]{Items: []document{{r.FormValue("order_id"), "captured"}}})
	}
	mux.HandleFunc("GET /v1/payments", document)
	mux.HandleFunc("GET /v1/shipments", document)
	mux.HandleFunc("GET /v1/accounts/me", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 200, map[string]string{"email": known().readers[0].email})
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.paths = append(s.paths, r.Method+" "+r.RequestURI)
		spoiled := &watched{ResponseWriter: w}
		if spoil != nil {
			spoil(spoiled, r)
		}
		if !spoiled.written {
			mux.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return s, server
}

// watched knows whether there was an answer.
type watched struct {
	http.ResponseWriter
	written bool
}

func (w *watched) WriteHeader(status int) {
	w.written = true
	w.ResponseWriter.WriteHeader(status)
}

func reply(w http.ResponseWriter, status int, content any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(content)
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"type":"urn:banyan:problem:%s"}`, code)
}

func (s *fakeShop) find(id string) *shop.Book {
	i := slices.IndexFunc(s.books, func(b shop.Book) bool { return b.ID == id })
	return &s.books[i]
}

func (s *fakeShop) list(w http.ResponseWriter, r *http.Request) {
	var found shop.List[shop.Book]
	if ids := r.FormValue("ids"); ids != "" {
		for id := range strings.SplitSeq(ids, ",") {
			found.Items = append(found.Items, *s.find(id))
		}
		reply(w, 200, found)
		return
	}
	for _, b := range s.books {
		text := strings.ToLower(b.Title + " " + strings.Join(b.Authors, " "))
		if (r.FormValue("subject") == "" || b.Subject == r.FormValue("subject")) && strings.Contains(text, r.FormValue("q")) {
			found.Items = append(found.Items, b)
		}
	}
	slices.SortFunc(found.Items, func(a, b shop.Book) int {
		if r.FormValue("sort") == "newest" {
			return cmp.Compare(b.PublishedOn, a.PublishedOn)
		}
		return cmp.Compare(strings.ToLower(a.Title), strings.ToLower(b.Title))
	})
	found.Items = found.Items[:min(len(found.Items), 50)]
	reply(w, 200, found)
}

func (s *fakeShop) bestsellers(w http.ResponseWriter, r *http.Request) {
	found := shop.List[shop.Book]{Items: slices.Clone(s.books)}
	found.Items = slices.DeleteFunc(found.Items, func(b shop.Book) bool { return b.Subject != r.FormValue("subject") })
	slices.SortFunc(found.Items, func(a, b shop.Book) int { return cmp.Compare(b.Sold, a.Sold) })
	reply(w, 200, found)
}

func (s *fakeShop) show(w http.ResponseWriter, r *http.Request) {
	reply(w, 200, s.find(r.PathValue("id")))
}

func (s *fakeShop) change(w http.ResponseWriter, r *http.Request) {
	b := s.find(r.PathValue("id"))
	_ = json.NewDecoder(r.Body).Decode(b)
	reply(w, 200, b)
}

func (s *fakeShop) put(w http.ResponseWriter, r *http.Request) {
	var body struct{ Quantity int }
	_ = json.NewDecoder(r.Body).Decode(&body)
	s.cart[r.PathValue("id")] = body.Quantity
	reply(w, 200, s.wholeCart())
}

func (s *fakeShop) remove(w http.ResponseWriter, r *http.Request) {
	delete(s.cart, r.PathValue("id"))
	reply(w, 200, s.wholeCart())
}

func (s *fakeShop) wholeCart() shop.Cart {
	bought := s.order("", s.cart, time.Time{})
	return shop.Cart{Items: bought.Items, Total: bought.Total}
}

func (s *fakeShop) order(id string, copies map[string]int, at time.Time) shop.Order {
	o := shop.Order{ID: id, Status: "paid", PlacedAt: at, Items: []shop.Line{}, Total: shop.Money{Currency: "USD"}}
	for id, n := range copies {
		price := s.find(id).Price
		total := shop.Money{Amount: price.Amount * int64(n), Currency: "USD"}
		o.Items = append(o.Items, shop.Line{BookID: id, Quantity: n, UnitPrice: price, LineTotal: total})
		o.Total.Amount += total.Amount
	}
	return o
}

func (s *fakeShop) buy(w http.ResponseWriter, r *http.Request) {
	o := s.order(uuid.NewString(), s.cart, time.Now())
	s.orders = slices.Insert(s.orders, 0, o)
	clear(s.cart)
	w.Header().Set("Location", "/v1/orders/"+o.ID)
	reply(w, 201, o)
}

func (s *fakeShop) showOrder(w http.ResponseWriter, r *http.Request) {
	i := slices.IndexFunc(s.orders, func(o shop.Order) bool { return o.ID == r.PathValue("id") })
	reply(w, 200, s.orders[i])
}
