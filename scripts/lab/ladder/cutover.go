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

// CutOver hands the area over, in one transaction that ends within the time given. The
// trunk and the service have ended, and the locks wait for what a killed one may still
// commit. Then the last notes are copied, what was touched is compared, and the right to
// write moves, and with it the ownership. If anything fails, nothing has happened.
func (c *Copier) CutOver(ctx context.Context, within time.Duration) error {
	stands, err := c.stands(ctx)
	if err != nil || stands.Owner == c.area.Name {
		return err
	}
	if stands.Stage != stageCopied {
		return fmt.Errorf("%s is not copied yet", c.area.Name)
	}
	if err := c.before(ctx); err != nil {
		return err
	}
	ends := time.Now().Add(within)
	ctx, cancel := context.WithDeadline(ctx, ends)
	defer cancel()
	err = c.again(ctx, within, pgx.TxOptions{}, func(tx pgx.Tx) error {
		left := max(time.Until(ends), time.Millisecond).Milliseconds()
		limits := fmt.Sprintf(`
			set local lock_timeout = %d;
			set local statement_timeout = %[1]d`, left)
		if _, err := tx.Exec(ctx, limits, pgx.QueryExecModeSimpleProtocol); err != nil {
			return err
		}
		return c.handOver(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("cut %s over: %w", c.area.Name, err)
	}
	return nil
}

// before returns an error if an area that leaves earlier is not yet out of the way.
func (c *Copier) before(ctx context.Context) error {
	all, err := standings(ctx, c.conn)
	if err != nil {
		return err
	}
	for _, area := range Areas {
		if area.Step < c.area.Step && all[area.Name].Stage != stageFinalized {
			return fmt.Errorf("%s can't be cut over before %s is finalized", c.area.Name, area.Name)
		}
	}
	return nil
}

func (c *Copier) handOver(ctx context.Context, tx pgx.Tx) error {
	if err := c.run(ctx, tx, "lock"); err != nil {
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
	for _, s := range c.area.settled { // the unanswered keys, too: they are of processes that have ended
		if err := c.copySettled(ctx, tx, s.name, "true"); err != nil {
			return err
		}
		_, equal, err := c.equal(ctx, tx, part{table: s.name, settled: "true"})
		if err != nil {
			return err
		}
		if !equal {
			return fmt.Errorf("%s: %w", c.area.target(s.name), ErrDrift)
		}
	}
	if err := c.run(ctx, tx, "cutover"); err != nil {
		return err
	}
	if err := c.unnote(ctx, tx); err != nil {
		return err
	}
	return c.enter(ctx, tx, c.area.Name, stageCutOver)
}

// compareTouched returns ErrDrift if aggregates that were just copied are not equal. There
// is no time under the locks to compare the others again.
func (c *Copier) compareTouched(ctx context.Context, tx pgx.Tx, touched map[string]keys) error {
	for _, r := range c.area.roots {
		k, some := touched[r.name]
		if !some {
			continue
		}
		for _, t := range r.tables {
			_, equal, err := c.equal(ctx, tx, part{table: t.name, root: &r, key: t.key, keys: k})
			if err != nil {
				return err
			}
			if !equal {
				return fmt.Errorf("%s: %w", c.area.target(t.name), ErrDrift)
			}
		}
	}
	return nil
}

// Finalize drops what the area has left behind: the monolith's tables and columns, the
// views, and the notes. There is no way back after it.
func (c *Copier) Finalize(ctx context.Context) error {
	stands, err := c.stands(ctx)
	if err != nil || stands.Stage == stageFinalized {
		return err
	}
	if stands.Owner != c.area.Name {
		return fmt.Errorf("%s can't be finalized: it is not cut over", c.area.Name)
	}
	err = c.again(ctx, patience, pgx.TxOptions{}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, briefly); err != nil {
			return err
		}
		for _, drop := range []func(context.Context, pgx.Tx) error{c.unnote, c.underive} {
			if err := drop(ctx, tx); err != nil {
				return err
			}
		}
		if err := c.run(ctx, tx, "finalize"); err != nil {
			return err
		}
		for _, table := range []string{"changes", "progress"} {
			if _, err := tx.Exec(ctx, `delete from extract.`+table+` where area = $1`, c.area.Name); err != nil {
				return err
			}
		}
		return c.enter(ctx, tx, c.area.Name, stageFinalized)
	})
	if err != nil {
		return fmt.Errorf("finalize %s: %w", c.area.Name, err)
	}
	return nil
}
