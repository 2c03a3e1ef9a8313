package main

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"banyan/internal/postgres"
)

// recorded is what a piece of work sent to the database.
type recorded struct {
	pool  *pgxpool.Pool // whoever uses it is recorded
	trips []trip
	ids   map[uuid.UUID]bool // among the arguments
}

// trip is a round trip: one statement, or a batch.
type trip []statement

type statement struct {
	sql  string
	args []any
}

// record does something once and keeps its statements.
func record(t testing.TB, appURL string, do func(*recorded) error) *recorded {
	t.Helper()
	r := &recorded{}
	config, err := postgres.ParsePoolConfig(appURL)
	require.NoError(t, err)
	config.MaxConns = 1
	config.ConnConfig.Tracer = r
	r.pool, err = pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	defer r.pool.Close()
	require.NoError(t, do(r))
	require.NotEmpty(t, r.trips, "nothing was recorded")
	r.ids = map[uuid.UUID]bool{}
	for _, trip := range r.trips {
		for _, statement := range trip {
			for _, arg := range statement.args {
				if id, is := arg.(uuid.UUID); is {
					r.ids[id] = true
				}
			}
		}
	}
	return r
}

// TraceQueryStart implements pgx.QueryTracer.
func (r *recorded) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	r.trips = append(r.trips, trip{{q.SQL, q.Args}})
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (r *recorded) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart implements pgx.BatchTracer.
func (r *recorded) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	r.trips = append(r.trips, nil)
	return ctx
}

// TraceBatchQuery implements pgx.BatchTracer.
func (r *recorded) TraceBatchQuery(_ context.Context, _ *pgx.Conn, q pgx.TraceBatchQueryData) {
	last := &r.trips[len(r.trips)-1]
	*last = append(*last, statement{q.SQL, q.Args})
}

// TraceBatchEnd implements pgx.BatchTracer.
func (r *recorded) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// substitution is what stands in the place of what was recorded.
type substitution struct {
	ids   map[uuid.UUID]uuid.UUID
	texts map[string]string
}

func (s substitution) apply(arg any) any {
	switch arg := arg.(type) {
	case uuid.UUID:
		if other, found := s.ids[arg]; found {
			return other
		}
	case []uuid.UUID:
		others := slices.Clone(arg)
		for i := range others {
			others[i] = s.apply(others[i]).(uuid.UUID)
		}
		return others
	case string:
		if other, found := s.texts[arg]; found {
			return other
		}
	case pgx.NamedArgs:
		others := maps.Clone(arg)
		for name := range others {
			others[name] = s.apply(others[name])
		}
		return others
	}
	return arg
}

// replay sends the statements again, in the same round trips, and reads the rows.
func (r *recorded) replay(ctx context.Context, q postgres.Querier, to substitution) error {
	for _, trip := range r.trips {
		if len(trip) == 1 {
			rows, err := q.Query(ctx, trip[0].sql, to.all(trip[0].args)...)
			if err != nil {
				return err
			}
			found := false
			for rows.Next() {
				found = true
			}
			if err := rows.Err(); err != nil {
				return err
			}
			if !found {
				return errors.New("a statement that found something when it was recorded finds nothing")
			}
			continue
		}
		var b pgx.Batch
		for _, statement := range trip {
			b.Queue(statement.sql, to.all(statement.args)...)
		}
		if err := postgres.Exec(ctx, q, &b); err != nil {
			return err
		}
	}
	return nil
}

func (s substitution) all(args []any) []any {
	others := make([]any, len(args))
	for i := range args {
		others[i] = s.apply(args[i])
	}
	return others
}
