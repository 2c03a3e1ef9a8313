package ladder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"banyan/internal/postgres"
)

// Refusal says why an area can't change hands now. It is an error.
type Refusal struct {
	Area string   `json:"area"`
	Why  string   `json:"why"`
	Do   string   `json:"do"`   // what to do about it, a sentence
	Rows []string `json:"rows"` // ten at most
	Many int      `json:"many"` // rows
}

// Error says why, names the rows, and says what to do.
func (r *Refusal) Error() string {
	rows := strings.Join(r.Rows, ", ")
	if more := r.Many - len(r.Rows); more > 0 {
		rows += fmt.Sprintf(", and %d more", more)
	}
	return fmt.Sprintf("%s can't change hands now: %s (%s). %s", r.Area, r.Why, rows, r.Do)
}

// settling is how long the shop may take to settle by itself what an open order or an
// event waits for. Before the hold, what is younger is no reason to refuse.
const settling = 5 * time.Second

// CheckCutOver returns an error if the area can't be cut over now: it is not copied, an
// area that leaves earlier is not out of the way, or a Refusal.
func (c *Copier) CheckCutOver(ctx context.Context) error {
	if err := c.copied(ctx); err != nil {
		return err
	}
	return c.refuse(ctx, c.conn, settling)
}

// CheckRollback returns an error if the area can't be rolled back now: it has not been cut
// over, it is finalized, or a Refusal, where going back would not be exact. Before the hold
// it looks only at what had 5 s to settle; Rollback asks again under the locks.
func (c *Copier) CheckRollback(ctx context.Context) error {
	stands, err := c.stands(ctx)
	switch {
	case err != nil:
		return err
	case stands.Stage == StageFinalizing || stands.Stage == StageFinalized:
		return fmt.Errorf("%s is finalized, and can't be rolled back", c.area.Name)
	case stands.Stage != StageCutOver:
		return fmt.Errorf("%s is the monolith's, and can't be rolled back; to give its move up, cancel it", c.area.Name)
	}
	return c.refuse(ctx, c.conn, settling)
}

// copied returns an error unless the area can be cut over as far as its move goes.
func (c *Copier) copied(ctx context.Context) error {
	stands, err := c.stands(ctx)
	if err != nil {
		return err
	}
	if stands.Stage != StageCopied {
		return fmt.Errorf("%s is not copied yet", c.area.Name)
	}
	open, err := c.unfinished(ctx, c.conn)
	if err != nil {
		return err
	}
	if len(open) > 0 {
		return fmt.Errorf("what %s derives (%s) is not derived again since the rollback: run its backfill",
			c.area.Name, c.way.target(open[0].tables[len(open[0].tables)-1].name))
	}
	all, err := standings(ctx, c.conn)
	if err != nil {
		return err
	}
	if area, ok := inTheWayOf(c.area, all); !ok {
		return fmt.Errorf("%s can't be cut over before %s is finalized", c.area.Name, area)
	}
	return nil
}

// inTheWayOf finds an area that leaves earlier and is not finalized.
func inTheWayOf(a Area, all map[string]standing) (area string, ok bool) {
	for _, before := range Areas {
		if before.Step < a.Step && all[before.Name].Stage != StageFinalized {
			return before.Name, false
		}
	}
	return "", true
}

// refusals is refuse under the locks, where nothing settles any more.
func (c *Copier) refusals(ctx context.Context, tx pgx.Tx) error { return c.refuse(ctx, tx, 0) }

// refuse returns the Refusals of the area, in its direction.
func (c *Copier) refuse(ctx context.Context, q postgres.Querier, older time.Duration) error {
	file := "refuse-cutover"
	var all []error
	if c.way.to == Monolith {
		file = "refuse-rollback"
		letters, err := c.refusedBy(ctx, q, `
			select 'an event that `+c.area.Name+` could not handle waits to be replayed' as why,
			  'Replay it, and try again.' as "do",
			  type || ' ' || event_id as row
			from `+c.area.Name+`.dead_letters
			where replayed_at is null
			order by died_at`)
		if err != nil {
			return err
		}
		all = append(all, letters...)
	}
	text, err := c.area.sql(file)
	if errors.Is(err, fs.ErrNotExist) {
		return errors.Join(all...)
	}
	if err != nil {
		return err
	}
	more, err := c.refusedBy(ctx, q, text, older)
	if err != nil {
		return fmt.Errorf("%s/%s.sql: %w", c.area.folder(), file, err)
	}
	return errors.Join(append(all, more...)...)
}

// refusedBy makes a Refusal of each reason that a query gives.
func (c *Copier) refusedBy(ctx context.Context, q postgres.Querier, query string, args ...any) ([]error, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	var all []error
	byReason := map[string]*Refusal{}
	var why, do, row string
	_, err = pgx.ForEachRow(rows, []any{&why, &do, &row}, func() error {
		r := byReason[why]
		if r == nil {
			r = &Refusal{Area: c.area.Name, Why: why, Do: do}
			byReason[why] = r
			all = append(all, r)
		}
		r.Many++
		if len(r.Rows) < Samples {
			r.Rows = append(r.Rows, row)
		}
		return nil
	})
	return all, err
}
