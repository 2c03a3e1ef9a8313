package events

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"banyan/internal/postgres"
	"banyan/internal/telemetry"
)

const insertOutbox = `insert into outbox (id, type, data, trace) values ($1, $2, $3, $4)`

// Emit writes an event into the outbox, in the caller's transaction: it happens
// if that commits, and not otherwise. Its data is encoded by encoding/json. Call
// [Relay.Wake] after the commit, or the event waits for the next poll.
func Emit(ctx context.Context, q postgres.Querier, typ string, data any) error {
	if _, err := q.Exec(ctx, insertOutbox, outboxRow(ctx, typ, data)...); err != nil {
		return fmt.Errorf("emit %s: %w", typ, err)
	}
	return nil
}

// Queue does what [Emit] does, as a statement on the caller's batch. Data that
// cannot be encoded is an error of the batch, nothing of which is kept then.
func Queue(ctx context.Context, b *pgx.Batch, typ string, data any) {
	b.Queue(insertOutbox, outboxRow(ctx, typ, data)...)
}

func outboxRow(ctx context.Context, typ string, data any) []any {
	// The trace is stored, since the relay that publishes the row works for
	// everybody: without it the trace would end here.
	//
	// pgx encodes a uuid.UUID by way of its text, which costs 4 µs; bytes cost none.
	return []any{[16]byte(uuid.Must(uuid.NewV7())), typ, encoded{data}, telemetry.Traceparent(ctx)}
}

// encoded makes pgx encode any value as JSON. On its own, pgx takes a string or
// a []byte to be JSON text already.
type encoded struct{ data any }

func (e encoded) MarshalJSON() ([]byte, error) { return json.Marshal(e.data) }
