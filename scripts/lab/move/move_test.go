package move

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"banyan/internal/postgres"
	"banyan/scripts/lab/ladder"
	"banyan/scripts/lab/seed"
	"banyan/scripts/lab/shop"
	"banyan/scripts/lab/up"
)

// told is what a tool says, and does something when it says a certain thing.
type told struct {
	mu   sync.Mutex
	text bytes.Buffer
	at   string
	do   func()
}

func (s *told) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Write(b)
	if s.do != nil && strings.Contains(string(b), s.at) {
		s.do()
		s.do = nil
	}
	return len(b), nil
}

// visitor is a customer who goes on reading and filling the cart, and remembers each answer that is none.
type visitor struct {
	stop   context.CancelFunc
	done   sync.WaitGroup
	asked  int
	failed []string
}

func visit(t *testing.T, person *shop.Person, book string) *visitor {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	v := &visitor{stop: stop}
	v.done.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			r := shop.Request{Method: http.MethodGet, Path: "/v1/notifications"}
			if i%2 == 1 {
				r = shop.Request{Method: http.MethodPut, Path: "/v1/cart/items/" + book, Body: map[string]int{"quantity": 1 + i%5}}
			}
			said, err := person.Send(ctx, r)
			if ctx.Err() != nil {
				return
			}
			v.asked++
			if err != nil || said.Status >= 300 {
				v.failed = append(v.failed, fmt.Sprintf("%s: %v %s", r, err, said))
			}
		}
	})
	return v
}

// leave ends the visit and demands that every request was answered.
func (v *visitor) leave(t *testing.T) {
	t.Helper()
	v.stop()
	v.done.Wait()
	require.Greater(t, v.asked, 10)
	require.Empty(t, v.failed)
}

// TestMove takes notifications out of a running monolith and back, while a customer is there, and a writer holds a
// transaction open in the middle of each handover. So it is long enough to be noticed by anybody who could notice it.
func TestMove(t *testing.T) {
	t.Parallel()
	one := 1
	require.NoError(t, up.Scratch(t.Context(), up.Options{Only: up.Services, Step: &one}, func(ctx context.Context, lab *up.Lab) error {
		client, err := shop.New(shop.Options{}, lab.GatewayURL())
		require.NoError(t, err)
		defer client.Close()
		person, err := shop.SignIn(ctx, client, seed.ReaderEmail(1), seed.ReaderPassword)
		require.NoError(t, err)
		best, err := person.Bestsellers(ctx, 1)
		require.NoError(t, err)
		database := lab.DatabaseURL(up.Services)

		open := func(said *told) *Move {
			state := lab.State()
			m, err := Open(ctx, &state, "notifications", said)
			require.NoError(t, err)
			return m
		}
		name := func(table, column string) (name string) {
			withConn(t, database, func(conn *pgx.Conn) {
				require.NoError(t, conn.QueryRow(ctx, `select name from `+table+` where `+column+` = (select id from monolith.accounts where email = $1)`,
					seed.ReaderEmail(2)).Scan(&name))
			})
			return name
		}

		m := open(&told{})
		require.NoError(t, m.Extract(ctx, Pace{BatchSize: 400}, UntilVerify))
		require.NoError(t, m.Close(ctx))

		// The writer is a process that was killed, and whose transaction commits nevertheless.
		said := &told{at: "handing over"}
		said.do = func() {
			writer(t, database, `update monolith.accounts set name = 'Written late' where email = $1`, seed.ReaderEmail(2))
		}
		v := visit(t, person, best[0].ID)
		m = open(said)
		require.NoError(t, m.Switch(ctx), said.text.String())
		require.NoError(t, m.Close(ctx))
		v.leave(t)
		require.Nil(t, said.do, "the writer has written")
		require.Equal(t, "Written late", name("notifications.contacts", "account_id"))
		require.Equal(t, 2, stepNow(t, lab))
		held, longest, failed := m.record.Handovers[0].Held()
		require.Positive(t, held)
		require.Greater(t, longest, float64(writes.Milliseconds()), "customers wait as long as the writer")
		require.Zero(t, failed)

		// What the service has written since goes along on the way back.
		_, err = shop.Register(ctx, client, "came.later@banyan.example", seed.ReaderPassword, "Came Later")
		require.NoError(t, err)
		mails := `select count(*) from %s.notifications where to_address = 'came.later@banyan.example'`
		require.Eventually(t, func() bool { return counted(t, database, fmt.Sprintf(mails, "notifications")) == 1 }, 10*time.Second, 20*time.Millisecond)
		v = visit(t, person, best[0].ID)
		said = &told{}
		m = open(said)
		require.NoError(t, m.Rollback(ctx), said.text.String())
		require.NoError(t, m.Close(ctx))
		v.leave(t)
		require.EqualValues(t, 1, counted(t, database, fmt.Sprintf(mails, "monolith")))
		require.Equal(t, 1, stepNow(t, lab))

		return nil
	}))
}

// writes is for how long the writer holds its transaction.
const writes = 300 * time.Millisecond

// writer changes a row at once, and commits later.
func writer(t *testing.T, database, statement string, args ...any) {
	conn, err := postgres.Connect(t.Context(), database)
	require.NoError(t, err)
	tx, err := conn.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), statement, args...)
	require.NoError(t, err)
	time.AfterFunc(writes, func() {
		_ = tx.Commit(context.WithoutCancel(t.Context()))
		_ = conn.Close(context.WithoutCancel(t.Context()))
	})
}

