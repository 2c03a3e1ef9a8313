package ladder

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrDrift says that an area can't be handed over, since its rows are not equal.
var ErrDrift = errors.New("the two sides are not equal")

// CutOver hands the area over to its service, in one transaction that ends within the time
// given. The trunk and the service have ended, and the locks wait for what a killed one may
// still commit. Then the last notes are copied, what was touched is compared, the triggers
// turn round, and the right to write moves, and with it the ownership. If anything fails,
// nothing has happened.
func (c *Copier) CutOver(ctx context.Context, within time.Duration) error {
	stands, err := c.stands(ctx)
	if err != nil || stands.Owner == c.area.Name {
		return err
	}
	if err := c.CheckCutOver(ctx); err != nil {
		return err
	}
	return c.cutOver(ctx, within, c.refusals)
}

// cutOver is CutOver after its checks. It asks refused again under the locks.
func (c *Copier) cutOver(ctx context.Context, within time.Duration, refused func(context.Context, pgx.Tx) error) error {
	err := c.inTime(ctx, within, func(ctx context.Context, tx pgx.Tx) error {
		if err := c.lastRows(ctx, tx, refused); err != nil {
			return err
		}
		return c.inTurn(ctx, tx, c.unnote, c.file("note-back"), c.file("cutover"), c.entering(c.area.Name, StageCutOver))
	})
	if err != nil {
		return fmt.Errorf("cut %s over: %w", c.area.Name, err)
	}
	c.way = c.area.wayBack()
	return nil
}

// Rollback gives the area back to the monolith: CutOver in the other direction. The
// triggers of the way forth are on again, so CutOver needs no copy of what the service
// owned. What events have kept is derived again by the next Backfill. Foreign keys come
// back unvalidated; Validate makes up for it.
func (c *Copier) Rollback(ctx context.Context, within time.Duration) error {
	stands, err := c.stands(ctx)
	if err != nil || stands.Owner == Monolith {
		return err
	}
	if err := c.CheckRollback(ctx); err != nil {
		return err
	}
	err = c.inTime(ctx, within, func(ctx context.Context, tx pgx.Tx) error {
		if err := c.lastRows(ctx, tx, c.refusals); err != nil {
			return err
		}
		// What the rollback translates is noted for the way forth.
		return c.inTurn(ctx, tx, c.unnote, c.file("note"), c.file("rollback"), c.deriveAgain, c.entering(Monolith, StageCopied))
	})
	if err != nil {
		return fmt.Errorf("roll %s back: %w", c.area.Name, err)
	}
	c.way = c.area.wayForth()
	return nil
}

// inTime runs do in a transaction that ends within the time given.
func (c *Copier) inTime(ctx context.Context, within time.Duration, do func(context.Context, pgx.Tx) error) error {
	ends := time.Now().Add(within)
	ctx, cancel := context.WithDeadline(ctx, ends)
	defer cancel()
	return c.again(ctx, within, pgx.TxOptions{}, func(tx pgx.Tx) error {
		left := max(time.Until(ends), time.Millisecond).Milliseconds()
		limits := fmt.Sprintf(`
			set local lock_timeout = %d;
			set local statement_timeout = %[1]d`, left)
		if _, err := tx.Exec(ctx, limits, pgx.QueryExecModeSimpleProtocol); err != nil {
			return err
		}
		return do(ctx, tx)
	})
}

// lastRows locks both sides and copies what is noted, and what is settled.
func (c *Copier) lastRows(ctx context.Context, tx pgx.Tx, refused func(context.Context, pgx.Tx) error) error {
	if err := c.run(ctx, tx, "lock"); err != nil {
		return err
	}
	if err := refused(ctx, tx); err != nil {
		return err
	}
	for {
		taken, touched, err := c.round(ctx, tx)
		if err != nil {
			return err
		}
		if taken == 0 {
			break
		}
		if err := c.compareTouched(ctx, tx, touched); err != nil {
			return err
		}
	}
	for _, s := range c.way.settled { // the unanswered keys, too: they are of processes that have ended
		if err := c.copySettled(ctx, tx, s, "true"); err != nil {
			return err
		}
		if err := c.compareUnder(ctx, tx, part{table: s.name, settled: "true", of: s.of}); err != nil {
			return err
		}
	}
	return nil
}

// compareTouched returns ErrDrift if aggregates that were just copied are not equal. There
// is no time under the locks to compare the others again.
func (c *Copier) compareTouched(ctx context.Context, tx pgx.Tx, touched map[string]keys) error {
	for _, r := range c.way.roots {
		k, some := touched[r.name]
		if !some {
			continue
		}
		for _, t := range r.tables {
			if err := c.compareUnder(ctx, tx, part{table: t.name, root: &r, key: t.key, keys: k}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Copier) compareUnder(ctx context.Context, tx pgx.Tx, p part) error {
	both, err := c.sums(ctx, tx, p)
	if err == nil && !both.equal() {
		err = fmt.Errorf("%s: %w", c.way.target(p.table), ErrDrift)
	}
	return err
}

// deriveAgain forgets the progress of what events have kept since the switch.
func (c *Copier) deriveAgain(ctx context.Context, tx pgx.Tx) error {
	for _, r := range c.area.wayForth().roots {
		if !r.derived() {
			continue
		}
		if _, err := tx.Exec(ctx, `delete from extract.progress where area = $1 and root = $2`, c.area.Name, r.name); err != nil {
			return err
		}
	}
	return nil
}

// inTurn runs the parts of a transaction.
func (c *Copier) inTurn(ctx context.Context, tx pgx.Tx, parts ...func(context.Context, pgx.Tx) error) error {
	for _, do := range parts {
		if err := do(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

func (c *Copier) file(name string) func(context.Context, pgx.Tx) error {
	return func(ctx context.Context, tx pgx.Tx) error { return c.run(ctx, tx, name) }
}

func (c *Copier) entering(owner, stage string) func(context.Context, pgx.Tx) error {
	return func(ctx context.Context, tx pgx.Tx) error { return c.enter(ctx, tx, owner, stage) }
}
