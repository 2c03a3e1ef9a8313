package overload

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"banyan/scripts/lab/seed"
	"banyan/scripts/lab/shop"
	"github.com/google/uuid"
)

// The mix: six reads in ten, a third of them searches, a checkout in seven, and for every seventh checkout somebody who
// signs in, which costs most of all. Carts are filled more often than bought, so that there is always one that can be.
const (
	kindBook     = "book"     // GET /v1/books/{id}
	kindList     = "list"     // GET /v1/books?sort=newest
	kindSearch   = "search"   // GET /v1/books?q={a word of a title}
	kindCart     = "cart"     // GET /v1/cart
	kindFill     = "fill"     // PUT /v1/cart/items/{id}
	kindCheckout = "checkout" // POST /v1/orders with a card that pays
	kindSignIn   = "sign in"  // POST /v1/sessions
)

var mix = []struct {
	kind  string
	share int // per cent
}{{kindBook, 23}, {kindList, 10}, {kindSearch, 20}, {kindCart, 10}, {kindFill, 20}, {kindCheckout, 15}, {kindSignIn, 2}}

func pickKind() string {
	at := rand.IntN(100)
	for _, m := range mix {
		if at -= m.share; at < 0 {
			return m.kind
		}
	}
	return kindBook
}

const (
	titles    = 200       // books that are bought, so that no single one is fought over
	copies    = 1_000_000 // of each
	pendingIn = 4 * time.Second
)

// crowd is those who come to one side, and what they want there.
type crowd struct {
	client    *shop.Client
	where     *place
	books     []string // those that are bought
	words     []string // of their titles
	customers []*customer

	mu    sync.Mutex
	empty []*customer // whose carts may be empty
	full  []*customer // whose carts are not
}

// customer does one thing at a time with their cart.
type customer struct {
	*shop.Person
	full bool
}

// gather signs everybody in and fills the shelves.
func gather(ctx context.Context, client *shop.Client, customers int) (*crowd, error) {
	s := &crowd{client: client}
	staff, err := shop.Staff(ctx, client)
	if err != nil {
		return nil, err
	}
	people, err := shop.Readers(ctx, client, customers)
	if err != nil {
		return nil, err
	}
	for _, p := range people {
		s.customers = append(s.customers, &customer{Person: p})
	}
	s.empty = append(s.empty, s.customers...)
	return s, s.stock(ctx, staff)
}

// stock chooses the books and has copies of them delivered.
func (s *crowd) stock(ctx context.Context, staff *shop.Person) error {
	for cursor := ""; len(s.books) < titles; {
		var page shop.List[shop.Book]
		if err := staff.Ask(ctx, http.MethodGet, "/v1/books?limit=100"+cursor, nil, &page); err != nil {
			return err
		}
		for _, b := range page.Items {
			s.books = append(s.books, b.ID)
			s.words = append(s.words, plainWords(b.Title)...)
		}
		if page.NextCursor == nil {
			break
		}
		cursor = "&cursor=" + *page.NextCursor
	}
	for _, id := range s.books {
		if err := staff.Deliver(ctx, id, copies); err != nil {
			return err
		}
	}
	return nil
}

// plainWords are the words of a title that can stand in a URL as they are.
func plainWords(title string) []string {
	var words []string
	for word := range strings.FieldsSeq(strings.ToLower(title)) {
		if len(word) >= 4 && strings.Trim(word, "abcdefghijklmnopqrstuvwxyz") == "" {
			words = append(words, word)
		}
	}
	return words
}

// send makes one request, and keeps what came of it, an error as well.
func (s *crowd) send(ctx context.Context, r shop.Request) answer {
	said, err := s.client.Send(ctx, r)
	return answer{said, err}
}

// ask makes one request of the mix and says which kind it was: a checkout for which no cart is full fills one instead.
func (s *crowd) ask(ctx context.Context, kind string) (string, answer) {
	book := s.books[rand.IntN(len(s.books))]
	switch kind {
	case kindBook:
		return kind, s.send(ctx, shop.Request{Method: http.MethodGet, Path: "/v1/books/" + book})
	case kindList:
		return kind, s.send(ctx, shop.Request{Method: http.MethodGet, Path: "/v1/books?sort=newest"})
	case kindSearch:
		return kind, s.send(ctx, shop.Request{Method: http.MethodGet, Path: "/v1/books?q=" + s.words[rand.IntN(len(s.words))]})
	case kindSignIn:
		who := shop.Credentials{Email: seed.ReaderEmail(1 + rand.IntN(len(s.customers))), Password: seed.ReaderPassword}
		return kind, s.send(ctx, shop.Request{Method: http.MethodPost, Path: "/v1/sessions", Body: who})
	case kindCart:
		one := s.customers[rand.IntN(len(s.customers))]
		return kind, s.send(ctx, shop.Request{Method: http.MethodGet, Path: "/v1/cart", Token: one.Token})
	case kindCheckout:
		if one := s.take(true); one != nil {
			a := s.send(ctx, shop.Request{Method: http.MethodPost, Path: "/v1/orders", Token: one.Token, Key: uuid.NewString(), Body: checkout})
			s.bought(one, a)
			return kind, a
		}
	}
	one := s.take(false)
	if one == nil {
		return kindFill, answer{err: errCrowded}
	}
	a := s.send(ctx, shop.Request{Method: http.MethodPut, Path: "/v1/cart/items/" + book, Token: one.Token, Body: map[string]int{"quantity": 1}})
	one.full = one.full || a.Status == http.StatusOK
	s.back(one)
	return kindFill, a
}

// bought lets a customer go on. After a 202 the shop takes no other order until this one is settled.
func (s *crowd) bought(one *customer, a answer) {
	switch a.Status {
	case http.StatusCreated:
		one.full = false
	case http.StatusAccepted:
		one.full = false
		time.AfterFunc(pendingIn, func() { s.back(one) })
		return
	case http.StatusUnprocessableEntity, http.StatusConflict: // what an answer that broke off has left
		one.full = false
	}
	s.back(one)
}

// take finds a customer with a full cart, or one to fill; nil if all are busy.
func (s *crowd) take(full bool) *customer {
	s.mu.Lock()
	defer s.mu.Unlock()
	from := &s.empty
	if full || len(s.empty) == 0 {
		from = &s.full
	}
	if len(*from) == 0 {
		return nil
	}
	at := rand.IntN(len(*from))
	one := (*from)[at]
	last := len(*from) - 1
	(*from)[at] = (*from)[last]
	*from = (*from)[:last]
	return one
}

func (s *crowd) back(one *customer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one.full {
		s.full = append(s.full, one)
		return
	}
	s.empty = append(s.empty, one)
}

// checkout is what each of them sends.
var checkout = shop.Checkout(shop.CardGood)
