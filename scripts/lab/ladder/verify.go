package ladder

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Samples is how many rows a verification names, unless the caller says otherwise.
const Samples = 10

// Drift is a row that the other side does not have as the view derives it.
type Drift struct {
	Table string `json:"table"` // that is written
	Row   string `json:"row"`   // its primary key
	Root  string `json:"root"`  // Refresh with this root and key repairs it; no root: the table is settled
	Key   string `json:"key"`
	Kind  string `json:"kind"` // missing, extra or different
}

// The kinds of drift.
const (
	missing   = "missing"
	extra     = "extra"
	different = "different"
)

// String names the row and what is wrong with it.
func (d Drift) String() string { return fmt.Sprintf("%s %s is %s", d.Table, d.Row, d.Kind) }

// Sum is what a side has of a table: its rows, and the sum of their hashes, modulo 2^64.
type Sum struct {
	Rows int64  `json:"rows"`
	Hash string `json:"hash"`
}

// Checksum is what both sides have of a table, without the rows that were noted when they
// were counted.
type Checksum struct {
	Table string `json:"table"` // that is written
	Owner Sum    `json:"owner"` // by the view of the owner's tables
	Other Sum    `json:"other"`
}

// Report is what a verification has seen.
type Report struct {
	Rows      int64      `json:"rows"`    // compared
	Drifted   int64      `json:"drifted"` // of these
	Samples   []Drift    `json:"samples"` // some of them, with their names
	Checksums []Checksum `json:"checksums"`
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

// Verify compares each range of keys: the number of rows and the sum of their hashes,
// which no order changes. Each comparison is one statement, so that both schemas and the
// notes are seen in one snapshot. Rows that are noted right now are left out; they are
// about to be copied. A range that differs is compared once more after the notes of that
// moment, row by row. The report names so many rows; 0 stands for Samples.
//
// It can't see a row of which the view itself is wrong. What a settled table lacks, it
// copies, and so can't tell from what is new. What is derived is compared only before the
// switch: afterwards it follows by events.
func (c *Copier) Verify(ctx context.Context, samples int) (Report, error) {
	var report Report
	if samples <= 0 {
		samples = Samples
	}
	if err := c.moving(ctx); err != nil {
		return report, err
	}
	open, err := c.unfinished(ctx, c.conn)
	if err != nil {
		return report, err
	}
	if slices.ContainsFunc(open, func(r root) bool { return !r.derived() }) {
		return report, fmt.Errorf("%s is not copied yet: run its backfill, and verify it then", c.area.Name)
	}
	sums := newSums(c.way)
	var differing []part
	look := func(p part) error {
		both, err := c.sums(ctx, c.conn, p)
		sums.add(p.table, both)
		if err == nil && !both.equal() {
			differing = append(differing, p)
		}
		return err
	}
	for _, r := range c.way.roots {
		if err := c.eachRange(ctx, r.without(open), look); err != nil {
			return report, fmt.Errorf("verify %s: %w", c.area.Name, err)
		}
	}
	for _, s := range c.way.settled {
		if err := c.verifySettled(ctx, s, samples, &report, sums); err != nil {
			return report, fmt.Errorf("verify %s: %w", c.area.Name, err)
		}
	}
	report.Rows, report.Checksums = sums.rows(), sums.checksums()
	if len(differing) == 0 {
		return report, nil
	}
	if _, err := c.CatchUp(ctx); err != nil {
		return report, err
	}
	for _, p := range differing {
		if err := c.compareRows(ctx, c.conn, p, samples, &report); err != nil {
			return report, fmt.Errorf("compare the rows of %s: %w", c.way.target(p.table), err)
		}
	}
	return report, nil
}

// without leaves out the derived tables of a root that is not derived again yet.
func (r root) without(unfinished []root) root {
	if slices.ContainsFunc(unfinished, func(u root) bool { return u.name == r.name }) {
		r.tables = slices.DeleteFunc(slices.Clone(r.tables), func(t table) bool { return t.derived })
	}
	return r
}

// verifySettled brings a settled table up to date and compares it, in one snapshot.
func (c *Copier) verifySettled(ctx context.Context, s settled, samples int, report *Report, sums *sums) error {
	p := part{table: s.name, settled: s.when, of: s.of}
	var found Report
	err := c.unhindered(ctx, repeatable, func(tx pgx.Tx) error {
		if err := c.copySettled(ctx, tx, s, s.when); err != nil {
			return err
		}
		both, err := c.sums(ctx, tx, p)
		if err != nil {
			return err
		}
		sums.set(s.name, both)
		if both.equal() {
			return nil
		}
		found = Report{}
		return c.compareRows(ctx, tx, p, samples, &found)
	})
	report.Drifted += found.Drifted
	report.Samples = append(report.Samples, found.Samples...)
	return err
}

// eachRange calls look with each range of each of the root's tables. The last range has
// no end, and so finds what the other side has beyond the view's last key.
func (c *Copier) eachRange(ctx context.Context, r root, look func(part) error) error {
	if len(r.tables) == 0 {
		return nil
	}
	for after, first := "", true; first || after != ""; first = false {
		upto, _, err := c.boundary(ctx, c.conn, r, c.way.view(r.tables[0].name), r.tables[0].key, after, 2*RangeSize)
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
