package ladder

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Finalize ends the way back. First it renames what the area has left behind, the
// monolith's tables and columns, to …_old, and drops triggers and views; so a reader that
// was forgotten fails while the data are still there. Then it drops them, unless they are
// to be kept.
func (c *Copier) Finalize(ctx context.Context, keep bool) error {
	stands, err := c.stands(ctx)
	if err != nil || stands.Stage == StageFinalized {
		return err
	}
	if stands.Owner != c.area.Name {
		return fmt.Errorf("%s can't be finalized: it is not cut over", c.area.Name)
	}
	if stands.Stage == StageCutOver {
		err := c.brief(ctx, c.unnote, c.underive, c.file("retire"), c.forget, c.entering(c.area.Name, StageFinalizing))
		if err != nil {
			return fmt.Errorf("rename what %s has left behind: %w", c.area.Name, err)
		}
	}
	rest := c.file("finalize")
	if keep {
		rest = func(context.Context, pgx.Tx) error { return nil }
	}
	if err := c.brief(ctx, rest, c.entering(c.area.Name, StageFinalized)); err != nil {
		return fmt.Errorf("finalize %s: %w", c.area.Name, err)
	}
	return nil
}

// Cancel gives a move up before the switch: the triggers, the views and what was copied
// go. The service still may not write, as before the move began.
func (c *Copier) Cancel(ctx context.Context) error {
	stands, err := c.stands(ctx)
	switch {
	case err != nil || stands.Stage == "":
		return err
	case stands.Stage == StageCutOver:
		return fmt.Errorf("%s is its service's by now, and its move can't be cancelled: roll it back", c.area.Name)
	case stands.Owner != Monolith:
		return fmt.Errorf("%s is finalized: there is no way back", c.area.Name)
	}
	err = c.brief(ctx, c.unnote, c.underive, c.empty, c.forget, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `delete from extract.areas where area = $1`, c.area.Name)
		return err
	})
	if err != nil {
		return fmt.Errorf("cancel the move of %s: %w", c.area.Name, err)
	}
	return nil
}

// Validate has PostgreSQL look at the rows of the foreign keys that a rollback has added.
// Writers go on meanwhile.
func (c *Copier) Validate(ctx context.Context) error {
	rows, err := c.conn.Query(ctx, `
		select format('alter table %s validate constraint %I', conrelid::regclass, conname)
		from pg_constraint
		where contype = 'f' and not convalidated and connamespace = $1::regnamespace
		order by 1`, Monolith)
	if err != nil {
		return err
	}
	statements, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, statement := range statements {
		err := c.brief(ctx, func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, statement)
			return err
		})
		if err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// brief runs the parts of a transaction of DDL, which waits for a lock only briefly, and
// is retried.
func (c *Copier) brief(ctx context.Context, parts ...func(context.Context, pgx.Tx) error) error {
	return c.again(ctx, patience, pgx.TxOptions{}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, briefly); err != nil {
			return err
		}
		return c.inTurn(ctx, tx, parts...)
	})
}

// empty removes everything that was copied to the service.
func (c *Copier) empty(ctx context.Context, tx pgx.Tx) error {
	w := c.area.wayForth()
	targets := ""
	for n, name := range w.all() {
		if n > 0 {
			targets += ", "
		}
		targets += w.target(name)
	}
	_, err := tx.Exec(ctx, `truncate `+targets)
	return err
}

// forget removes the area's notes and progress.
func (c *Copier) forget(ctx context.Context, tx pgx.Tx) error {
	for _, table := range []string{"changes", "progress"} {
		if _, err := tx.Exec(ctx, `delete from extract.`+table+` where area = $1`, c.area.Name); err != nil {
			return err
		}
	}
	return nil
}
