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
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/shop"
)

// shelf is a shop that can be told of books and lists them, with ids of its own. It knows nothing else, and says so.
type shelf struct {
	mu    sync.Mutex
	books []map[string]any

	remembers time.Duration // lists, by their subject
	lists     map[string]remembered
}

type remembered struct {
	items []any
	until time.Time
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
		said = map[string]any{"items": s.list(r.URL.Query().Get("subject")), "next_cursor": nil}
	default:
		status, said = http.StatusNotFound, map[string]any{"status": 404}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(said)
}

// list are the books of a subject, or what is remembered of them.
func (s *shelf) list(subject string) []any {
	if last, found := s.lists[subject]; found && time.Now().Before(last.until) {
		return last.items
	}
	items := []any{}
	for _, book := range s.books {
		if book["subject"] == subject {
			items = append(items, book)
		}
	}
	s.lists[subject] = remembered{items, time.Now().Add(s.remembers)}
	return items
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

// open opens a shelf that remembers its lists for a while.
func open(t *testing.T, remembers time.Duration) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(&shelf{remembers: remembers, lists: map[string]remembered{}})
	t.Cleanup(server.Close)
	return server
}

// runBetween compares two shelves, the second behind a proxy.
func runBetween(t *testing.T, spoil func(items []map[string]any)) *Result {
	t.Helper()
	first, second := open(t, 0), open(t, 0)
	result, err := Run(t.Context(), Options{
		Sides: [2]Side{{Name: "monolith", URL: first.URL}, {Name: "services", URL: through(t, second.URL, spoil)}},
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

// A shop may answer from before a write for a while; the run waits until that is over, and no longer.
func TestRemembered(t *testing.T) {
	t.Parallel()
	const age = 400 * time.Millisecond
	list := Step{Method: http.MethodGet, Path: "/v1/books?subject=sea"}
	add := Step{Method: http.MethodPost, Path: "/v1/books", Body: `{"isbn":"1","subject":"sea"}`}
	shared := list
	shared.Shared = true
	for name, c := range map[string]struct {
		sequences [][]Step
		waits     int
	}{
		"a list after a write":            {[][]Step{{list, add, list}}, 1},
		"a list after a write of another": {[][]Step{{shared, shared, shared}, {add, add}}, 1},
		"lists with nothing written":      {[][]Step{{list, list, list}, {shared, shared}}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sides := [2]Side{{Name: "monolith", URL: open(t, age).URL}, {Name: "services", URL: open(t, 0).URL}}
			for i := range sides {
				var err error
				sides[i].client, err = shop.New(shop.Options{}, sides[i].URL)
				require.NoError(t, err)
			}
			r := &runner{Options: Options{Sides: sides, Equal: true, ListsFor: age, Settle: func(context.Context) error { return nil }}}
			var all []*sequence
			for i, steps := range c.sequences {
				all = append(all, newSequence(1, i, &world{}, steps, sides))
			}
			began := time.Now()
			require.NoError(t, r.lockstep(t.Context(), all))
			require.GreaterOrEqual(t, time.Since(began), time.Duration(c.waits)*age)
			if c.waits == 0 {
				require.Less(t, time.Since(began), age)
			}
			for _, s := range all {
				require.Nil(t, s.found)
				require.Equal(t, len(s.steps), s.next)
			}
		})
	}
	for path, remembered := range map[string]bool{
		"/v1/books": true, "/v1/books?ids=&limit=1": true, "/v1/books?q=%ff;": true, "/v1/books?q=a&ids=x": false,
		"/v1/books/bestsellers": false, "/v1/orders": false,
	} {
		require.Equal(t, remembered, Step{Method: http.MethodGet, Path: path}.list(), path)
	}
	require.False(t, Step{Method: http.MethodPost, Path: "/v1/books"}.list())
}
