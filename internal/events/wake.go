package events

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Wake says that something was committed to the outbox. It returns at once, and
// any number of goroutines may call it as often as they like. Call it after the
// commit: before, there is nothing to see.
//
// Where the relay of this instance works, that is a signal inside the process.
// Where it stands by, another instance's is told by NOTIFY, at most once per
// millisecond and outside of any transaction of the service: PostgreSQL lets
// only one transaction that notifies commit at a time, in the whole cluster. In
// the writing transactions that cost three commits out of four.
func (r *Relay) Wake() {
	signal := r.notify
	if r.working.Load() {
		signal = r.wake
	}
	select {
	case signal <- struct{}{}:
	default: // one is waiting to be seen, and will see this row as well
	}
}

// notifyOthers sends the notifications. One that fails is not repeated: the
// relay that should have heard it polls.
func (r *Relay) notifyOthers(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.notify:
		}
		send, cancel := context.WithTimeout(ctx, time.Second)
		if _, err := r.pool.Exec(send, `select pg_notify('outbox_' || current_schema(), '')`); err != nil {
			r.log.DebugContext(ctx, "could not notify the working relay", "error", err)
		}
		cancel()
		sleep(ctx, notifyPause)
	}
}

// linger waits for a signal, but not for long.
func (r *Relay) linger(ctx context.Context) {
	pause := time.NewTimer(markPause)
	defer pause.Stop()
	select {
	case <-r.wake:
	case <-pause.C:
	case <-ctx.Done():
	}
}

// idle waits for a signal, a notification, the next poll or the end of ctx,
// whatever is first. A connection that broke shows at the next statement.
func (r *Relay) idle(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(ctx, r.poll)
	// The watcher is gone when idle returns. Left behind, it could take the
	// signal for a row that the next look has just missed.
	var watcher sync.WaitGroup
	watcher.Go(func() {
		select {
		case <-r.wake:
			cancel()
		case <-ctx.Done():
		}
	})
	_, _ = conn.WaitForNotification(ctx)
	cancel()
	watcher.Wait()
}
