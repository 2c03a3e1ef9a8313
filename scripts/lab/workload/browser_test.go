package workload

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/seed"
	"banyan/scripts/lab/shop"
	"banyan/scripts/lab/workload/fakeshop"
)

// newTestBrowser reads every answer, and has the first customer.
func newTestBrowser(t *testing.T, at *fakeshop.Shop) *browser {
	t.Helper()
	c, err := shop.NewConn(at.URL)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	first := known().readers[0]
	return &browser{
		Clientele: &Clientele{url: at.URL, shop: known(), staff: at.Token(seed.StaffEmail), keys: "test"},
		conn:      c,
		visitors:  []*customer{{reader: first, token: at.Token(first.email)}},
		notes:     newNotes(), sampleEvery: 1,
	}
}

// visitAll makes one browser go through a mix, every interaction several times.
func visitAll(t *testing.T, b *browser, n int) *Tally {
	t.Helper()
	b.script = newScript(known(), Mixes[2], 1, 1, 0)
	for i := range n {
		v := b.script.next()
		v.interaction = Interaction(i % int(Interactions))
		b.visit(t.Context(), b.visitors[0], &v)
	}
	return b.tally
}

func TestBrowser(t *testing.T) {
	t.Parallel()

	t.Run("finds nothing wrong with a shop that is right", func(t *testing.T) {
		t.Parallel()
		seen := visitAll(t, newTestBrowser(t, fakeshop.New(t, seeded(), nil)), 30*int(Interactions))
		require.Empty(t, seen.Complaints)
		require.Zero(t, seen.Wrong+seen.Errors)
		require.Equal(t, seen.Requests, seen.Checked)
	})

	t.Run("asks two shops for the same", func(t *testing.T) {
		t.Parallel()
		one, two := fakeshop.New(t, seeded(), nil), fakeshop.New(t, seeded(), nil)
		visitAll(t, newTestBrowser(t, one), 100)
		visitAll(t, newTestBrowser(t, two), 100)
		// All but the ids of the orders made meanwhile.
		same := func(paths []string) (kept []string) {
			for _, path := range paths {
				if !strings.Contains(path, "order") {
					kept = append(kept, path)
				}
			}
			return kept
		}
		require.NotEmpty(t, same(one.Asked()))
		require.Equal(t, same(one.Asked()), same(two.Asked()))
	})
}

func TestWrongAnswersAreSeen(t *testing.T) {
	t.Parallel()
	of := func(b shop.Book) string {
		return fmt.Sprintf(`{"id":%q,"isbn":%q,"title":%q,"subject":%q,"price":{"amount":1,"currency":"USD"}}`, b.ID, b.ISBN, b.Title, b.Subject)
	}
	cheap, subject := seeded().Books[0], seeded().Books[0].Subject
	another := of(shop.Book{ID: cheap.ID.String(), ISBN: "9790000000000", Title: cheap.Title, Subject: subject})

	cases := map[string]struct {
		spoil http.HandlerFunc
		says  string
	}{
		"another book than the one asked for": {fakeshop.Only("GET /v1/books/0", fakeshop.Body(another)), "not the seeded"},
		"a promoted book is missing":          {fakeshop.Only("GET /v1/books?ids", fakeshop.Body(`{"items":[]}`)), "it lists the books []"},
		"new books of another subject": {
			fakeshop.Only("GET /v1/books?subject", fakeshop.Body(`{"items":[{"title":"A","subject":"none"}]}`)), "as one of"},
		"no new books": {fakeshop.Only("GET /v1/books?subject", fakeshop.Body(`{"items":[]}`)), "it lists 0 books"},
		"bestsellers in a wrong order": {
			fakeshop.Only("GET /v1/books/bestsellers", func(w http.ResponseWriter, r *http.Request) {
				line := fmt.Sprintf(`{"title":"A","subject":%q,"sold":`, r.FormValue("subject"))
				fakeshop.Body(`{"items":[`+line+`1},`+line+`2}]}`)(w, r)
			}), `it lists "A" before "A"`},
		"a find without the word": {
			fakeshop.Only("GET /v1/books?limit=50&q=", fakeshop.Body(`{"items":[{"title":"0"}]}`)), "was found for"},
		"nothing found":                   {fakeshop.Only("GET /v1/books?limit=50&q=", fakeshop.Body(`{"items":[]}`)), "nothing was found"},
		"a cart that adds up wrongly":     {fakeshop.Only("GET /v1/cart", fakeshop.Body(`{"items":[],"total":{"amount":1}}`)), "its total is 1"},
		"a cart without what was put in":  {fakeshop.Only("PUT /v1/cart", fakeshop.Body(`{"items":[],"total":{"amount":0}}`)), "does not hold"},
		"an order of other books":         {fakeshop.Only("POST /v1/orders", bought(201, "/v1/orders/1")), "the cart had"},
		"an order without an address":     {fakeshop.Only("POST /v1/orders", bought(202, "")), `its Location is ""`},
		"no orders":                       {fakeshop.Only("GET /v1/orders", fakeshop.Body(`{"items":[]}`)), "has no orders"},
		"another order":                   {fakeshop.Only("GET /v1/orders/", fakeshop.Body(`{"id":"1"}`)), "it is order 1"},
		"no payment":                      {fakeshop.Only("GET /v1/payments", fakeshop.Body(`{"items":[]}`)), "has 0 payments"},
		"the payment of another order":    {fakeshop.Only("GET /v1/payments", fakeshop.Body(`{"items":[{"order_id":"1","status":"captured"}]}`)), "belongs to order 1"},
		"two shipments":                   {fakeshop.Only("GET /v1/shipments", fakeshop.Body(`{"items":[{},{}]}`)), "has 2 shipments"},
		"somebody else's account":         {fakeshop.Only("GET /v1/accounts", fakeshop.Body(`{"email":"eve@banyan.example"}`)), "eve@banyan.example"},
		"a price that was not kept":       {fakeshop.Only("PATCH ", fakeshop.Body(of(shop.Book{}))), "the price is 1"},
		"something that is no JSON":       {fakeshop.Only("GET /v1/cart", fakeshop.Body(`{"items":[}`)), "invalid character"},
		"half an answer":                  {fakeshop.Only("GET /v1/cart", fakeshop.Body(`{"items":[`)), "no JSON object"},
		"a page for people":               {fakeshop.Only("GET /v1/cart", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200) }), "content type"},
		"a book that is gone":             {fakeshop.Only("GET /v1/books/0", func(w http.ResponseWriter, _ *http.Request) { fakeshop.Refuse(w, 404, "not-found") }), "404 not-found instead of 200"},
		"a session that is not accepted":  {fakeshop.Only("GET /v1/cart", func(w http.ResponseWriter, _ *http.Request) { fakeshop.Refuse(w, 401, "unauthenticated") }), "401 unauthenticated"},
		"a refusal that does not fit":     {fakeshop.Only("POST /v1/orders", func(w http.ResponseWriter, _ *http.Request) { fakeshop.Refuse(w, 409, "key-in-use") }), "409 key-in-use"},
		"an empty cart that was not so":   {fakeshop.Only("POST /v1/orders", func(w http.ResponseWriter, _ *http.Request) { fakeshop.Refuse(w, 422, "cart-empty") }), "422 cart-empty"},
		"a status that is not the agreed": {fakeshop.Only("POST /v1/orders", fakeshop.Body(`{}`)), "200 - instead of 201"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := fakeshop.New(t, seeded(), c.spoil)
			seen := visitAll(t, newTestBrowser(t, at), 6*int(Interactions))
			require.Positive(t, seen.Wrong)
			require.Zero(t, seen.Errors)
			require.Contains(t, fmt.Sprint(seen.Complaints), c.says)
		})
	}
}

