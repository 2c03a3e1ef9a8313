package ladder

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"banyan/internal/postgres"
)

// RangeSize is how many aggregates a range of the backfill has, unless the caller says
// otherwise. A range is one transaction, and a customer's vacuum waits for none longer.
const RangeSize = 5000

// Progress is how far the backfill of one root has come.
type Progress struct {
	Area, Root    string
	Copied, Total int64 // aggregates; Total is what there was at the beginning
	Rows          int64 // written by the last range
	Done          bool
}

// Backfill copies everything, in ranges of so many aggregates in the order of their keys.
// After each range it calls after, which may wait or measure; its error stops the backfill.
// A backfill that was stopped goes on where it was, for until then changes were noted.
// Between two ranges it catches up, so the notes stay few however long it takes.
func (c *Copier) Backfill(ctx context.Context, size int, after func(Progress) error) error {
	stands, err := c.stands(ctx)
	switch {
	case err != nil:
		return err
	case stands.Stage == "":
		return fmt.Errorf("%s is not noted yet: what changes behind the backfill would be lost", c.area.Name)
	case stands.Stage != stageNoted:
		return nil
	}
	for _, r := range c.area.roots {
		for {
			p, err := c.copyRange(ctx, r, size)
			if err != nil {
				return fmt.Errorf("copy %s: %w", c.area.target(r.tables[0].name), err)
			}
			if err := after(p); err != nil {
				return err
			}
			if _, err := c.CatchUp(ctx); err != nil {
				return err
			}
			if p.Done {
				break
			}
		}
	}
	return c.endBackfill(ctx)
}

// endBackfill copies what is settled, and has the planner look at what it has to deal
// with from now on.
func (c *Copier) endBackfill(ctx context.Context) error {
	return c.again(ctx, patience, pgx.TxOptions{}, func(tx pgx.Tx) error {
		for _, s := range c.area.settled {
			if err := c.copySettled(ctx, tx, s.name, s.when); err != nil {
				return err
			}
		}
		var targets []string
		for _, name := range c.area.all() {
			targets = append(targets, c.area.target(name))
		}
		if _, err := tx.Exec(ctx, `analyze `+strings.Join(targets, ", ")); err != nil {
			return err
		}
		return c.enter(ctx, tx, Monolith, stageCopied)
	})
}

// copyRange copies the next range of a root. A range may meet a constraint of the target:
// an order was copied as pending, has been paid since, and this range has its customer's
// next one, of which only one may be pending. Then what was noted comes first.
func (c *Copier) copyRange(ctx context.Context, r root, size int) (p Progress, err error) {
	for try := 1; ; try++ {
		err = c.again(ctx, patience, repeatable, func(tx pgx.Tx) (err error) {
			p, err = c.nextRange(ctx, tx, r, size)
			return err
		})
		var e *pgconn.PgError
		if try == 10 || !postgres.UniqueViolation(err, "") && !postgres.ForeignKeyViolation(err, "") || !errors.As(err, &e) {
			return p, err
		}
		if _, err := c.CatchUp(ctx); err != nil {
			return p, err
		}
	}
}

func (c *Copier) nextRange(ctx context.Context, tx pgx.Tx, r root, size int) (Progress, error) {
	p := Progress{Area: c.area.Name, Root: r.name}
	view, key := c.area.view(r.tables[0].name), r.tables[0].key
	var reached string
	err := tx.QueryRow(ctx, `
		select coalesce(upto, ''), copied, total, done
		from extract.progress
		where area = $1 and root = $2`, c.area.Name, r.name).Scan(&reached, &p.Copied, &p.Total, &p.Done)
	if errors.Is(err, pgx.ErrNoRows) {
		err = tx.QueryRow(ctx, `select count(*) from `+view).Scan(&p.Total)
	}
	if err != nil || p.Done {
		return p, err
	}
	upto, count, err := c.boundary(ctx, tx, r, view, key, reached, size)
	if err != nil {
		return p, err
	}
	p.Copied, p.Done = p.Copied+count, upto == ""
	// The last range has no end, so that it also removes what the target has beyond it.
	if p.Rows, err = c.replace(ctx, tx, map[string]keys{r.name: r.between(reached, upto)}); err != nil {
		return p, err
	}
	_, err = tx.Exec(ctx, `
		insert into extract.progress (area, root, upto, copied, total, done)
		values ($1, $2, nullif($3, ''), $4, $5, $6)
		on conflict (area, root) do update
		set upto = excluded.upto, copied = excluded.copied, done = excluded.done`,
		c.area.Name, r.name, upto, p.Copied, p.Total, p.Done)
	return p, err
}

// boundary finds the last key of the next range, and how many keys it has. No key means
// that the range is the last one.
func (c *Copier) boundary(ctx context.Context, q postgres.Querier, r root, view, key, after string, size int) (upto string, count int64, err error) {
	k := r.between(after, "")
	err = q.QueryRow(ctx, fmt.Sprintf(`
		with next as materialized (
		  select %[1]s as key
		  from %[2]s
		  where %[3]s
		  order by %[1]s
		  limit %[4]d
		)
		select coalesce((select key::text from next order by key offset %[4]d - 1), ''), (select count(*) from next)`,
		key, view, k.on(key), size), k.args...).Scan(&upto, &count)
	return upto, count, err
}

// copySettled copies the rows that will not change any more, and removes those that are
// gone. It compares what there is: the ids of rows say nothing about the order in which
// they were committed, so no highest one could be remembered.
func (c *Copier) copySettled(ctx context.Context, tx pgx.Tx, name, when string) error {
	s, err := c.shape(ctx, tx, name)
	if err != nil {
		return err
	}
	for _, statement := range []string{`
		delete from ` + c.area.target(name) + ` t
		where not exists (
		  select from ` + c.area.view(name) + ` v
		  where ` + matching(s.key) + `)`, `
		insert into ` + c.area.target(name) + ` (` + list("", s.columns) + `)
		select ` + list("v.", s.columns) + `
		from ` + c.area.view(name) + ` v
		where ` + when + `
		  and not exists (
		    select from ` + c.area.target(name) + ` t
		    where ` + matching(s.key) + `)`,
	} {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return fmt.Errorf("copy %s: %w", c.area.target(name), err)
		}
	}
	return nil
}
