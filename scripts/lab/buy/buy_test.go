package buy

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/shop"
)

// stall is the least that a customer can buy from. What follows an order shows at the second look.
type stall struct {
	mu    sync.Mutex
	known bool // somebody has registered
	asked []string
	looks map[string]int

	placed string // how an order stands at once
	stock  int
}

func (s *stall) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.Method+" "+r.URL.Path)
	s.looks[r.Method+r.URL.Path]++
	late := s.looks[r.Method+r.URL.Path] > 1
	answer := func(status int, body string) { w.WriteHeader(status); io.WriteString(w, body) }
	if strings.HasPrefix(r.URL.Path, "/v1/") && r.URL.Path != "/v1/accounts" && r.URL.Path != "/v1/sessions" &&
		r.Header.Get("Authorization") != "Bearer opaque" {
		answer(401, `{"detail": "no token"}`)
		return
	}

	listOf := func(when bool, item string) string {
		if !when {
			item = ""
		}
		return `{"items": [` + item + `], "next_cursor": null}`
	}
	switch r.Method + " " + r.URL.Path {
	case "POST /v1/accounts":
		s.known = true
		answer(201, `{"id": "a1"}`)
	case "POST /v1/sessions":
		if !s.known {
			answer(401, `{"detail": "wrong"}`)
			return
		}
		answer(201, `{"token": "opaque", "account": {"name": "Ada"}}`)
	case "GET /v1/books":
		answer(200, listOf(true, `{"id": "b0", "title": "Gone", "available": 0, "price": {"amount": 1, "currency": "USD"}},
			{"id": "b1", "title": "Middlemarch", "available": `+fmt.Sprint(s.stock)+`, "price": {"amount": 1299, "currency": "USD"}}`))
	case "PUT /v1/cart/items/b1":
		answer(200, `{"items": [{"quantity": 1}], "total": {"amount": 1299, "currency": "USD"}}`)
	case "POST /v1/orders":
		var bought struct{ Payment struct{ Token string } }
		if r.Header.Get("Idempotency-Key") == "" || json.NewDecoder(r.Body).Decode(&bought) != nil || bought.Payment.Token == "" {
			answer(400, `{"detail": "no key, or no order"}`)
			return
		}
		answer(202, `{"id": "o1", "status": "pending", "total": {"amount": 1299, "currency": "USD"}}`)
	case "GET /v1/orders/o1":
		status := s.placed
		if !late {
			status = "pending"
		}
		answer(200, `{"id": "o1", "status": "`+status+`", "total": {"amount": 1299, "currency": "USD"}}`)
	case "GET /v1/payments":
		answer(200, listOf(late, `{"status": "captured", "amount": {"amount": 1299, "currency": "USD"}}`))
	case "GET /v1/shipments":
		answer(200, listOf(late, `{"status": "preparing"}`))
	case "GET /v1/notifications":
		answer(200, listOf(true, `{"kind": "order_paid", "subject": "Thank you", "to": "ada@example.org"}`))
	case "GET /mail.json":
		if !late {
			answer(200, `[{"subject": "Thank you", "body": "an older order: o0"}]`)
			return
		}
		answer(200, `[{"subject": "Thank you for order", "body": "Your order: o1"}]`)
	default:
		answer(404, `{"detail": "no such thing"}`)
	}
}

func open(t *testing.T, s *stall) Shop {
	t.Helper()
	s.looks = map[string]int{}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return Shop{URL: server.URL, OutsideURL: server.URL}
}

func TestBook(t *testing.T) {
	t.Parallel()
	ada := Login{Email: "ada@example.org", Password: "it's a secret"}

	t.Run("registers, buys, waits for what follows, and prints every request", func(t *testing.T) {
		t.Parallel()
		s := &stall{placed: "paid", stock: 3}
		at := open(t, s)
		var out strings.Builder
		receipt, err := Book(t.Context(), &out, at, ada)
		require.NoError(t, err)
		require.Equal(t, "o1", receipt.OrderID)
		require.Equal(t, []string{"paid", "captured", "preparing", "Thank you for order"},
			[]string{receipt.Order, receipt.Payment, receipt.Shipment, receipt.Mail})

		text := out.String()
		require.Contains(t, text, "POST /v1/orders"[5:])
		require.Contains(t, text, `"Authorization: Bearer $TOKEN"`)
		require.NotContains(t, text, "opaque", "the token stays in the shell's variable")
		require.Contains(t, text, "the shipment is preparing")
		require.Equal(t, 1, strings.Count(text, "/v1/payments"), "a request that is repeated is printed once")
	})

	t.Run("says what the shop said when it refuses", func(t *testing.T) {
		t.Parallel()
		at := open(t, &stall{known: true, placed: "paid", stock: 3})
		at.OutsideURL += "/nowhere"
		_, err := Book(t.Context(), io.Discard, at, ada)
		require.ErrorContains(t, err, "GET /mail.json")
		require.ErrorContains(t, err, "404 Not Found: no such thing")
	})

	t.Run("does not take a cancelled order for a bought one", func(t *testing.T) {
		t.Parallel()
		_, err := Book(t.Context(), io.Discard, open(t, &stall{known: true, placed: "cancelled", stock: 3}), ada)
		require.EqualError(t, err, "order o1 was cancelled instead of paid")
	})

	t.Run("says so when nothing is in stock", func(t *testing.T) {
		t.Parallel()
		_, err := Book(t.Context(), io.Discard, open(t, &stall{known: true}), ada)
		require.ErrorContains(t, err, "none of the newest books is in stock")
	})
}

func TestCurl(t *testing.T) {
	t.Parallel()

	t.Run("is the same request when a shell runs it", func(t *testing.T) {
		t.Parallel()
		if _, err := exec.LookPath("curl"); err != nil {
			t.Skip("curl is not installed")
		}
		s := &stall{known: true, stock: 1}
		at := open(t, s)
		credentials, err := send(http.MethodPost, "/v1/sessions", Login{"ada@example.org", "it's a $ecret"})
		require.NoError(t, err)
		put, err := send(http.MethodPut, "/v1/cart/items/b1", map[string]int{"quantity": 1})
		require.NoError(t, err)
		script := strings.Join([]string{
			signInCommand(credentials, at.URL),
			curl(put, at.URL, true) + ` > /dev/null`,
			curl(shop.Request{Method: http.MethodPost, Path: "/v1/orders", Key: "k", Body: []byte(`{"payment":{"token":"tok_visa"}}`)}, at.URL, true),
		}, "\n")
		out, err := exec.Command("/bin/sh", "-c", script).CombinedOutput()
		require.NoError(t, err, string(out))
		require.Contains(t, string(out), `"status": "pending"`)
		require.Equal(t, []string{"POST /v1/sessions", "PUT /v1/cart/items/b1", "POST /v1/orders"}, s.asked)
	})

	t.Run("quotes what a shell would touch", func(t *testing.T) {
		t.Parallel()
		for text, quoted := range map[string]string{
			"":               "''",
			"http://h:1/a":   "http://h:1/a",
			"a?b=c&d":        "'a?b=c&d'",
			"it's":           `'it'\''s'`,
			"$HOME `id` \\n": "'$HOME `id` \\n'",
		} {
			require.Equal(t, quoted, quote(text))
		}
	})
}
