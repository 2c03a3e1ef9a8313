package ladder

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

const (
	roundSize = 1000 // notes that one transaction deals with
	fewNotes  = 100  // a round that had fewer is as near as one comes to a shop that goes on selling
)

// CatchUp copies again what was noted, round by round, until a round has few notes, and
// returns how many notes it dealt with. During the backfill it takes only the roots that
// the backfill has come to: a session can't come before its account.
func (c *Copier) CatchUp(ctx context.Context) (notes int, err error) {
	if err := c.moving(ctx); err != nil {
		return 0, err
	}
	for {
		var taken int
		err := c.again(ctx, patience, repeatable, func(tx pgx.Tx) (err error) {
			taken, _, err = c.round(ctx, tx)
			return err
		})
		if err != nil {
			return notes, fmt.Errorf("catch up with %s: %w", c.area.Name, err)
		}
		notes += taken
		if taken < fewNotes {
			return notes, nil
		}
	}
}

// round takes the oldest notes and derives their aggregates again, in one transaction:
// a note is gone when its change is copied. A change that comes later has a note of its own.
//
// The oldest come first, so that what made room for a row comes before that row, or with it.
// It returns how many notes there were, and the aggregates, by root.
func (c *Copier) round(ctx context.Context, tx pgx.Tx) (int, map[string]keys, error) {
	rows, err := tx.Query(ctx, `
		with oldest as materialized (
		  select n.id
		  from extract.changes n
		  join extract.progress p on p.area = n.area and p.root = n.root
		  where n.area = $1 and n.root = any($2)
		  order by n.id
		  limit $3
		), taken as (
		  delete from extract.changes
		  where id in (select id from oldest)
		  returning root, key
		)
		select root, array_agg(distinct key), count(*)
		from taken
		group by root`, c.area.Name, c.way.rootNames(), roundSize)
	if err != nil {
		return 0, nil, err
	}
	noted := map[string][]string{}
	total := 0
	var name string
	var list []string
	var count int
	if _, err := pgx.ForEachRow(rows, []any{&name, &list, &count}, func() error {
		noted[name] = list
		list = nil
		total += count
		return nil
	}); err != nil || total == 0 {
		return 0, nil, err
	}
	some := map[string]keys{}
	for _, r := range c.way.roots {
		if list, ok := noted[r.name]; ok {
			some[r.name] = r.these(list)
		}
	}
	_, err = c.replace(ctx, tx, some)
	return total, some, err
}

// Lag is how many notes wait to be copied.
func (c *Copier) Lag(ctx context.Context) (notes int, err error) {
	if err := c.moving(ctx); err != nil {
		return 0, err
	}
	err = c.conn.QueryRow(ctx, `
		select count(*)
		from extract.changes
		where area = $1 and root = any($2)`, c.area.Name, c.way.rootNames()).Scan(&notes)
	return notes, err
}
