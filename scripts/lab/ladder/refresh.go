package ladder

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"banyan/internal/postgres"
)

// keys are some of a root's aggregates: a condition on the column of the key, for which
// %s stands, and its arguments.
type keys struct {
	condition string
	args      []any
}

// these are the aggregates with these keys.
func (r root) these(list []string) keys {
	return keys{`%s = any($1::text[]::` + r.keyType + `[])`, []any{list}}
}

// between are the aggregates whose keys come after one key, up to another. An empty key
// is no bound.
func (r root) between(after, upto string) keys {
	var bounds []string
	var k keys
	for _, bound := range []struct{ operator, key string }{{">", after}, {"<=", upto}} {
		if bound.key != "" {
			k.args = append(k.args, bound.key)
			bounds = append(bounds, fmt.Sprintf("%%[1]s %s $%d::text::%s", bound.operator, len(k.args), r.keyType))
		}
	}
	if bounds == nil {
		bounds = []string{"%[1]s is not null"}
	}
	k.condition = strings.Join(bounds, " and ")
	return k
}

func (k keys) on(column string) string { return fmt.Sprintf(k.condition, column) }

// shape is what the database knows of a table that a view fills.
type shape struct {
	columns  []string // of the view: the target may have more, which get their defaults
	compared []string // the same, as they are compared
	key      []string // the target's primary key
}

func (c *Copier) shape(ctx context.Context, q postgres.Querier, table string) (shape, error) {
	if s, known := c.shapes[c.way.target(table)]; known {
		return s, nil
	}
	var s shape
	err := q.QueryRow(ctx, `
		select
		  array(
		    select quote_ident(attname)
		    from pg_attribute
		    where attrelid = $1::regclass and attnum > 0
		    order by attnum),
		  array( -- the hash of an empty JSON object is 0, as that of null
		    select format(case atttypid when 'jsonb'::regtype then '%1$I::text as %1$I' else '%1$I' end, attname)
		    from pg_attribute
		    where attrelid = $1::regclass and attnum > 0
		    order by attnum),
		  array(
		    select quote_ident(a.attname)
		    from pg_index i
		    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
		    where i.indrelid = $2::regclass and i.indisprimary
		    order by a.attnum)`,
		c.way.view(table), c.way.target(table)).Scan(&s.columns, &s.compared, &s.key)
	if err != nil {
		return shape{}, fmt.Errorf("read the columns of %s: %w", c.way.target(table), err)
	}
	c.shapes[c.way.target(table)] = s
	return s, nil
}

// Refresh derives some aggregates again, whatever the notes say. It is also the repair
// of what Verify finds.
func (c *Copier) Refresh(ctx context.Context, rootName string, list []string) error {
	if err := c.moving(ctx); err != nil {
		return err
	}
	at := slices.IndexFunc(c.way.roots, func(r root) bool { return r.name == rootName })
	if at < 0 {
		return fmt.Errorf("%s has no root %q", c.area.Name, rootName)
	}
	r := c.way.roots[at]
	err := c.again(ctx, patience, repeatable, func(tx pgx.Tx) error {
		_, err := c.replace(ctx, tx, map[string]keys{r.name: r.these(list)})
		return err
	})
	if err != nil {
		return fmt.Errorf("refresh %d %s keys: %w", len(list), rootName, err)
	}
	return nil
}

// repeatable is the isolation of a refresh: all its statements derive from one snapshot.
var repeatable = pgx.TxOptions{IsoLevel: pgx.RepeatableRead}

// replace makes aggregates what the views say they are, and returns how many rows it wrote.
// An aggregate that a view does not have goes.
//
// Rows go children first, and come parents first. What is there is brought up to date
// before what is missing comes: an order that has been paid makes room for its customer's
// next one, of which only one may be pending.
func (c *Copier) replace(ctx context.Context, tx pgx.Tx, some map[string]keys) (rows int64, err error) {
	for _, r := range slices.Backward(c.way.roots) {
		k, chosen := some[r.name]
		if !chosen {
			continue
		}
		for _, t := range slices.Backward(r.tables) {
			if err := c.removeRows(ctx, tx, t, k); err != nil {
				return 0, err
			}
		}
	}
	for _, r := range c.way.roots {
		k, chosen := some[r.name]
		if !chosen {
			continue
		}
		for _, t := range r.tables {
			wrote, err := c.writeRows(ctx, tx, t, k)
			if err != nil {
				return 0, err
			}
			rows += wrote
		}
	}
	return rows, nil
}

func (c *Copier) removeRows(ctx context.Context, tx pgx.Tx, t table, k keys) error {
	s, err := c.shape(ctx, tx, t.name)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		delete from `+c.way.target(t.name)+` t
		where `+k.on("t."+t.key)+`
		  and not exists (
		    select from `+c.way.view(t.name)+` v
		    where `+k.on("v."+t.key)+` and `+matching(s.key)+`)`, k.args...)
	if err != nil {
		return fmt.Errorf("remove from %s what is gone: %w", c.way.target(t.name), err)
	}
	return nil
}

func (c *Copier) writeRows(ctx context.Context, tx pgx.Tx, t table, k keys) (rows int64, err error) {
	s, err := c.shape(ctx, tx, t.name)
	if err != nil {
		return 0, err
	}
	var statements []string
	if rest := s.rest(); len(rest) > 0 {
		statements = append(statements, `
			update `+c.way.target(t.name)+` t
			set `+assigned(rest)+`
			from `+c.way.view(t.name)+` v
			where `+k.on("v."+t.key)+` and `+k.on("t."+t.key)+`
			  and `+matching(s.key)+`
			  and (`+list("t.", rest)+`) is distinct from (`+list("v.", rest)+`)`)
	}
	statements = append(statements, `
		insert into `+c.way.target(t.name)+` (`+list("", s.columns)+`)
		select `+list("v.", s.columns)+`
		from `+c.way.view(t.name)+` v
		where `+k.on("v."+t.key)+`
		on conflict (`+list("", s.key)+`) do nothing`)
	for _, statement := range statements {
		done, err := tx.Exec(ctx, statement, k.args...)
		if err != nil {
			return 0, fmt.Errorf("write %s: %w", c.way.target(t.name), err)
		}
		rows += done.RowsAffected()
	}
	return rows, nil
}

// rest are the columns that are no part of the key.
func (s shape) rest() []string {
	return slices.DeleteFunc(slices.Clone(s.columns), func(column string) bool { return slices.Contains(s.key, column) })
}

// list names columns, with what stands before each.
func list(prefix string, columns []string) string { return prefix + strings.Join(columns, ", "+prefix) }

// matching is the condition that t and v are the same row.
func matching(key []string) string { return `(` + list("t.", key) + `) = (` + list("v.", key) + `)` }

func assigned(columns []string) string {
	sets := make([]string, len(columns))
	for n, column := range columns {
		sets[n] = column + " = v." + column
	}
	return strings.Join(sets, ", ")
}
