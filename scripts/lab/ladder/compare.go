package ladder

import (
	"context"
	"fmt"
	"math/big"
	"strings"

	"github.com/jackc/pgx/v5"

	"banyan/internal/postgres"
)

// part is some rows of a table, of which both sides are compared.
type part struct {
	table   string
	root    *root  // nil: a settled table
	key     string // the column of the root's key
	keys    keys
	settled string // which rows of a settled table
	of      string // which rows of a settled target are the area's
}

// rowsOf selects a part's rows from one of the two sides.
func (c *Copier) rowsOf(relation string, s shape, p part) string {
	rows := `select ` + list("", s.compared) + ` from ` + relation + ` side where `
	if p.root == nil {
		return rows + p.settled + ` and ` + p.of
	}
	return rows + p.keys.on(p.key) + `
		and not exists (
		  select from extract.changes n
		  where n.area = '` + c.area.Name + `' and n.root = '` + p.root.name + `' and n.key = side.` + p.key + `::text)`
}

// side is how many rows one side has, and the sum of their hashes.
type side struct {
	rows   int64
	hashes big.Int
}

// sides are the owner's side and the other one.
type sides [2]side

func (s *sides) equal() bool {
	return s[0].rows == s[1].rows && s[0].hashes.Cmp(&s[1].hashes) == 0
}

// sums counts a part on both sides, in one snapshot.
func (c *Copier) sums(ctx context.Context, q postgres.Querier, p part) (*sides, error) {
	both := new(sides)
	s, err := c.shape(ctx, q, p.table)
	if err != nil {
		return both, err
	}
	const summed = `(select count(*) as rows, coalesce(sum(hash_record_extended(r, 0)), 0)::text as hashes from (%s) r)`
	var hashes [2]string
	err = q.QueryRow(ctx, `
		select v.rows, v.hashes, t.rows, t.hashes
		from `+fmt.Sprintf(summed, c.rowsOf(c.way.view(p.table), s, p))+` v,
		  `+fmt.Sprintf(summed, c.rowsOf(c.way.target(p.table), s, p))+` t`, p.keys.args...).
		Scan(&both[0].rows, &hashes[0], &both[1].rows, &hashes[1])
	if err != nil {
		return both, fmt.Errorf("compare %s: %w", c.way.target(p.table), err)
	}
	for n := range both {
		if _, ok := both[n].hashes.SetString(hashes[n], 10); !ok {
			return both, fmt.Errorf("compare %s: %q is no sum of hashes", c.way.target(p.table), hashes[n])
		}
	}
	return both, nil
}

// compareRows names the rows of a part that differ, until there are so many samples.
func (c *Copier) compareRows(ctx context.Context, q postgres.Querier, p part, samples int, report *Report) error {
	s, err := c.shape(ctx, q, p.table)
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
	rows, err := q.Query(ctx, `
		select concat_ws(' ', `+strings.Join(names, ", ")+`), `+key+`,
		  case when t.`+s.key[0]+` is null then '`+missing+`' when v.`+s.key[0]+` is null then '`+extra+`' else '`+different+`' end,
		  count(*) over ()
		from (`+c.rowsOf(c.way.view(p.table), s, p)+`) v
		full join (`+c.rowsOf(c.way.target(p.table), s, p)+`) t on `+strings.Join(either, " and ")+`
		where v is distinct from t
		order by 1
		limit `+fmt.Sprint(samples), p.keys.args...)
	if err != nil {
		return err
	}
	d := Drift{Table: c.way.target(p.table)}
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

// sums adds up what both sides have of each table.
type sums struct {
	way    way
	tables map[string]*sides
}

func newSums(w way) *sums { return &sums{w, map[string]*sides{}} }

func (s *sums) add(table string, more *sides) {
	so := s.tables[table]
	if so == nil {
		s.tables[table] = more
		return
	}
	for n := range so {
		so[n].rows += more[n].rows
		so[n].hashes.Add(&so[n].hashes, &more[n].hashes)
	}
}

func (s *sums) set(table string, both *sides) { s.tables[table] = both }

// rows is how many rows the owner's side has.
func (s *sums) rows() (all int64) {
	for _, both := range s.tables {
		all += both[0].rows
	}
	return all
}

// checksums has the tables in the order in which they are copied.
func (s *sums) checksums() (all []Checksum) {
	for _, name := range s.way.all() {
		if both := s.tables[name]; both != nil {
			all = append(all, Checksum{Table: s.way.target(name), Owner: both[0].sum(), Other: both[1].sum()})
		}
	}
	return all
}

// sum is the side for people to read.
func (s *side) sum() Sum {
	var modulo big.Int
	modulo.Mod(&s.hashes, new(big.Int).Lsh(big.NewInt(1), 64))
	return Sum{Rows: s.rows, Hash: fmt.Sprintf("%016x", &modulo)}
}
