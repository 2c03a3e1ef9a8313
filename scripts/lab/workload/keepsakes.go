package workload

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"banyan/scripts/lab/seed"
	"banyan/scripts/lab/shop"
)

// Keepsakes are what customers and staff have got from a shop and may use for as long as the contract says, also when another
// process answers them by then: sessions, cursors, ETags, idempotency keys, and a cart. It may be used by several goroutines at once.
type Keepsakes struct {
	url     string
	mu      sync.Mutex
	email   string
	session string // token, and so are the next two
	staff   string
	ended   string
	endedAt time.Time
	answers []kept
	lists   []list
	bookID  string
	etag    string // of the book
	oldETag string // that it had before
	inCart  int    // copies of the book
}

// kept is an answer that an idempotency key stands for.
type kept struct {
	what    string
	request shop.Request
	answer  shop.Answer
}

// list is one whose first page has been read.
type list struct {
	path   string // without a limit and a cursor
	token  string
	cursor string
	left   []string // ids of what follows
}

const (
	keptOrders = 2 // so that each list of what follows from orders has a second page
	keptInCart = 3
	keptBooks  = 3
)

// Collect makes one of each at the front of a shop, with a customer and books of their own, so that nobody else changes them:
//
//	accounts       a session, and one that has ended
//	catalog        the ETag of a book and an outdated one, a cursor of a list of books
//	inventory      the key of a delivery
//	orders         the keys of two orders, a cursor of the orders, a cart
//	payments       a cursor
//	shipping       a cursor
//	notifications  a cursor
//
// It is as patient as customers are, and waits for what follows from the orders a little later.
func Collect(ctx context.Context, url string) (*Keepsakes, error) {
	client, err := shop.New(shop.Options{Raw: true}, url)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	k := &Keepsakes{url: url}
	if err := k.collect(ctx, client); err != nil {
		return nil, fmt.Errorf("collect keepsakes at %s: %w", url, err)
	}
	return k, nil
}

