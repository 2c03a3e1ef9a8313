package bench

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/shop"
)

// newTestBrowser reads every answer, and has one customer.
func newTestBrowser(t *testing.T, url string) *browser {
	t.Helper()
	c, err := shop.NewConn(url)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return &browser{
		session:   &session{shop: known(), staff: "staff", keys: "test"},
		conn:      c,
		customers: []*customer{{reader: known().readers[0], token: "reader"}},
		tally:     newTally(), sampleEvery: 1,
	}
}

// visitAll makes one browser go through a mix, every interaction several times.
func visitAll(t *testing.T, b *browser, n int) *tally {
	t.Helper()
	b.script = newScript(known(), Mixes[2], 1, 1, 0)
	for i := range n {
		v := b.script.next()
		v.interaction = Interaction(i % int(interactions))
		b.visit(t.Context(), b.customers[0], &v)
	}
	return b.tally
}

func TestBrowser(t *testing.T) {
	t.Parallel()

	t.Run("finds nothing wrong with a shop that is right", func(t *testing.T) {
		t.Parallel()
		_, server := newFakeShop(t, nil)
		seen := visitAll(t, newTestBrowser(t, server.URL), 30*int(interactions))
		require.Empty(t, seen.complaints)
		require.Zero(t, seen.wrong+seen.errors)
		require.Equal(t, seen.requests, seen.checked)
	})

	t.Run("asks two shops for the same", func(t *testing.T) {
		t.Parallel()
		one, first := newFakeShop(t, nil)
		two, second := newFakeShop(t, nil)
		visitAll(t, newTestBrowser(t, first.URL), 100)
		visitAll(t, newTestBrowser(t, second.URL), 100)
		// All but the ids of the orders made meanwhile.
		same := func(paths []string) (kept []string) {
			for _, path := range paths {
				if !strings.Contains(path, "order") {
					kept = append(kept, path)
				}
			}
			return kept
		}
		require.NotEmpty(t, same(one.paths))
		require.Equal(t, same(one.paths), same(two.paths))
	})
}

// only spoils the answers to requests that begin like this.
func only(begins string, spoil http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Method+" "+r.RequestURI, begins) {
			spoil(w, r)
		}
	}
}

// body answers 200 with this.
func body(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusOK)
		fmt.Fprint(w, text)
	}
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
		"another book than the one asked for": {only("GET /v1/books/0", body(another)), "not the seeded"},
		"a promoted book is missing":          {only("GET /v1/books?ids", body(`{"items":[]}`)), "it lists the books []"},
		"new books of another subject": {
			only("GET /v1/books?subject", body(`{"items":[{"title":"A","subject":"none"}]}`)), "as one of"},
		"no new books": {only("GET /v1/books?subject", body(`{"items":[]}`)), "it lists 0 books"},
		"bestsellers in a wrong order": {
			only("GET /v1/books/bestsellers", func(w http.ResponseWriter, r *http.Request) {
				line := fmt.Sprintf(`{"title":"A","subject":%q,"sold":`, r.FormValue("subject"))
				body(`{"items":[`+line+`1},`+line+`2}]}`)(w, r)
			}), `it lists "A" before "A"`},
		"a find without the word": {
			only("GET /v1/books?limit=50&q=", body(`{"items":[{"title":"0"}]}`)), "was found for"},
		"nothing found":                   {only("GET /v1/books?limit=50&q=", body(`{"items":[]}`)), "nothing was found"},
		"a cart that adds up wrongly":     {only("GET /v1/cart", body(`{"items":[],"total":{"amount":1}}`)), "its total is 1"},
		"a cart without what was put in":  {only("PUT /v1/cart", body(`{"items":[],"total":{"amount":0}}`)), "does not hold"},
		"an order of other books":         {only("POST /v1/orders", bought(201, "/v1/orders/1")), "the cart had"},
		"an order without an address":     {only("POST /v1/orders", bought(202, "")), `its Location is ""`},
		"no orders":                       {only("GET /v1/orders", body(`{"items":[]}`)), "has no orders"},
		"another order":                   {only("GET /v1/orders/", body(`{"id":"1"}`)), "it is order 1"},
		"no payment":                      {only("GET /v1/payments", body(`{"items":[]}`)), "has 0 payments"},
		"the payment of another order":    {only("GET /v1/payments", body(`{"items":[{"order_id":"1","status":"captured"}]}`)), "belongs to order 1"},
		"two shipments":                   {only("GET /v1/shipments", body(`{"items":[{},{}]}`)), "has 2 shipments"},
		"somebody else's account":         {only("GET /v1/accounts", body(`{"email":"eve@banyan.example"}`)), "eve@banyan.example"},
		"a price that was not kept":       {only("PATCH ", body(of(shop.Book{}))), "the price is 1"},
		"something that is no JSON":       {only("GET /v1/cart", body(`{"items":[}`)), "invalid character"},
		"half an answer":                  {only("GET /v1/cart", body(`{"items":[`)), "no JSON object"},
		"a page for people":               {only("GET /v1/cart", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200) }), "content type"},
		"a book that is gone":             {only("GET /v1/books/0", func(w http.ResponseWriter, _ *http.Request) { refuse(w, 404, "not-found") }), "404 not-found instead of 200"},
		"a session that is not accepted":  {only("GET /v1/cart", func(w http.ResponseWriter, _ *http.Request) { refuse(w, 401, "unauthenticated") }), "401 unauthenticated"},
		"a refusal that does not fit":     {only("POST /v1/orders", func(w http.ResponseWriter, _ *http.Request) { refuse(w, 409, "key-in-use") }), "409 key-in-use"},
		"an empty cart that was not so":   {only("POST /v1/orders", func(w http.ResponseWriter, _ *http.Request) { refuse(w, 422, "cart-empty") }), "422 cart-empty"},
		"a status that is not the agreed": {only("POST /v1/orders", body(`{}`)), "200 - instead of 201"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, server := newFakeShop(t, c.spoil)
			seen := visitAll(t, newTestBrowser(t, server.URL), 6*int(interactions))
			require.Positive(t, seen.wrong)
			require.Zero(t, seen.errors)
			require.Contains(t, strings.Join(seen.complaints, "\n"), c.says)
		})
	}
}

