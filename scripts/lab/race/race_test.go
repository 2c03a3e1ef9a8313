package race

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/history"
	"banyan/scripts/lab/shop"
)

// stall is the least of a shop and of the world outside that a race needs. It sells one book.
type stall struct {
	oversells    bool // by one copy
	chargesTwice bool
	forgetsKeys  bool // so that a repetition buys again, whether there is stock or not
	losesOrders  bool // acknowledges them, and does not list them
	miscounts    bool // the stock

	mu      sync.Mutex
	price   int64
	stock   int
	sold    int
	orders  map[string][]string // customer → ids
	answers map[string]string   // key → body
	ledger  strings.Builder
}

func (s *stall) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	who := r.Header.Get("Authorization")
	body, _ := io.ReadAll(r.Body)
	say := func(status int, text string) { w.WriteHeader(status); io.WriteString(w, text) }
	switch route := r.Method + " " + r.URL.Path; {
	case route == "POST /v1/sessions":
		var login struct{ Email string }
		_ = json.Unmarshal(body, &login)
		say(201, fmt.Sprintf(`{"token": %q}`, login.Email))
	case route == "POST /v1/books":
		var added shop.Book
		_ = json.Unmarshal(body, &added)
		s.price = added.Price.Amount
		say(201, fmt.Sprintf(`{"id": "b", "price": {"amount": %d, "currency": "USD"}}`, s.price))
	case strings.HasSuffix(route, "/deliveries"):
		var delivery struct{ Quantity int }
		_ = json.Unmarshal(body, &delivery)
		s.stock += delivery.Quantity
		say(200, `{}`)
	case route == "GET /v1/stock/b":
		left := s.stock
		if s.miscounts {
			left++
		}
		say(200, fmt.Sprintf(`{"available": %d}`, left))
	case strings.Contains(route, " /v1/cart"):
		say(200, `{"items": []}`)
	case route == "POST /v1/orders":
		s.sell(w, who, r.Header.Get("Idempotency-Key"))
	case route == "GET /v1/orders":
		var items []string
		for _, id := range s.orders[who] {
			items = append(items, paidOrder(id))
		}
		say(200, `{"items": [`+strings.Join(items, ",")+`]}`)
	case strings.HasPrefix(route, "GET /v1/orders/"):
		say(200, paidOrder(strings.TrimPrefix(r.URL.Path, "/v1/orders/")))
	case route == "GET /ledger":
		say(200, s.ledger.String())
	default:
		say(404, "{}")
	}
}

func paidOrder(id string) string {
	return fmt.Sprintf(`{"id": %q, "status": "paid", "items": [{"book_id": "b", "quantity": 1}]}`, id)
}

func (s *stall) sell(w http.ResponseWriter, who, key string) {
	said, known := s.answers[key]
	if known && !s.forgetsKeys {
		w.WriteHeader(201)
		io.WriteString(w, said)
		return
	}
	least := 1
	if s.oversells {
		least = 0
	}
	if s.stock < least && !known {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(409)
		io.WriteString(w, `{"type": "urn:banyan:problem:sold-out"}`)
		return
	}
	s.stock--
	s.sold++
	id := fmt.Sprintf("o%d", s.sold)
	s.answers[key] = paidOrder(id)
	if !s.losesOrders {
		s.orders[who] = append(s.orders[who], id)
	}
	line := fmt.Sprintf("{\"at\": %q, \"effect\": \"charge\", \"reference\": %q, \"amount\": %d}\n", time.Now().Format(time.RFC3339Nano), id, s.price)
	s.ledger.WriteString(line)
	if s.chargesTwice {
		s.ledger.WriteString(line)
	}
	w.WriteHeader(201)
	io.WriteString(w, s.answers[key])
}

func TestRace(t *testing.T) {
	t.Parallel()
	run := func(t *testing.T, s *stall) *Report {
		s.orders, s.answers = map[string][]string{}, map[string]string{}
		server := httptest.NewServer(s)
		t.Cleanup(server.Close)
		report, err := Run(t.Context(), Options{Side: "stall", URL: server.URL, OutsideURL: server.URL, Buyers: 12, Copies: 3})
		require.NoError(t, err)
		return report
	}

	t.Run("finds nothing where every copy is sold once", func(t *testing.T) {
		t.Parallel()
		report := run(t, &stall{})
		require.Empty(t, report.Violations)
		require.Equal(t, []int{3, 9, 0, 3}, []int{report.Paid, report.SoldOut, report.Stock, report.Charges})
		require.Equal(t, SameKey{Requests: 50, First: 201, Answered: 50, Orders: 1, Repeated: true}, report.SameKey)
	})

	cases := map[string]struct {
		shop *stall
		rule string
	}{
		"a copy that is sold twice":     {&stall{oversells: true}, "every copy is sold, and none twice"},
		"a charge that is made twice":   {&stall{chargesTwice: true}, "a paid order is charged once"},
		"an order that is lost":         {&stall{losesOrders: true}, "an order that was acknowledged is there"},
		"a stock that is wrong":         {&stall{miscounts: true}, "what is not sold is in stock"},
		"a key that buys several times": {&stall{forgetsKeys: true}, "one key, many times: one order"},
	}
	for name, c := range cases {
		t.Run("notices "+name, func(t *testing.T) {
			t.Parallel()
			broken := run(t, c.shop).Violations
			require.True(t, slices.ContainsFunc(broken, func(v history.Violation) bool { return v.Rule == c.rule }), "%v", broken)
		})
	}
}