func (k *Keepsakes) collect(ctx context.Context, client *shop.Client) error {
	staff, err := shop.Staff(ctx, client)
	if err != nil {
		return err
	}
	k.email = "keepsakes-" + uuid.NewString() + "@banyan.example"
	customer, err := shop.Register(ctx, client, k.email, seed.ReaderPassword, "A Patient Reader")
	if err != nil {
		return err
	}
	k.staff, k.session = staff.Token, customer.Token
	if err := k.endSession(ctx, client); err != nil {
		return err
	}
	subject := "keepsakes " + uuid.NewString()
	if err := k.addBooks(ctx, staff, subject); err != nil {
		return err
	}
	if err := k.deliver(ctx, staff); err != nil {
		return err
	}
	for range keptOrders {
		if err := k.order(ctx, customer); err != nil {
			return err
		}
	}
	if _, err := customer.Put(ctx, k.bookID, keptInCart); err != nil {
		return err
	}
	k.inCart = keptInCart
	for _, l := range []struct {
		path string
		all  int
	}{
		{"/v1/books?subject=" + url.QueryEscape(subject), keptBooks},
		{"/v1/orders", keptOrders}, {"/v1/payments", keptOrders}, {"/v1/shipments", keptOrders},
		{"/v1/notifications", 1 + keptOrders}, // the welcome is the first
	} {
		if err := k.begin(ctx, customer, l.path, l.all); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keepsakes) endSession(ctx context.Context, client *shop.Client) error {
	other, err := shop.SignIn(ctx, client, k.email, seed.ReaderPassword)
	if err != nil {
		return err
	}
	k.ended = other.Token
	err = other.Ask(ctx, http.MethodDelete, "/v1/sessions/current", nil, nil)
	k.endedAt = time.Now()
	return err
}

// addBooks adds books of one subject, and changes one of them.
func (k *Keepsakes) addBooks(ctx context.Context, staff *shop.Person, subject string) error {
	for i := range keptBooks {
		var added shop.Book
		err := staff.Ask(ctx, http.MethodPost, "/v1/books", map[string]any{
			"isbn": newISBN(), "title": fmt.Sprintf("Keepsake %d", i+1), "authors": []string{"Ada Lovelace"}, "subject": subject, "price": keptPrice,
		}, &added)
		if err != nil {
			return err
		}
		k.bookID = added.ID
	}
	said, err := staff.Patiently(ctx, shop.Request{Method: http.MethodGet, Path: "/v1/books/" + k.bookID})
	if err == nil {
		err = said.Read(nil)
	}
	if err != nil {
		return fmt.Errorf("look at the book that was added: %w", err)
	}
	k.oldETag = said.Header.Get("ETag")
	if said, err = staff.Patiently(ctx, changeOf(k.bookID, k.oldETag)); err == nil {
		err = said.Read(nil)
	}
	if err != nil {
		return fmt.Errorf("change the book that was added: %w", err)
	}
	k.etag = said.Header.Get("ETag")
	return nil
}

var keptPrice = shop.Money{Amount: 1999, Currency: "USD"}

// changeOf makes a new version of a book, which is as it was.
func changeOf(bookID, etag string) shop.Request {
	return shop.Request{
		Method: http.MethodPatch, Path: "/v1/books/" + bookID, Body: map[string]any{"price": keptPrice},
		Header: map[string]string{"If-Match": etag},
	}
}

func (k *Keepsakes) deliver(ctx context.Context, staff *shop.Person) error {
	r := shop.Request{
		Method: http.MethodPost, Path: "/v1/stock/" + k.bookID + "/deliveries", Key: "keepsake-" + uuid.NewString(),
		Body: []byte(`{"quantity":50}`),
	}
	return shop.Eventually(ctx, func(ctx context.Context) (bool, error) {
		said, err := staff.Patiently(ctx, r)
		if err != nil || said.Status == http.StatusNotFound { // the stock has not heard of the book yet
			return false, err
		}
		k.keep("delivery", staff, r, said)
		return true, said.Read(nil)
	})
}

func (k *Keepsakes) order(ctx context.Context, customer *shop.Person) error {
	if _, err := customer.Put(ctx, k.bookID, 1); err != nil {
		return err
	}
	r := shop.Request{Method: http.MethodPost, Path: "/v1/orders", Key: "keepsake-" + uuid.NewString(), Body: purchase}
	said, err := customer.Patiently(ctx, r)
	if err != nil {
		return err
	}
	var placed shop.Order
	if err := said.Read(&placed); err != nil {
		return fmt.Errorf("buy a book: %w", err)
	}
	k.keep("order", customer, r, said)
	placed, err = customer.Settle(ctx, placed.ID)
	if err == nil && placed.Status != shop.Paid {
		err = fmt.Errorf("order %s is %s, and has to be paid", placed.ID, placed.Status)
	}
	return err
}

func (k *Keepsakes) keep(what string, by *shop.Person, r shop.Request, said shop.Answer) {
	r.Token = by.Token
	k.answers = append(k.answers, kept{what, r, said})
}

// begin reads a list until it is as long as it will be, then its first page, and notes what follows.
func (k *Keepsakes) begin(ctx context.Context, by *shop.Person, path string, all int) error {
	var whole shop.List[entry]
	err := shop.Eventually(ctx, func(ctx context.Context) (bool, error) {
		whole = shop.List[entry]{}
		err := by.Ask(ctx, http.MethodGet, path, nil, &whole)
		return len(whole.Items) == all, err
	})
	if err != nil {
		return fmt.Errorf("%s has %d entries, and should have %d: %w", path, len(whole.Items), all, err)
	}
	var first shop.List[entry]
	if err := by.Ask(ctx, http.MethodGet, byOne(path), nil, &first); err != nil {
		return err
	}
	if first.NextCursor == nil {
		return fmt.Errorf("%s has no second page, and %d entries", byOne(path), all)
	}
	l := list{path: path, token: by.Token, cursor: *first.NextCursor}
	for _, one := range whole.Items[1:] {
		l.left = append(l.left, one.ID)
	}
	k.lists = append(k.lists, l)
	return nil
}

// byOne is a list whose pages have an entry each.
func byOne(path string) string {
	if strings.Contains(path, "?") {
		return path + "&limit=1"
	}
	return path + "?limit=1"
}

type entry struct {
	ID string `json:"id"`
}

// newISBN makes a valid ISBN-13 that no seeded book is likely to have.
func newISBN() string {
	digits, sum := []byte("978"), 9+3*7+8
	for i := 3; i < 12; i++ {
		d := rand.IntN(10)
		digits = append(digits, byte('0'+d))
		sum += d * (1 + 2*(i%2))
	}
	return string(append(digits, byte('0'+(10-sum%10)%10)))
}
