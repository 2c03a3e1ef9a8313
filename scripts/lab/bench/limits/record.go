package limits

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"banyan/internal/postgres"
)

// recorded is what a piece of the monolith's work sent to the database. Nothing of its SQL is written down in this
// package, so that what is compared stays the same when the modules change.
type recorded struct {
	pool  *pgxpool.Pool // whoever uses it is recorded
	trips [][]statement // each a round trip: one statement, or a batch
	ids   map[uuid.UUID]bool
}

type statement struct {
	sql  string
	args []any
}

// record does something once and keeps its statements.
func record(ctx context.Context, appURL string, do func(*recorded) error) (*recorded, error) {
	r := &recorded{ids: map[uuid.UUID]bool{}}
	config, err := postgres.ParsePoolConfig(appURL)
	if err != nil {
		return nil, errors.New("the database's URL can't be read") // the error might show the password
	}
	config.MaxConns = 1
	config.ConnConfig.Tracer = r
	if r.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, err
	}
	defer r.pool.Close()
	if err := do(r); err != nil {
		return nil, err
	}
	if len(r.trips) == 0 {
		return nil, errors.New("nothing was sent to the database")
	}
	for _, trip := range r.trips {
		for i := range trip {
			if err := trip[i].positional(ctx); err != nil {
				return nil, err
			}
			for _, arg := range trip[i].args {
				switch arg := arg.(type) {
				case uuid.UUID:
					r.ids[arg] = true
				case []uuid.UUID:
					for _, id := range arg {
						r.ids[id] = true
					}
				}
			}
		}
	}
	return r, nil
}

// positional turns named arguments into $1, $2, …, as pgx does before it sends them.
func (s *statement) positional(ctx context.Context) error {
	s.args = slices.DeleteFunc(slices.Clone(s.args), func(arg any) bool {
		switch arg.(type) {
		case pgx.QueryExecMode, pgx.QueryResultFormats, pgx.QueryResultFormatsByOID:
			return true // these are for the driver
		}
		return false
	})
	if len(s.args) == 0 {
		return nil
	}
	rewriter, named := s.args[0].(pgx.QueryRewriter)
	if !named {
		return nil
	}
	var err error
	s.sql, s.args, err = rewriter.RewriteQuery(ctx, nil, s.sql, s.args[1:])
	return err
}

// TraceQueryStart implements pgx.QueryTracer.
func (r *recorded) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	r.trips = append(r.trips, []statement{{q.SQL, q.Args}})
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
	}
	return arg
}

// fresh is a substitution with a new id for each that was recorded, but for those that are given.
func (r *recorded) fresh(given map[uuid.UUID]uuid.UUID, texts map[string]string) substitution {
	to := substitution{ids: make(map[uuid.UUID]uuid.UUID, len(r.ids)), texts: texts}
	for id := range r.ids {
		to.ids[id] = uuid.Must(uuid.NewV7())
	}
	maps.Copy(to.ids, given)
	return to
}