func withConn(t *testing.T, database string, do func(*pgx.Conn)) {
	t.Helper()
	conn, err := postgres.Connect(t.Context(), database)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	do(conn)
}

func counted(t *testing.T, database, query string) (n int64) {
	t.Helper()
	withConn(t, database, func(conn *pgx.Conn) { require.NoError(t, conn.QueryRow(t.Context(), query).Scan(&n)) })
	return n
}

func stepNow(t *testing.T, lab *up.Lab) int {
	t.Helper()
	return lab.State().Step
}

func TestQuantile(t *testing.T) {
	t.Parallel()
	counts := map[float64]int64{.001: 50, .01: 90, .1: 100, 1: 100}
	require.InDelta(t, 1, quantile(counts, .5), .001)
	require.InDelta(t, 55, quantile(counts, .95), .001)
	require.InDelta(t, 91, quantile(counts, .99), .001)
	require.InDelta(t, 100, quantile(counts, 1), .001)
	require.Zero(t, quantile(map[float64]int64{}, .5))
}

func TestBetween(t *testing.T) {
	t.Parallel()
	now := time.Now()
	from := sample{at: now, requests: 100, failed: 1, buckets: map[float64]int64{.01: 100, .1: 100},
		cpu: map[string]time.Duration{processPostgres: time.Second, processTrunk: time.Second}}
	to := sample{at: now.Add(2 * time.Second), requests: 300, failed: 4, buckets: map[float64]int64{.01: 200, .1: 300},
		cpu: map[string]time.Duration{processPostgres: 2 * time.Second, processTrunk: 10 * time.Millisecond}}
	c := between(from, to)
	require.EqualValues(t, 200, c.Requests)
	require.EqualValues(t, 3, c.Failed)
	require.InDelta(t, 100, c.Rate, .001)
	require.InDelta(t, 10, c.P50, .001)
	require.InDelta(t, 5, c.PostgreSQL, .001)
	require.Zero(t, c.Trunk, "it is another process by now")
	require.Zero(t, between(to, to).Rate)
}

func TestNextSteps(t *testing.T) {
	t.Parallel()
	for stage, want := range map[string][]string{
		"":                     {"lab extract accounts"},
		ladder.StageNoted:      {"lab extract accounts", "lab cancel accounts"},
		ladder.StageCopied:     {"lab switch accounts", "lab verify-data accounts", "lab cancel accounts"},
		ladder.StageCutOver:    {"lab rollback accounts", "lab finalize accounts"},
		ladder.StageFinalizing: {"lab finalize accounts"},
		ladder.StageFinalized:  nil,
	} {
		var got []string
		for _, next := range NextSteps("accounts", stage) {
			command, _, _ := strings.Cut(next, "   ")
			got = append(got, command)
		}
		require.Equal(t, want, got, stage)
	}
}

func TestStageError(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]StageError{
		"lab rollback orders hands it back":     {"orders", ladder.StageCutOver, "cancel"},
		"there is no way back":                  {"orders", ladder.StageFinalized, "rollback"},
		"lab extract orders goes on":            {"orders", ladder.StageNoted, "switch"},
		"begin with lab extract orders":         {"orders", "", "switch"},
		"lab switch orders hands it over first": {"orders", ladder.StageCopied, "finalize"},
		"orders is not on its way":              {"orders", "", "finalize"},
		"orders is not copied yet":              {"orders", ladder.StageNoted, "finalize"},
		"nothing has to be handed back":         {"orders", ladder.StageNoted, "rollback"},
	} {
		require.ErrorContains(t, &e, want)
	}
}

func TestRecord(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r, err := ReadRecord(dir, "accounts", 3)
	require.NoError(t, err)
	var page strings.Builder
	require.NoError(t, r.Print(&page))
	require.Contains(t, page.String(), "Nothing has happened yet")

	r.Stages = append(r.Stages, Stage{Name: "backfill", Seconds: 1.5, Rows: 1000, Customers: Customers{Rate: 70, P99: 12.25}})
	r.Handovers = append(r.Handovers, Handover{Back: true, Pause: .25, Routes: []Route{{"/v1/books", 3, 250, 0}, {"/v1/cart", 1, 10, 1}}})
	require.NoError(t, r.write())
	again, err := Recorded(dir, "accounts")
	require.NoError(t, err)
	require.Equal(t, r, again)
	page.Reset()
	require.NoError(t, again.Print(&page))
	require.Contains(t, page.String(), "| backfill | 00:00:00 | 1.50 s | 1000 |")
	require.Contains(t, page.String(), "| accounts | back | 4 | 250.0 ms | 1 | 0.25 s:")
	_, err = Recorded(dir, "books")
	require.ErrorContains(t, err, `there is no area "books"`)
	require.NoError(t, again.forget())
	require.NoError(t, again.forget())
}

func TestPause(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.False(t, paused(dir, "orders"))
	require.NoError(t, Pause(dir, "orders"))
	require.True(t, paused(dir, "orders"))
	require.NoError(t, Resume(dir, "orders"))
	require.NoError(t, Resume(dir, "orders"))
	require.False(t, paused(dir, "orders"))
	require.Error(t, Pause(dir, "books"))
}
