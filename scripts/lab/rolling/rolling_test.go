package rolling

import (
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/invariants"
	"banyan/scripts/lab/shop"
)

func TestVerdict(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		report Report
		says   string
	}{
		"a failed request":              {Report{Phases: []*Phase{{Failed: 1}}, Failures: []Failure{{Phase: "now", Request: "GET /x", What: "502"}}}, "1 failures, the first while now: GET /x: 502"},
		"a shop without rest":           {Report{Left: []string{"an order is pending"}}, "an order is pending"},
		"a process that was left alone": {Report{Untouched: []string{"orders-2"}}, "orders-2 was never restarted"},
		"a broken invariant":            {Report{Invariants: []invariants.Verdict{{Rule: "all is well", Checked: 3, Broken: 2}}}, "all is well (2 of 3)"},
	} {
		t.Run(name+" fails the run", func(t *testing.T) {
			t.Parallel()
			require.ErrorContains(t, c.report.Err(), c.says)
		})
	}
	require.NoError(t, (&Report{Phases: []*Phase{{Unanswered: 3}}}).Err(), "what was to be expected is no failure")
}

// TestBook holds what the customers write down against what they should.
func TestBook(t *testing.T) {
	t.Parallel()
	problem := http.ErrAbortHandler
	var b book
	strict := b.begin("strict", false)
	require.True(t, b.note(strict, shop.Request{}, time.Now(), false, nil))
	require.False(t, b.note(strict, shop.Request{}, time.Now(), true, problem))
	require.Equal(t, 1, strict.Failed, "no answer is a failure")

	forgiving := b.begin("forgiving", true)
	b.note(forgiving, shop.Request{}, time.Now(), true, problem)
	require.Equal(t, 1, forgiving.Unanswered)
	b.note(forgiving, shop.Request{}, time.Now(), false, problem)
	require.Equal(t, 1, forgiving.Failed, "a wrong answer is one in any phase")
	require.Equal(t, 2, forgiving.Requests)
	require.Len(t, b.failures, 2)
}

// TestCustomersNotice plants what a fleet may do wrong, and sees that a customer minds.
func TestCustomersNotice(t *testing.T) {
	t.Parallel()
	const other = `{"id":"1","title":"Emma"}`
	for name, handler := range map[string]http.HandlerFunc{
		"an internal error":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"unavailable":             func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) },
		"not signed in":           func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) },
		"another book":            func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(other)) },
		"half an answer":          func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "99") },
		"a connection that broke": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(handler)
			t.Cleanup(server.Close)
			var b book
			phase := b.begin("now", false)
			c := newTestCustomer(t, &b, server.URL)
			c.lookAtBook(t.Context())
			require.Equal(t, 1, phase.Failed)
		})
	}
	t.Run("but not a gateway that is away, as long as there is another", func(t *testing.T) {
		t.Parallel()
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(strings.Replace(other, "1", "2", 1)))
		}))
		t.Cleanup(server.Close)
		var b book
		phase := b.begin("now", false)
		c := newTestCustomer(t, &b, "http://127.0.0.1:1", server.URL)
		for range 4 {
			c.lookAtBook(t.Context())
		}
		require.Equal(t, 4, phase.Requests)
		require.Zero(t, phase.Failed)
	})
}

func newTestCustomer(t *testing.T, b *book, urls ...string) *customer {
	t.Helper()
	client, err := shop.New(shop.Options{}, urls...)
	require.NoError(t, err)
	return &customer{
		shop: client, book: b, books: []shop.Book{{ID: "2", Title: "Emma"}}, cart: map[string]int{}, orders: map[string]string{},
		random: rand.New(rand.NewPCG(1, 1)),
	}
}
