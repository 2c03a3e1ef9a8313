package ladder

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"banyan/internal/postgres"
)

// RangeSize is how many aggregates a range of the backfill has, unless the caller says
// otherwise. A range is one transaction, and a customer's vacuum waits for none longer.
const RangeSize = 5000

// Progress is how far the backfill of one root has come.
type Progress struct {
	Area   string `json:"area"`
	Root   string `json:"root"`
	Copied int64  `json:"copied"` // aggregates
	Total  int64  `json:"total"`  // aggregates there were at the beginning
	Rows   int64  `json:"rows"`   // written by the last range
	Done   bool   `json:"done"`
}

// Backfill copies everything, in ranges of so many aggregates in the order of their keys.
// After each range it calls after, which may measure, and may block: then the copier rests,
// and the triggers go on noting. Its error stops the backfill.
// A backfill that was stopped goes on where it was, for until then changes were noted.
// Between two ranges it catches up, so the notes stay few however long it takes.
//
// After a rollback it derives again what events kept while the service was the owner.
// What the service owned is copied, and is left alone.
func (c *Copier) Backfill(ctx context.Context, size int, after func(Progress) error) error {
	stands, err := c.stands(ctx)
	switch {
	case err != nil:
		return err
	case stands.Stage == "":
		return fmt.Errorf("%s is not noted yet: what changes behind the backfill would be lost", c.area.Name)
	case stands.Owner != Monolith:
		return nil
	}
	open, err := c.unfinished(ctx, c.conn)
	if err != nil || stands.Stage == StageCopied && len(open) == 0 {
		return err
	}
	for _, r := range open {
		for {
			p, err := c.copyRange(ctx, r, size)
			if err != nil {
				return fmt.Errorf("copy %s: %w", c.way.target(r.tables[0].name), err)
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

// unfinished are the roots of which not all is copied. After a rollback these are the
// roots that are derived.
func (c *Copier) unfinished(ctx context.Context, q postgres.Querier) ([]root, error) {
	rows, err := q.Query(ctx, `select root from extract.progress where area = $1 and done`, c.area.Name)
	if err != nil {
		return nil, err
	}
	done, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return slices.DeleteFunc(slices.Clone(c.way.roots), func(r root) bool { return slices.Contains(done, r.name) }), err
}

// endBackfill copies what is settled, and has the planner look at what it has to deal
// with from now on.
func (c *Copier) endBackfill(ctx context.Context) error {
	return c.unhindered(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		for _, s := range c.way.settled {
			if err := c.copySettled(ctx, tx, s, s.when); err != nil {
				return err
			}
		}
		var targets []string
		for _, name := range c.way.all() {
			targets = append(targets, c.way.target(name))
		}
		if _, err := tx.Exec(ctx, `analyze `+strings.Join(targets, ", ")); err != nil {
			return err
		}
		return c.enter(ctx, tx, Monolith, StageCopied)
	})
}

func (c *Copier) copyRange(ctx context.Context, r root, size int) (p Progress, err error) {
	err = c.unhindered(ctx, repeatable, func(tx pgx.Tx) (err error) {
		p, err = c.nextRange(ctx, tx, r, size)
		return err
	})
	return p, err
}

// unhindered is again for a transaction that may meet a constraint of the target: an order
// was copied as pending, has been paid since, and this range has its customer's next one,
// of which only one may be pending. Then what was noted comes first.
func (c *Copier) unhindered(ctx context.Context, options pgx.TxOptions, do func(pgx.Tx) error) error {
	for try := 1; ; try++ {
		err := c.again(ctx, patience, options, do)
		if try == 10 || !postgres.UniqueViolation(err, "") && !postgres.ForeignKeyViolation(err, "") {
			return err
		}
		if _, err := c.CatchUp(ctx); err != nil {
			return err
		}
	}
}

func (c *Copier) nextRange(ctx context.Context, tx pgx.Tx, r root, size int) (Progress, error) {
	p := Progress{Area: c.area.Name, Root: r.name}
	view, key := c.way.view(r.tables[0].name), r.tables[0].key
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
func (c *Copier) copySettled(ctx context.Context, tx pgx.Tx, settled settled, when string) error {
	s, err := c.shape(ctx, tx, settled.name)
	if err != nil {
		return err
	}
	target, view := c.way.target(settled.name), c.way.view(settled.name)
	for _, statement := range []string{`
		delete from ` + target + ` t
		where ` + settled.of + `
		  and not exists (
		    select from ` + view + ` v
		    where ` + matching(s.key) + `)`, `
		insert into ` + target + ` (` + list("", s.columns) + `)
		select ` + list("v.", s.columns) + `
		from ` + view + ` v
		where ` + when + `
		  and not exists (
		    select from ` + target + ` t
		    where ` + matching(s.key) + `)`,
	} {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return fmt.Errorf("copy %s: %w", target, err)
		}
	}
	return nil
}
