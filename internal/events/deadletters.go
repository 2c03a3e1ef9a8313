package events

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"

	"banyan/internal/postgres"
)

const (
	replayRetry = 5 * time.Second // after a replay that failed for the moment
	forgetEvery = 10 * time.Minute
	forgetBatch = 1000
)

// DeadLetter is an event that a consumer rejected, or gave up.
type DeadLetter struct {
	Consumer string              `json:"consumer"`
	EventID  uuid.UUID           `json:"event_id"`
	Type     string              `json:"type"` // "" if the event had none
	Subject  string              `json:"subject"`
	Headers  map[string][]string `json:"headers"`
	Body     []byte              `json:"body"`      // as it came, base64 in JSON; need not be JSON itself
	Error    string              `json:"error"`     // why it was rejected, the last time
	Attempts int                 `json:"attempts"`  // how often it was rejected
	DiedAt   time.Time           `json:"died_at"`   // the last time
	ReplayAt *time.Time          `json:"replay_at"` // somebody asked for a replay, which comes then
}

// DeadLetters lists what was rejected and has not been handled since, oldest first.
func DeadLetters(ctx context.Context, q postgres.Querier) ([]DeadLetter, error) {
	rows, err := q.Query(ctx, `
		select consumer, event_id, type, subject, headers, body, error, attempts, died_at, replay_at
		from dead_letters
		where replayed_at is null
		order by died_at, event_id`)
	if err != nil {
		return nil, fmt.Errorf("list the dead letters: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[DeadLetter])
	if err != nil {
		return nil, fmt.Errorf("list the dead letters: %w", err)
	}
	return all, nil
}

// Replay asks for another try of dead letters, by the ids of their events, and
// returns those that it found. The consumer itself does the work, soon, with
// the handlers it has now: the one who asks needs no broker, and no code.
func Replay(ctx context.Context, q postgres.Querier, ids ...uuid.UUID) ([]uuid.UUID, error) {
	rows, err := q.Query(ctx, `
		with asked as (
		  update dead_letters
		  set replay_at = now()
		  where event_id = any($1) and replayed_at is null
		  returning consumer, event_id
		), forgotten as (
		  -- It counted as dealt with. From here on it does not.
		  delete from inbox
		  using asked
		  where inbox.consumer = asked.consumer and inbox.event_id = asked.event_id
		)
		select distinct event_id from asked`, ids)
	if err != nil {
		return nil, fmt.Errorf("ask for a replay: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, fmt.Errorf("ask for a replay: %w", err)
	}
	return found, nil
}

// letter is an event as it came from the broker.
type letter struct {
	event   Event
	subject string
	headers nats.Header
	body    []byte
}

// bury puts a rejected event aside, with an inbox row: it has been dealt with.
// If there is one already, another delivery of the event was faster.
func (c *Consumer) bury(ctx context.Context, l letter, cause error) error {
	ctx, cancel := context.WithTimeout(ctx, handleTimeout)
	defer cancel()
	var buried bool
	err := pgx.BeginFunc(ctx, c.pool, func(tx pgx.Tx) error {
		unknown, err := c.claim(ctx, tx, []uuid.UUID{l.event.ID})
		if err != nil || len(unknown) == 0 {
			return err
		}
		buried = true
		_, err = tx.Exec(ctx, `
			insert into dead_letters (consumer, event_id, type, subject, headers, body, error)
			values ($1, $2, $3, $4, coalesce($5::json, '{}'), coalesce($6::bytea, ''), $7)
			on conflict (consumer, event_id) do update
			set error = excluded.error, attempts = dead_letters.attempts + 1, died_at = now(), replay_at = null`,
			c.name, l.event.ID, storable(l.event.Type), storable(l.subject), l.headers, l.body, storable(cause.Error()))
		return err
	})
	if err != nil {
		return fmt.Errorf("put event %s aside: %w", l.event.ID, err)
	}
	if !buried {
		c.metrics.duplicates.Inc()
		return nil
	}
	c.metrics.deadLetters.WithLabelValues(c.label(l.event)).Inc()
	c.log.ErrorContext(traced(ctx, l.event), "event put aside; it is in dead_letters and can be replayed",
		"event_id", l.event.ID, "type", l.event.Type, "error", cause)
	return nil
}

// storable is s without what PostgreSQL takes for no text. A stranger wrote it,
// and whatever it holds, it must be possible to put it aside.
func storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// replayAll looks for dead letters that somebody wants tried again.
func (c *Consumer) replayAll(ctx context.Context) {
	state := &health{log: c.log, what: "replaying dead letters"}
	for ; ctx.Err() == nil; sleep(ctx, c.poll) {
		found, err := true, error(nil)
		for found && err == nil && ctx.Err() == nil {
			found, err = c.replayNext(context.WithoutCancel(ctx))
		}
		// That none is due does not mean that the one works which failed: it waits
		// for its next try.
		if err == nil && state.failing() {
			err = c.replaysWait(ctx)
		}
		if err != nil {
			state.failed(ctx, err)
		} else {
			state.worked(ctx)
		}
	}
}

// errReplaysWait says that replays have failed and will be tried again.
var errReplaysWait = errors.New("replays wait for their next try")

// replaysWait returns that error, or nil if there are none.
func (c *Consumer) replaysWait(ctx context.Context) error {
	var wait bool
	err := c.pool.QueryRow(ctx, `
		select exists (
		  select
		  from dead_letters
		  where consumer = $1 and replay_at is not null)`, c.name).Scan(&wait)
	if err == nil && wait {
		err = errReplaysWait
	}
	return err
}

// replayNext gives the first of them to its handler, and reports whether there
// was one.
func (c *Consumer) replayNext(ctx context.Context) (found bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*handleTimeout)
	defer cancel()
	var l letter
	var fresh []Event
	err = pgx.BeginFunc(ctx, c.pool, func(tx pgx.Tx) error {
		var id uuid.UUID
		err := tx.QueryRow(ctx, `
			select event_id, subject, headers, body
			from dead_letters
			where consumer = $1 and replay_at <= now()
			order by replay_at
			limit 1
			for update skip locked`, c.name).Scan(&id, &l.subject, &l.headers, &l.body)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the dead letters of %s: %w", c.name, err)
		}
		found = true
		var unread error
		l.event, unread = decode(l.subject, l.headers, l.body)
		if unread != nil {
			return &failure{unread}
		}
		unknown, err := c.claim(ctx, tx, []uuid.UUID{id})
		if err != nil {
			return err
		}
		if unknown[id] { // else the broker delivered it meanwhile
			if err := c.call(ctx, tx, l.event); err != nil {
				return &failure{err}
			}
			fresh = append(fresh, l.event)
		}
		_, err = tx.Exec(ctx, `
			update dead_letters
			set replayed_at = now(), replay_at = null
			where consumer = $1 and event_id = $2`, c.name, id)
		return err
	})
	switch {
	case err == nil:
		c.committed(ctx, fresh)
		return found, nil
	case rejected(err), unstorable(err):
		return found, c.bury(ctx, l, err)
	case found:
		// Behind the others, which it must not hold up.
		_, postponeErr := c.pool.Exec(ctx, `
			update dead_letters
			set replay_at = now() + $3::interval
			where consumer = $1 and event_id = $2`, c.name, l.event.ID, replayRetry)
		return found, errors.Join(err, postponeErr)
	}
	return false, err
}

// forget deletes inbox rows of events that cannot come again, and dead letters that were
// replayed as long ago.
func (c *Consumer) forget(ctx context.Context) {
	for ; ctx.Err() == nil; sleep(ctx, forgetEvery) {
		c.forgetAll(ctx, "inbox rows", `
			with old as materialized (
			  select event_id
			  from inbox
			  where consumer = $1 and handled_at < now() - $2::interval
			  limit $3
			  for update skip locked -- another instance's
			)
			delete from inbox i
			using old
			where i.consumer = $1 and i.event_id = old.event_id`)
		// There are few dead letters: people replay them, so they need no index for this.
		c.forgetAll(ctx, "replayed dead letters", `
			with old as materialized (
			  select event_id
			  from dead_letters
			  where consumer = $1 and replayed_at < now() - $2::interval
			  limit $3
			  for update skip locked
			)
			delete from dead_letters d
			using old
			where d.consumer = $1 and d.event_id = old.event_id`)
	}
}

// forgetAll repeats a statement that deletes old rows until there are none, or it fails.
func (c *Consumer) forgetAll(ctx context.Context, what, statement string) {
	for {
		done, err := c.pool.Exec(ctx, statement, c.name, inboxRetention, forgetBatch)
		if err != nil && ctx.Err() == nil {
			c.log.WarnContext(ctx, "could not delete old "+what+"; trying again later", "error", err)
		}
		if err != nil || done.RowsAffected() < forgetBatch {
			return
		}
	}
}
