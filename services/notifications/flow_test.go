package main

import (
	"context"
	"encoding/json"
	"errors"
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

	"banyan/internal/events"
	"banyan/internal/money"
	"banyan/internal/postgres"
	"banyan/internal/testdb"
	"banyan/internal/token"
	"banyan/internal/web"
	"banyan/migrations"
)

// shop is the service alone.
type shop struct {
	*Service
	t    *testing.T
	pool *pgxpool.Pool
}

func newShop(t *testing.T, smtpAddr string) shop {
	t.Helper()
	mailer, err := NewMailer(smtpAddr, "shop@banyan.example")
	require.NoError(t, err)
	pool := testdb.New(t, migrations.FS).Pool("notifications_app")
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

// queue runs handlers in one transaction, and wakes the worker, as the consumer does.
func (s shop) queue(handle func(b *pgx.Batch) error) error {
	defer s.Wake()
	var b pgx.Batch
	return errors.Join(handle(&b), postgres.Exec(s.t.Context(), s.pool, &b))
}

// welcomes queues that many mails, each to a new account.
func (s shop) welcomes(n int) {
	s.t.Helper()
	require.NoError(s.t, s.queue(func(b *pgx.Batch) error {
		for i := range n {
			if err := s.welcome(b, uuid.Must(uuid.NewV7()), fmt.Sprintf("reader%d@example.org", i)); err != nil {
				return err
			}
		}
		return nil
	}))
}

// welcome handles the registration of an account.
func (s shop) welcome(b *pgx.Batch, id uuid.UUID, email string) error {
	return s.accountRegistered(s.t.Context(), b, events.Event{}, accountData{id, email, "Ada"})
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

func TestListing(t *testing.T) {
	t.Parallel()
	box := newSink(t, "")
	s := newShop(t, box.addr)
	ada, eve, order := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	require.NoError(t, s.queue(func(b *pgx.Batch) error {
		return errors.Join(
			s.welcome(b, ada, "ada@example.org"),
			s.welcome(b, eve, "eve@example.org"),
			s.orderPaid(t.Context(), b, events.Event{}, paidData{order, ada, money.USD(2598)}),
			s.shipmentDispatched(t.Context(), b, events.Event{}, shipmentData{order, ada}),
		)
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
