package notifications

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"banyan/internal/postgres"
	"banyan/internal/testdb"
	"banyan/internal/token"
	"banyan/internal/web"
	"banyan/migrations"
)

// shop is the module alone, with a database that others write to as well.
type shop struct {
	*Service
	t    *testing.T
	pool *pgxpool.Pool
}

func newShop(t *testing.T, smtpAddr string) shop {
	t.Helper()
	mailer, err := NewMailer(smtpAddr, "shop@banyan.example")
	require.NoError(t, err)
	pool := testdb.New(t, migrations.FS).Pool("monolith_app")
	return shop{New(pool, mailer), t, pool}
}

// again is the same shop in another process.
func (s shop) again() shop { return shop{New(s.pool, s.mailer), s.t, s.pool} }

func (s shop) exec(sql string, args ...any) {
	s.t.Helper()
	_, err := s.pool.Exec(s.t.Context(), sql, args...)
	require.NoError(s.t, err)
}

func (s shop) count(status string) (n int) {
	s.t.Helper()
	err := s.pool.QueryRow(s.t.Context(), `select count(*) from notifications where status = $1`, status).Scan(&n)
	require.NoError(s.t, err)
	return n
}

// account makes an account as the accounts module would, without a mail.
func (s shop) account(email string) uuid.UUID {
	s.t.Helper()
	id := uuid.Must(uuid.NewV7())
	s.exec(`insert into accounts values ($1, $2, 'Ada', '', 'customer', now())`, id, email)
	return id
}

// order makes an order as the orders module would.
func (s shop) order(account uuid.UUID) uuid.UUID {
	s.t.Helper()
	id := uuid.Must(uuid.NewV7())
	s.exec(`insert into orders values ($1, $2, 'paid', 2598, '{}', now(), null)`, id, account)
	return id
}

// queue sends a batch that others would fill with more.
func (s shop) queue(fill func(b *pgx.Batch)) error {
	var b pgx.Batch
	fill(&b)
	return postgres.Exec(s.t.Context(), s.pool, &b)
}

// welcomes queues that many mails, each to a new account.
func (s shop) welcomes(n int) {
	s.t.Helper()
	require.NoError(s.t, s.queue(func(b *pgx.Batch) {
		for i := range n {
			id, email := uuid.Must(uuid.NewV7()), fmt.Sprintf("reader%d@example.org", i)
			b.Queue(`insert into accounts values ($1, $2, 'Ada', '', 'customer', now())`, id, email)
			s.QueueWelcome(b, id, email, "Ada")
		}
	}))
}

// run starts the worker and returns the function that stops it.
func (s shop) run() (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.t.Context()))
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, slog.New(slog.DiscardHandler)) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-done:
			require.NoError(s.t, err)
		case <-time.After(6 * time.Second):
			s.t.Error("the worker did not stop")
		}
	}
	s.t.Cleanup(stop)
	return stop
}

func TestQueueing(t *testing.T) {
	t.Parallel()

	t.Run("takes the address of order mail from the account", func(t *testing.T) {
		t.Parallel()
		s := newShop(t, "127.0.0.1:1")
		ada := s.account("ada@example.org")
		order := s.order(ada)
		require.NoError(t, s.queue(func(b *pgx.Batch) {
			s.QueueReceipt(b, order, ada, 2598)
			s.QueueShipped(b, order, ada)
			s.QueueCancelled(b, order, ada, "customer")
		}))
		messages, err := s.Messages(t.Context(), ada, uuid.Max, 10)
		require.NoError(t, err)
		require.Len(t, messages, 3)
		for i, kind := range []string{"order_cancelled", "order_shipped", "order_paid"} {
			require.Equal(t, kind, messages[i].Kind)
			require.Equal(t, "ada@example.org", messages[i].To)
		}
	})
	t.Run("an effect that is reported twice stops the second batch whole", func(t *testing.T) {
		t.Parallel()
		s := newShop(t, "127.0.0.1:1")
		ada := s.account("ada@example.org")
		order := s.order(ada)
		for name, again := range map[string]func(b *pgx.Batch){
			"welcome": func(b *pgx.Batch) { s.QueueWelcome(b, ada, "ada@example.org", "Ada") },
			"receipt": func(b *pgx.Batch) { s.QueueReceipt(b, order, ada, 2598) },
			"shipped": func(b *pgx.Batch) { s.QueueShipped(b, order, ada) },
			"cancel":  func(b *pgx.Batch) { s.QueueCancelled(b, order, ada, "customer") },
		} {
			require.NoError(t, s.queue(again), name)
			err := s.queue(func(b *pgx.Batch) {
				b.Queue(`update accounts set name = 'Eve'`)
				again(b)
			})
			require.True(t, postgres.UniqueViolation(err, ""), "%s: %v", name, err)
		}
		var name string
		require.NoError(t, s.pool.QueryRow(t.Context(), `select name from accounts`).Scan(&name))
		require.Equal(t, "Ada", name)
		require.Equal(t, 4, s.count("queued"))
	})
}

func TestListing(t *testing.T) {
	t.Parallel()
	box := newSink(t, "")
	s := newShop(t, box.addr)
	ada, eve := s.account("ada@example.org"), s.account("eve@example.org")
	order := s.order(ada)
	require.NoError(t, s.queue(func(b *pgx.Batch) {
		s.QueueWelcome(b, ada, "ada@example.org", "Ada")
		s.QueueWelcome(b, eve, "eve@example.org", "Eve")
		s.QueueReceipt(b, order, ada, 2598)
		s.QueueShipped(b, order, ada)
	}))
	e := web.New(web.Options{Log: slog.New(slog.DiscardHandler)})
	Register(e.Group(""), s.Service, web.SignedIn(func(r *http.Request) (token.Identity, error) {
		return token.Identity{Subject: ada, Role: "customer"}, nil
	}))
	list := func(query string) (int, web.List[map[string]any]) {
		res := httptest.NewRecorder()
		e.ServeHTTP(res, httptest.NewRequestWithContext(t.Context(), "GET", "/v1/notifications"+query, nil))
		var l web.List[map[string]any]
		require.NoError(t, json.Unmarshal(res.Body.Bytes(), &l))
		return res.Code, l
	}

	status, first := list("?limit=2")
	require.Equal(t, 200, status)
	require.Len(t, first.Items, 2)
	require.Equal(t, "order_shipped", first.Items[0]["kind"], "the newest comes first")
	require.Equal(t, "order_paid", first.Items[1]["kind"])
	require.Len(t, first.Items[0], 6)
	require.Equal(t, "queued", first.Items[0]["status"])
	require.Contains(t, first.Items[0], "sent_at")
	require.Nil(t, first.Items[0]["sent_at"])

	status, rest := list("?limit=2&cursor=" + *first.NextCursor)
	require.Equal(t, 200, status)
	require.Len(t, rest.Items, 1, "other people's mail is not listed")
	require.Equal(t, "welcome", rest.Items[0]["kind"])
	require.Equal(t, "ada@example.org", rest.Items[0]["to"])
	require.Nil(t, rest.NextCursor)

	status, _ = list("?cursor=eyJzIjoidGl0bGUifQ")
	require.Equal(t, 400, status, "a position in another list is none here")

	s.run()
	require.Eventually(t, func() bool { return s.count("sent") == 4 }, 10*time.Second, 10*time.Millisecond)
	_, all := list("")
	require.Len(t, all.Items, 3)
	require.Equal(t, "sent", all.Items[0]["status"])
	require.Regexp(t, `^20.*Z$`, all.Items[0]["sent_at"])
}
