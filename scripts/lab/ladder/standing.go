package ladder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"banyan/internal/postgres"
)

// ErrChanged says that data were moved by other SQL than today's.
var ErrChanged = errors.New("the extraction's SQL has changed since it moved these data; start again from fresh data")

// The stages of a move. An area without one has not begun to leave.
const (
	StageNoted      = "noted"      // changes are noted, and the backfill is on its way
	StageCopied     = "copied"     // the service has everything, or had it before a rollback
	StageCutOver    = "cut over"   // the service is the owner; there is a way back
	StageFinalizing = "finalizing" // what is left behind has another name
	StageFinalized  = "finalized"  // and is dropped, or kept under that name
)

// standing is what extract.areas says of one area.
type standing struct {
	Owner, Stage, Checksum string
	Since                  time.Time
}

// Standing is the step at which the data of a database stand: the last one whose area
// belongs to its service. Data that nothing has moved stand at 0; there is no difference
// between the data of steps 0 and 1. It returns ErrChanged, which names the area, if
// today's SQL would have moved the data otherwise.
func Standing(ctx context.Context, databaseURL string) (int, error) {
	conn, err := postgres.Connect(ctx, databaseURL)
	if err != nil {
		return 0, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return step(ctx, conn)
}

func step(ctx context.Context, q postgres.Querier) (int, error) {
	all, err := standings(ctx, q)
	if err != nil {
		return 0, fmt.Errorf("ask where the areas stand: %w", err)
	}
	at := 0
	for _, area := range Areas {
		stands, begun := all[area.Name]
		if !begun {
			continue
		}
		if err := area.check(stands); err != nil {
			return 0, err
		}
		if stands.Owner == area.Name {
			at = area.Step
		}
	}
	return at, nil
}

// check returns ErrChanged if the area's SQL is not the one that its move began with.
func (a Area) check(stands standing) error {
	today, err := a.checksum()
	if err != nil {
		return err
	}
	if stands.Checksum != today {
		return fmt.Errorf("step %d, %s: %w", a.Step, a.Name, ErrChanged)
	}
	return nil
}

// standings has a row for each area whose move has begun.
func standings(ctx context.Context, q postgres.Querier) (map[string]standing, error) {
	var there bool
	if err := q.QueryRow(ctx, `select to_regnamespace('extract') is not null`).Scan(&there); err != nil || !there {
		return nil, err
	}
	rows, err := q.Query(ctx, `select area, owner, stage, checksum, since from extract.areas`)
	if err != nil {
		return nil, err
	}
	all := map[string]standing{}
	var area string
	var stands standing
	_, err = pgx.ForEachRow(rows, []any{&area, &stands.Owner, &stands.Stage, &stands.Checksum, &stands.Since}, func() error {
		all[area] = stands
		return nil
	})
	return all, err
}

// Standing is who owns the area and at which stage its move is; no stage: it has not begun. It returns [ErrChanged] if
// today's SQL is not the one that the move began with.
func (c *Copier) Standing(ctx context.Context) (owner, stage string, err error) {
	stands, err := c.stands(ctx)
	return cmp.Or(stands.Owner, Monolith), stands.Stage, err
}
