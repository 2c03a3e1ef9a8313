package overload

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"banyan/scripts/lab/seed"
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

// shop is one side, and those who come to it.
type shop struct {
	url       string
	client    *client
	books     []string // those that are bought
	words     []string // of their titles
	staff     string   // tokens
	customers []*customer

	mu    sync.Mutex
	empty []*customer // whose carts may be empty
	full  []*customer // whose carts are not
}

// customer does one thing at a time with their cart.
type customer struct {
	token string
	full  bool
}

// open signs everybody in and fills the shelves.
func open(ctx context.Context, url string, c *client, customers int) (*shop, error) {
	s := &shop{url: url, client: c}
	var err error
	if s.staff, err = s.signIn(ctx, seed.StaffEmail, seed.StaffPassword); err != nil {
		return nil, err
	}
	s.customers = make([]*customer, customers)
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(4) // passwords are dear to check
	for i := range customers {
		group.Go(func() error {
			token, err := s.signIn(groupCtx, seed.ReaderEmail(i+1), seed.ReaderPassword)
			s.customers[i] = &customer{token: token}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	s.empty = append(s.empty, s.customers...)
	return s, s.stock(ctx)
}

func (s *shop) signIn(ctx context.Context, email, password string) (string, error) {
	var session struct {
		Token string `json:"token"`
	}
	err := s.must(ctx, signIn(email, password), &session)
	return session.Token, err
}

func signIn(email, password string) request {
	return request{method: http.MethodPost, path: "/v1/sessions", body: map[string]string{"email": email, "password": password}}
}

// stock chooses the books and delivers copies of them.
func (s *shop) stock(ctx context.Context) error {
	for cursor := ""; len(s.books) < titles; {
		var page struct {
			Items []struct {
				ID    string `json:"id"`
				Title string `json:"title"`
			} `json:"items"`
			NextCursor *string `json:"next_cursor"`
		}
		if err := s.must(ctx, request{method: http.MethodGet, path: "/v1/books?limit=100" + cursor}, &page); err != nil {
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
		err := s.must(ctx, request{method: http.MethodPost, path: "/v1/stock/" + id + "/deliveries", token: s.staff,
			key: uuid.NewString(), body: map[string]int{"quantity": copies}}, nil)
		if err != nil {
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

// must makes a request without which there is nothing to measure, as patiently as a customer would.
func (s *shop) must(ctx context.Context, r request, into any) error {
	for try := 0; ; try++ {
		a := s.client.send(ctx, s.url, r)
		switch {
		case a.err == nil && a.status < 300:
			if into == nil {
				return nil
			}
			return json.Unmarshal(a.body, into)
		case try == 30 || ctx.Err() != nil || a.err == nil && a.status < 500 && a.status != http.StatusTooManyRequests && a.status != http.StatusNotFound:
			return fmt.Errorf("%s %s: %s", r.method, r.path, a)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// ask makes one request of the mix and says which kind it was: a checkout for which no cart is full fills one instead.
func (s *shop) ask(ctx context.Context, kind string) (string, answer) {
	book := s.books[rand.IntN(len(s.books))]
	switch kind {
	case kindBook:
		return kind, s.client.send(ctx, s.url, request{method: http.MethodGet, path: "/v1/books/" + book})
	case kindList:
		return kind, s.client.send(ctx, s.url, request{method: http.MethodGet, path: "/v1/books?sort=newest"})
	case kindSearch:
		return kind, s.client.send(ctx, s.url, request{method: http.MethodGet, path: "/v1/books?q=" + s.words[rand.IntN(len(s.words))]})
	case kindSignIn:
		return kind, s.client.send(ctx, s.url, signIn(seed.ReaderEmail(1+rand.IntN(len(s.customers))), seed.ReaderPassword))
	case kindCart:
		one := s.customers[rand.IntN(len(s.customers))]
		return kind, s.client.send(ctx, s.url, request{method: http.MethodGet, path: "/v1/cart", token: one.token})
	case kindCheckout:
		if one := s.take(true); one != nil {
			a := s.client.send(ctx, s.url, request{method: http.MethodPost, path: "/v1/orders", token: one.token, key: uuid.NewString(), body: checkout})
			s.bought(one, a)
			return kind, a
		}
	}
	one := s.take(false)
	if one == nil {
		return kindFill, answer{err: errCrowded}
	}
	a := s.client.send(ctx, s.url, request{method: http.MethodPut, path: "/v1/cart/items/" + book, token: one.token, body: map[string]int{"quantity": 1}})
	one.full = one.full || a.status == http.StatusOK
	s.back(one)
	return kindFill, a
}

// bought lets a customer go on. After a 202 the shop takes no other order until this one is settled.
func (s *shop) bought(one *customer, a answer) {
	switch a.status {
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
func (s *shop) take(full bool) *customer {
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

func (s *shop) back(one *customer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one.full {
		s.full = append(s.full, one)
		return
	}
	s.empty = append(s.empty, one)
}

type object map[string]any

var checkout = object{
	"payment": object{"token": "tok_visa"},
	"shipping_address": object{
		"name": "Ada Lovelace", "street": "12 St James's Square", "city": "London", "postcode": "SW1Y 4JH", "country": "GB",
	},
}