// bought answers with an order that has no lines.
func bought(status int, location string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", location)
		fakeshop.Reply(w, status, shop.Order{ID: "1"})
	}
}

func TestErrorsAndRefusalsAreCounted(t *testing.T) {
	t.Parallel()
	orders := func(status int, code string) http.HandlerFunc {
		return fakeshop.Only("POST /v1/orders", func(w http.ResponseWriter, _ *http.Request) { fakeshop.Refuse(w, status, code) })
	}
	const n = 6

	for status, code := range map[int]string{500: "internal", 503: "unavailable", 429: "throttled"} {
		t.Run(code+" is an error", func(t *testing.T) {
			t.Parallel()
			at := fakeshop.New(t, seeded(), orders(status, code))
			seen := visitAll(t, newTestBrowser(t, at), n*int(Interactions))
			require.EqualValues(t, n, seen.Errors)
			require.Zero(t, seen.Wrong, seen.Complaints)
		})
	}

	for _, code := range []string{"sold-out", "order-pending"} {
		t.Run(code+" is neither an error nor wrong", func(t *testing.T) {
			t.Parallel()
			at := fakeshop.New(t, seeded(), orders(http.StatusConflict, code))
			seen := visitAll(t, newTestBrowser(t, at), n*int(Interactions))
			require.EqualValues(t, n, seen.Refused[code])
			require.Zero(t, seen.Errors+seen.Wrong, seen.Complaints)
		})
	}

	t.Run("what is sold out is taken out of the cart", func(t *testing.T) {
		t.Parallel()
		at := fakeshop.New(t, seeded(), orders(http.StatusConflict, "sold-out"))
		b := newTestBrowser(t, at)
		v := visit{interaction: BuyConfirm, quantity: 1}
		b.visit(t.Context(), b.visitors[0], &v)
		require.Empty(t, at.Cart(known().readers[0].email))
		require.Empty(t, b.visitors[0].cart)
	})

	t.Run("an order that settles later is counted as pending", func(t *testing.T) {
		t.Parallel()
		at := fakeshop.New(t, seeded(), fakeshop.Only("POST /v1/orders", bought(202, "/v1/orders/"+known().readers[0].order)))
		seen := visitAll(t, newTestBrowser(t, at), n*int(Interactions))
		require.EqualValues(t, n, seen.Pending)
		require.Zero(t, seen.Errors+seen.Wrong, seen.Complaints)
	})
}
