package ladder

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Two copiers would resurrect a row. The first one has read the row, and waits before it writes. The row is deleted, and
// the second copier deals with the note, at a time when there is nothing to delete. Then the first one writes. The lock
// keeps the second one out until then.
func TestTwoCopiersResurrectNothing(t *testing.T) {
	t.Parallel()
	url := openShop(t)
	require.NoError(t, Climb(t.Context(), url, 2, quiet))
	conn, blocker := connect(t, url), connect(t, url)
	defer conn.Close(t.Context())
	defer blocker.Close(t.Context())
	first, err := Open(t.Context(), url, "accounts")
	require.NoError(t, err)
	defer first.Close(t.Context())
	require.NoError(t, first.Note(t.Context()))

	const last = `(select token_hash from monolith.sessions order by token_hash desc limit 1)`
	half, goOn, backfilled := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		err := first.Backfill(t.Context(), 2, func(p Progress) error {
			if p.Root == "session" && p.Copied == 2 {
				close(half)
				<-goOn
			}
			return nil
		})
		_ = first.Close(context.WithoutCancel(t.Context())) // and its lock
		backfilled <- err
	}()
	select {
	case <-half:
	case err := <-backfilled:
		require.FailNow(t, "the backfill came to no second range", "%v", err)
	}
	// A transaction with the same key holds up the next range when it writes.
	run(t, blocker, `begin; insert into accounts.sessions select * from monolith.sessions where token_hash = `+last)
	close(goOn)
	waiting(t, conn)
	run(t, conn, `delete from monolith.sessions where token_hash = `+last)
	caughtUp := make(chan error, 1)
	go func() {
		second, err := Open(context.WithoutCancel(t.Context()), url, "accounts")
		if err == nil {
			_, err = second.CatchUp(context.WithoutCancel(t.Context()))
			_ = second.Close(context.WithoutCancel(t.Context()))
		}
		caughtUp <- err
	}()
	require.Eventually(t, func() bool {
		return len(caughtUp) > 0 || ask(t, conn, `select count(*)::text from pg_locks where locktype = 'advisory' and not granted and database = (
			select oid from pg_database where datname = current_database())`)[0] == "1"
	}, 20*time.Second, 5*time.Millisecond, "the second copier has done its work, or waits")
	run(t, blocker, `rollback`)
	require.NoError(t, <-backfilled)
	require.NoError(t, <-caughtUp)
	require.Empty(t, ask(t, conn, `
		select left(token_hash::text, 8) from accounts.sessions
		except
		select left(token_hash::text, 8) from monolith.sessions`), "a session that its customer has ended is open again")
}

// An event belongs to the owner of its area, also that of a writer who is the last to commit: the switch waits for it, and
// takes the event along.
func TestEventsGoWithTheirOwner(t *testing.T) {
	t.Parallel()
	conn, writer, c := withWriter(t)
	for _, way := range []struct {
		from, to string
		turn     func(context.Context, time.Duration) error
		account  string
	}{
		{"monolith", "accounts", c.CutOver, "#41"}, {"accounts", "monolith", c.Rollback, "#42"}, {"monolith", "accounts", c.CutOver, "#43"},
	} {
		run(t, writer, shopSQL(`
			begin;
			insert into `+way.from+`.accounts values (`+way.account+`, '`+way.account[1:]+`@example.org', 'Ada', 'x', 'customer', '2026-01-01');
			insert into `+way.from+`.outbox (id, type, data, trace) values (`+way.account+`, 'account.registered', '{}', '')`))
		turned := make(chan error, 1)
		go func() { turned <- way.turn(t.Context(), time.Minute) }()
		waiting(t, conn)
		run(t, writer, `commit`)
		require.NoError(t, <-turned)
		require.Empty(t, ask(t, conn, `select type || ' ' || ltrim(right(id::text, 12), '0') from `+way.from+`.outbox where type = 'account.registered' and stream_seq is null`),
			"nobody publishes what is left with the old owner, %s", way.from)
		require.Contains(t, ask(t, conn, `select ltrim(right(id::text, 12), '0') from `+way.to+`.outbox where stream_seq is null`), way.account[1:])
	}
}

// A customer cancels a paid order as payments goes back: the trunk has been killed, and its transaction commits while the
// rollback waits for its locks. Payments can't have heard of it, and nobody else will tell.
func TestRollbackOfPaymentsRefundsTheLastCancel(t *testing.T) {
	t.Parallel()
	c, conn, url := cutOverAt(t, "payments")
	writer := connect(t, url)
	defer writer.Close(t.Context())
	run(t, writer, shopSQL(`begin; update monolith.orders set status = 'cancelled', cancel_reason = 'customer' where id = #22`))
	turned := make(chan error, 1)
	go func() { turned <- c.Rollback(t.Context(), time.Minute) }()
	waiting(t, conn)
	run(t, writer, `commit`)
	require.NoError(t, <-turned)
	require.Equal(t, []string{"22"}, ask(t, conn, `
		select right(p.order_id::text, 2)
		from monolith.payments p
		join monolith.orders o on o.id = p.order_id
		where o.status = 'cancelled' and p.status = 'captured' and p.refund_requested_at is not null`), "who has cancelled gets the money back")
}
