// Package fakeshop is a shop for tests of what asks shops: it answers as the contract says, from memory and at once, and a
// test may spoil its answers.
//
//	fakeshop.go  who asks, how answers are kept under idempotency keys, and how a test spoils them
//	books.go     books, their stock, and lists with cursors
//	orders.go    carts, orders, and what follows from orders
package fakeshop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"banyan/scripts/lab/seed"
	"banyan/scripts/lab/shop"
)

// Shop is a fake one. It answers one request at a time.
type Shop struct {
	URL string

	server   *httptest.Server
	mu       sync.Mutex
	mux      http.ServeMux
	books    []*book
	byID     map[string]*book
	accounts map[string]*account // by email
	sessions map[string]*account // by token
	kept     map[string]kept     // by customer, path and idempotency key
	asked    []string
}

// account is a customer, or a member of staff, and what is theirs.
type account struct {
	ID     string `json:"id"`
	Email  string `json:"email"`
	staff  bool
	cart   map[string]int // copies by book
	orders []shop.Order   // newest first
	mails  []thing
}

// thing is an entry of a list that only has to be told from the others.
type thing struct {
	ID      string `json:"id"`
	OrderID string `json:"order_id,omitempty"`
	Status  string `json:"status,omitempty"`
}

// kept is an answer under an idempotency key, and the body that asked for it.
type kept struct {
	body   []byte
	answer *httptest.ResponseRecorder
}

// New serves the seeded books, customers and orders until the test ends. Spoil, unless it is nil, may answer in the shop's
// place.
func New(t testing.TB, data *seed.Data, spoil http.HandlerFunc) *Shop {
	t.Helper()
	s := &Shop{byID: map[string]*book{}, accounts: map[string]*account{}, sessions: map[string]*account{}, kept: map[string]kept{}}
	s.stock(data)
	people := map[uuid.UUID]*account{}
	for _, a := range data.Accounts {
		people[a.ID] = s.open(a.ID.String(), a.Email)
		people[a.ID].staff = a.Email == seed.StaffEmail
	}
	for _, o := range data.Orders {
		of := people[o.AccountID]
		of.orders = slices.Insert(of.orders, 0, s.order(o.ID.String(), map[string]int{s.books[0].ID: 1}, o.PlacedAt))
	}
	s.route()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked = append(s.asked, r.Method+" "+r.RequestURI)
		spoiled := &watched{ResponseWriter: w}
		if spoil != nil {
			spoil(spoiled, r)
		}
		if !spoiled.written {
			s.mux.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	s.URL, s.server = server.URL, server
	return s
}

func (s *Shop) open(id, email string) *account {
	a := &account{ID: id, Email: email, cart: map[string]int{}}
	s.accounts[email] = a
	return a
}

func (s *Shop) route() {
	s.mux.HandleFunc("POST /v1/accounts", s.register)
	s.mux.HandleFunc("POST /v1/sessions", s.signIn)
	s.mux.HandleFunc("DELETE /v1/sessions/current", s.signedIn(s.signOut))
	s.mux.HandleFunc("GET /v1/accounts/me", s.signedIn(func(a *account, w http.ResponseWriter, _ *http.Request) { Reply(w, 200, a) }))
	s.routeBooks()
	s.routeOrders()
}

// Close ends the shop and all its connections before the test does.
func (s *Shop) Close() {
	s.server.CloseClientConnections()
	s.server.Close()
}

// Asked is all that the shop was asked for, method and address.
func (s *Shop) Asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// Token signs somebody in.
func (s *Shop) Token(email string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.session(email)
}

// Cart is what somebody's cart holds: copies by book.
func (s *Shop) Cart(email string) map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.accounts[email].cart)
}

// Copies is how many there are of the book of which there are fewest.
func (s *Shop) Copies() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.MinFunc(s.books, func(a, b *book) int { return a.Available - b.Available }).Available
}

