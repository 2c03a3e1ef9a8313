package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"banyan/monolith/catalog"
)

// These benchmarks put the monolith's hottest requests beside what the machine can do at best: the same
// statements sent by pgx alone, and the same answer by a server that does nothing else. What counts is the
// requests/s of one line divided by those of another, from the same run:
//
//	go test ./monolith -run '^$' -bench . -benchtime 3s
//
// The statements are not written down here. They are recorded from the modules, so they stay the same when those
// change. The test database does not wait for the disk, and all lines of a benchmark profit alike; set
// DATABASE_URL to a server that does.

// clients is how many goroutines ask at once, and connections each pool has.
const clients = 16

// BenchmarkCheckout buys carts of three books. Both lines run the same two transactions; the monolith's also
// asks a card processor in between, as it must.
func BenchmarkCheckout(b *testing.B) {
	l := newLimits(b)
	recorded := l.recordCheckout(b)

	b.Run("pgx", func(b *testing.B) {
		l.checkouts(b, func(ctx context.Context, m *member) error {
			return recorded.replay(ctx, l.pool, l.checkoutOf(m, recorded))
		})
	})
	b.Run("monolith", func(b *testing.B) {
		l.checkouts(b, func(ctx context.Context, m *member) error {
			request, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url+"/v1/orders", strings.NewReader(checkoutBody))
			if err != nil {
				return err
			}
			request.Header.Set("Authorization", "Bearer "+m.token)
			request.Header.Set("Idempotency-Key", uuid.NewString())
			request.Header.Set("Content-Type", "application/json")
			return l.ask(request, http.StatusCreated)
		})
	})
}

// BenchmarkBook reads one book, which the monolith does not cache.
func BenchmarkBook(b *testing.B) {
	l := newLimits(b)
	template := l.books[0].ID
	recorded := record(b, l.appURL, func(r *recorded) error {
		_, err := catalog.New(r.pool).Book(b.Context(), template)
		return err
	})
	read := func(ctx context.Context, n int) error {
		to := substitution{ids: map[uuid.UUID]uuid.UUID{template: l.books[n%len(l.books)].ID}}
		return recorded.replay(ctx, l.pool, to)
	}

	b.Run("pgx", func(b *testing.B) { concurrently(b, read) })

	// The least that a server in Go can do about it: net/http, pgx, and a struct as JSON.
	probe := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, err := uuid.Parse(strings.TrimPrefix(r.URL.Path, "/v1/books/"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		rows, err := l.pool.Query(r.Context(), recorded.trips[0][0].sql, id)
		if err == nil {
			var book catalog.Book
			book, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[catalog.Book])
			if err == nil {
				err = writeJSON(w, book)
			}
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}))
	b.Cleanup(probe.Close)
	for _, server := range []struct{ name, url string }{{"net-http and pgx", probe.URL}, {"monolith", l.url}} {
		b.Run(server.name, func(b *testing.B) {
			concurrently(b, func(ctx context.Context, n int) error {
				return l.get(ctx, server.url+"/v1/books/"+l.books[n%len(l.books)].ID.String())
			})
		})
	}
}

// BenchmarkList reads pages of 20 books, which the monolith remembers for a moment.
func BenchmarkList(b *testing.B) {
	l := newLimits(b)
	path := func(n int) string { return "/v1/books?sort=newest&subject=" + l.subjects[n%len(l.subjects)] }
	recorded := record(b, l.appURL, func(r *recorded) error {
		_, err := catalog.New(r.pool).Search(b.Context(), catalog.Search{Sort: "newest", Subject: l.subjects[0], Limit: 20})
		return err
	})

	b.Run("pgx", func(b *testing.B) {
		concurrently(b, func(ctx context.Context, n int) error {
			to := substitution{texts: map[string]string{l.subjects[0]: l.subjects[n%len(l.subjects)]}}
			return recorded.replay(ctx, l.pool, to)
		})
	})

	// A server that has the answer in its hand.
	answer := l.body(b, l.url+path(0))
	static := echo.New()
	static.GET("/v1/books", func(c echo.Context) error { return c.JSONBlob(http.StatusOK, answer) })
	probe := httptest.NewServer(static)
	b.Cleanup(probe.Close)
	for _, server := range []struct{ name, url string }{{"static answer by Echo", probe.URL}, {"monolith", l.url}} {
		b.Run(server.name, func(b *testing.B) {
			concurrently(b, func(ctx context.Context, n int) error { return l.get(ctx, server.url+path(n)) })
		})
	}
}

// concurrently does b.N things, as many at once as there are clients.
func concurrently(b *testing.B, do func(ctx context.Context, n int) error) {
	b.Helper()
	b.ResetTimer()
	spread(b, b.N, do)
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}

// spread does n things among the clients, and fails the benchmark if one fails.
func spread(b *testing.B, n int, do func(ctx context.Context, n int) error) {
	b.Helper()
	var next atomic.Int64
	var group sync.WaitGroup
	problems := make([]error, clients)
	for i := range problems {
		group.Go(func() {
			for problems[i] == nil {
				at := int(next.Add(1)) - 1
				if at >= n {
					return
				}
				if err := do(b.Context(), at); err != nil {
					problems[i] = fmt.Errorf("request %d: %w", at, err)
				}
			}
		})
	}
	group.Wait()
	for _, err := range problems {
		require.NoError(b, err)
	}
}
