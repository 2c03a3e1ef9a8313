package ladder

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// samples is how many rows a verification names of each range that differs.
const samples = 10

// Drift is a row that the service does not have as the view derives it.
type Drift struct {
	Table string // of the service
	Row   string // its primary key
	Root  string // Refresh with this root and key repairs it; no root: the table is settled
	Key   string
	Kind  string // missing, extra or different
}

// String names the row and what is wrong with it.
func (d Drift) String() string { return fmt.Sprintf("%s %s is %s", d.Table, d.Row, d.Kind) }

// Report is what a verification has seen.
type Report struct {
	Rows    int64   // compared
	Drifted int64   // of these
	Samples []Drift // some of them, with their names
}

// String is the verdict in a line, with the rows that differ.
func (r Report) String() string {
	if r.Drifted == 0 {
		return fmt.Sprintf("%d rows equal", r.Rows)
	}
	lines := []string{fmt.Sprintf("%d of %d rows differ", r.Drifted, r.Rows)}
	for _, d := range r.Samples {
		lines = append(lines, d.String())
	}
	return strings.Join(lines, "\n  ")
}

// part is some rows of a table, of which both sides are compared.
type part struct {
	table   string
	root    *root  // nil: a settled table
	key     string // the column of the root's key
	keys    keys
	settled string
}

// Verify compares each range of keys: the number of rows and the sum of their hashes,
// which no order changes. Each comparison is one statement, so that both schemas and the
// notes are seen in one snapshot. Rows that are noted right now are left out; they are
// about to be copied. A range that differs is compared once more after the notes of that
// moment, row by row.
//
// It can't see a row of which the view itself is wrong, nor what a settled table still
// lacks: that is copied at the switch.
func (c *Copier) Verify(ctx context.Context) (Report, error) {
	var report Report
	var differing []part
	look := func(p part) error {
		rows, equal, err := c.equal(ctx, c.conn, p)
		report.Rows += rows
		if err == nil && !equal {
			differing = append(differing, p)
		}
		return err
	}
	for _, r := range c.area.roots {
		if err := c.eachRange(ctx, r, look); err != nil {
			return report, fmt.Errorf("verify %s: %w", c.area.Name, err)
		}
	}
	for _, s := range c.area.settled {
		if err := look(part{table: s.name, settled: s.when}); err != nil {
			return report, fmt.Errorf("verify %s: %w", c.area.Name, err)
		}
	}
	if len(differing) == 0 {
		return report, nil
	}
	if _, err := c.CatchUp(ctx); err != nil {
		return report, err
	}
	for _, p := range differing {
		if err := c.compareRows(ctx, p, &report); err != nil {
			return report, fmt.Errorf("compare the rows of %s: %w", c.area.target(p.table), err)
		}
	}
	return report, nil
}

// eachRange calls look with each range of each of the root's tables. The last range has
// no end, and so finds what the service has beyond the view's last key.
func (c *Copier) eachRange(ctx context.Context, r root, look func(part) error) error {
	for after, first := "", true; first || after != ""; first = false {
		upto, _, err := c.boundary(ctx, c.conn, r, c.area.view(r.tables[0].name), r.tables[0].key, after, 2*RangeSize)
		if err != nil {
			return err
		}
		for _, t := range r.tables {
			if err := look(part{table: t.name, root: &r, key: t.key, keys: r.between(after, upto)}); err != nil {
				return err
			}
		}
		after = upto
	}
	return nil
}

// rowsOf selects a part's rows from one of the two sides.
func (c *Copier) rowsOf(relation string, s shape, p part) string {
	rows := `select ` + list("", s.columns) + ` from ` + relation + ` side where `
	if p.root == nil {
		return rows + p.settled
	}
	return rows + p.keys.on(p.key) + `
		and not exists (
		  select from extract.changes n
		  where n.area = '` + c.area.Name + `' and n.root = '` + p.root.name + `' and n.key = side.` + p.key + `::text)`
}

// equal compares a part by its count and its hashes, and returns how many rows the view has.
func (c *Copier) equal(ctx context.Context, q interface {
	QueryRow(context.Context, string, ...any) pgx.Row
}, p part) (rows int64, equal bool, err error) {
	s, err := c.shape(ctx, c.conn, p.table)
	if err != nil {
		return 0, false, err
	}
	const summed = `(select count(*) as rows, sum(hash_record_extended(r, 0)) as hashes from (%s) r)`
	err = q.QueryRow(ctx, `
		select v.rows, (v.rows, v.hashes) is not distinct from (t.rows, t.hashes)
		from `+fmt.Sprintf(summed, c.rowsOf(c.area.view(p.table), s, p))+` v,
		  `+fmt.Sprintf(summed, c.rowsOf(c.area.target(p.table), s, p))+` t`, p.keys.args...).Scan(&rows, &equal)
	return rows, equal, err
}

// compareRows names the rows of a part that differ.
func (c *Copier) compareRows(ctx context.Context, p part, report *Report) error {
	s, err := c.shape(ctx, c.conn, p.table)
	if err != nil {
		return err
	}
	var names, either []string
	for _, column := range s.key {
		names = append(names, fmt.Sprintf("coalesce(t.%[1]s, v.%[1]s)::text", column))
		either = append(either, fmt.Sprintf("t.%[1]s = v.%[1]s", column))
	}
	key := `''`
	if p.root != nil {
		key = fmt.Sprintf("coalesce(t.%[1]s, v.%[1]s)::text", p.key)
	}
	rows, err := c.conn.Query(ctx, `
		select concat_ws(' ', `+strings.Join(names, ", ")+`), `+key+`,
		  case when t.`+s.key[0]+` is null then 'missing' when v.`+s.key[0]+` is null then 'extra' else 'different' end,
		  count(*) over ()
		from (`+c.rowsOf(c.area.view(p.table), s, p)+`) v
		full join (`+c.rowsOf(c.area.target(p.table), s, p)+`) t on `+strings.Join(either, " and ")+`
		where v is distinct from t
		order by 1
		limit `+fmt.Sprint(samples), p.keys.args...)
	if err != nil {
		return err
	}
	d := Drift{Table: c.area.target(p.table)}
	if p.root != nil {
		d.Root = p.root.name
	}
	var total int64
	_, err = pgx.ForEachRow(rows, []any{&d.Row, &d.Key, &d.Kind, &total}, func() error {
		if len(report.Samples) < samples {
			report.Samples = append(report.Samples, d)
		}
		return nil
	})
	report.Drifted += total
	return err
}