// Lose makes the shop forget something, as a bad move of its data would.
func (s *Shop) Lose(what Loss) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch what {
	case Sessions:
		clear(s.sessions)
	case Answers:
		clear(s.kept)
	case Carts:
		for _, a := range s.accounts {
			clear(a.cart)
		}
	case Orders:
		for _, a := range s.accounts {
			a.orders = nil
		}
	case Mails:
		for _, a := range s.accounts {
			a.mails = nil
		}
	case Copies:
		for _, b := range s.books {
			b.Available = 0
		}
	case Versions:
		for _, b := range s.books {
			b.Version++
		}
	}
}

// Loss is what a shop can forget.
type Loss int

// The losses.
const (
	Sessions Loss = iota
	Answers       // that idempotency keys keep
	Carts
	Orders // and their payments and shipments
	Mails
	Copies   // all that are in stock
	Versions // of books, and so their ETags
)

func (s *Shop) session(email string) string {
	token := uuid.NewString()
	s.sessions[token] = s.accounts[email]
	return token
}

func (s *Shop) register(w http.ResponseWriter, r *http.Request) {
	var body struct{ Email string }
	_ = json.NewDecoder(r.Body).Decode(&body)
	a := s.open(uuid.NewString(), body.Email)
	a.mails = []thing{{ID: uuid.NewString()}}
	Reply(w, 201, a)
}

func (s *Shop) signIn(w http.ResponseWriter, r *http.Request) {
	var body struct{ Email string }
	_ = json.NewDecoder(r.Body).Decode(&body)
	if s.accounts[body.Email] == nil {
		Refuse(w, 401, "unauthenticated")
		return
	}
	Reply(w, 201, map[string]string{"token": s.session(body.Email)})
}

func (s *Shop) signOut(_ *account, w http.ResponseWriter, r *http.Request) {
	delete(s.sessions, token(r))
	w.WriteHeader(204)
}

func token(r *http.Request) string {
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}

// signedIn finds out who asks.
func (s *Shop) signedIn(answer func(*account, http.ResponseWriter, *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if a := s.sessions[token(r)]; a != nil {
			answer(a, w, r)
			return
		}
		Refuse(w, 401, "unauthenticated")
	}
}

// staff are the only ones who may ask for some things.
func (s *Shop) staff(answer http.HandlerFunc) http.HandlerFunc {
	return s.signedIn(func(a *account, w http.ResponseWriter, r *http.Request) {
		if !a.staff {
			Refuse(w, 403, "forbidden")
			return
		}
		answer(w, r)
	})
}

// once keeps the answer under the idempotency key.
func (s *Shop) once(answer http.HandlerFunc) http.HandlerFunc {
	return s.signedIn(func(a *account, w http.ResponseWriter, r *http.Request) {
		key := a.Email + r.URL.Path + r.Header.Get("Idempotency-Key")
		body, _ := io.ReadAll(r.Body)
		before, again := s.kept[key]
		if again && !bytes.Equal(before.body, body) {
			Refuse(w, 422, "key-reused")
			return
		}
		if !again {
			r.Body = io.NopCloser(bytes.NewReader(body))
			before = kept{body, httptest.NewRecorder()}
			answer(before.answer, r)
			s.kept[key] = before
		}
		maps.Copy(w.Header(), before.answer.Header())
		w.WriteHeader(before.answer.Code)
		_, _ = w.Write(before.answer.Body.Bytes())
	})
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

// Reply answers with JSON.
func Reply(w http.ResponseWriter, status int, content any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(content)
}

// Refuse answers with a problem.
func Refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"type":"urn:banyan:problem:%s"}`, code)
}

// Only spoils the answers to requests that begin like this, such as "GET /v1/cart".
func Only(begins string, spoil http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Method+" "+r.RequestURI, begins) {
			spoil(w, r)
		}
	}
}

// Body answers 200 with this.
func Body(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusOK)
		fmt.Fprint(w, text)
	}
}
