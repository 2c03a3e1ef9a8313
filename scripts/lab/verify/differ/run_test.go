package differ

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// shelf is a shop that can be told of books and lists them, with ids of its own. It knows nothing else, and says so.
type shelf struct {
	mu    sync.Mutex
	books []map[string]any
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	var sent map[string]any
	_ = json.Unmarshal(body, &sent)
	status, said := http.StatusOK, any(nil)
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/v1/sessions" && sent["email"] != nil:
		status, said = http.StatusCreated, map[string]any{"token": uuid.NewString()}
	case r.Method == http.MethodGet && r.URL.Path == "/v1/cart":
		said = map[string]any{"items": []any{}}
	case r.Method == http.MethodPost && r.URL.Path == "/v1/books" && sent["isbn"] != nil:
		sent["id"] = uuid.NewString()
		s.books = append(s.books, sent)
		status, said = http.StatusCreated, sent
	case r.Method == http.MethodGet && r.URL.Path == "/v1/books":
		items := []any{}
		for _, book := range s.books {
			if book["subject"] == r.URL.Query().Get("subject") {
				items = append(items, book)
			}
		}
		said = map[string]any{"items": items, "next_cursor": nil}
	default:
		status, said = http.StatusNotFound, map[string]any{"status": 404}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(said)
}

// through is a proxy before a shop that changes what its lists of books say.
func through(t *testing.T, shop string, spoil func(items []map[string]any)) string {
	t.Helper()
	to, err := url.Parse(shop)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.ModifyResponse = func(response *http.Response) error {
		if response.Request.Method != http.MethodGet || response.Request.URL.Path != "/v1/books" {
			return nil
		}
		var said struct {
			Items      []map[string]any `json:"items"`
			NextCursor any              `json:"next_cursor"`
		}
		if err := json.NewDecoder(response.Body).Decode(&said); err != nil {
			return err
		}
		spoil(said.Items)
		body, err := json.Marshal(said)
		response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		response.Header.Del("Content-Length")
		return err
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return server.URL
}

// runBetween compares two shelves, the second behind a proxy.
func runBetween(t *testing.T, spoil func(items []map[string]any)) *Result {
	t.Helper()
	first, second := httptest.NewServer(&shelf{}), httptest.NewServer(&shelf{})
	t.Cleanup(first.Close)
	t.Cleanup(second.Close)
	result, err := Run(t.Context(), Options{
		Sides: [2]Side{{"monolith", first.URL}, {"services", through(t, second.URL, spoil)}},
		Seed:  3, Seeds: 2, Requests: 100, Equal: true,
		Settle: func(context.Context) error { return nil }, Out: io.Discard,
	})
	require.NoError(t, err)
	return result
}

func TestRun(t *testing.T) {
	t.Parallel()

	t.Run("finds nothing between two shops that are the same but for their ids", func(t *testing.T) {
		t.Parallel()
		result := runBetween(t, func([]map[string]any) {})
		require.Empty(t, result.Differences)
		require.Equal(t, 200, result.Requests)
	})

	planted := map[string]struct {
		spoil func(items []map[string]any)
		what  string
	}{
		"a price that is rounded": {func(items []map[string]any) {
			for _, book := range items {
				price := book["price"].(map[string]any)
				price["amount"] = float64(int64(price["amount"].(float64)+5) / 10 * 10)
			}
		}, ".price.amount: "},
		"a field that is missing": {func(items []map[string]any) {
			for _, book := range items {
				delete(book, "authors")
			}
		}, "and nothing"},
		"a list in another order": {func(items []map[string]any) {
			slices.SortFunc(items, func(a, b map[string]any) int { return -cmp.Compare(a["isbn"].(string), b["isbn"].(string)) })
		}, "body.items[0]"},
	}
	for name, p := range planted {
		t.Run("finds "+name+", and makes the sequence small", func(t *testing.T) {
			t.Parallel()
			result := runBetween(t, p.spoil)
			require.NotEmpty(t, result.Differences)
			found := result.Differences[0]
			require.Contains(t, strings.Join(found.What, "\n"), p.what)
			require.True(t, found.Settled)
			require.LessOrEqual(t, len(found.Steps), 3, "books, and a list of them: %v", found.Steps)

			var shown strings.Builder
			require.NoError(t, result.Print(&shown, [2]Side{{Name: "monolith"}, {Name: "services"}}))
			require.Contains(t, shown.String(), "--seeds 1 --seed ")
		})
	}
}