// bought answers with an order that has no lines.
func bought(status int, location string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", location)
		reply(w, status, shop.Order{ID: "1"})
	}
}

func TestErrorsAndRefusalsAreCounted(t *testing.T) {
	t.Parallel()
	orders := func(status int, code string) http.HandlerFunc {
		return only("POST /v1/orders", func(w http.ResponseWriter, _ *http.Request) { refuse(w, status, code) })
	}
	const n = 6

	for status, code := range map[int]string{500: "internal", 503: "unavailable", 429: "throttled"} {
		t.Run(code+" is an error", func(t *testing.T) {
			t.Parallel()
			_, server := newFakeShop(t, orders(status, code))
			seen := visitAll(t, newTestBrowser(t, server.URL), n*int(interactions))
			require.EqualValues(t, n, seen.errors)
			require.Zero(t, seen.wrong, seen.complaints)
		})
	}

	for _, code := range []string{"sold-out", "order-pending"} {
		t.Run(code+" is neither an error nor wrong", func(t *testing.T) {
			t.Parallel()
			_, server := newFakeShop(t, orders(http.StatusConflict, code))
			seen := visitAll(t, newTestBrowser(t, server.URL), n*int(interactions))
			require.EqualValues(t, n, seen.refused[code])
			require.Zero(t, seen.errors+seen.wrong, seen.complaints)
		})
	}

	t.Run("what is sold out is taken out of the cart", func(t *testing.T) {
		t.Parallel()
		asked, server := newFakeShop(t, orders(http.StatusConflict, "sold-out"))
		b := newTestBrowser(t, server.URL)
		v := visit{interaction: BuyConfirm, quantity: 1}
		b.visit(t.Context(), b.customers[0], &v)
		require.Empty(t, asked.cart)
		require.Empty(t, b.customers[0].cart)
	})

	t.Run("an order that settles later is counted as pending", func(t *testing.T) {
		t.Parallel()
		_, server := newFakeShop(t, only("POST /v1/orders", bought(202, "/v1/orders/"+known().readers[0].order)))
		seen := visitAll(t, newTestBrowser(t, server.URL), n*int(interactions))
		require.EqualValues(t, n, seen.pending)
		require.Zero(t, seen.errors+seen.wrong, seen.complaints)
	})
}
