package invariants

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// rule is something that is true of every shop at rest.
type rule struct {
	name string
	// of counts what is looked at; wrong returns a text for each that breaks the rule.
	of, wrong string
	// since is the first step that has what the rule speaks of.
	since int
}

// named is how many offenders a verdict names.
const named = 10

// judge runs the rules in a transaction, in which it leaves two temporary tables.
func judge(ctx context.Context, tx pgx.Tx, where Where, outside witness) ([]Verdict, error) {
	if err := outside.load(ctx, tx); err != nil {
		return nil, err
	}
	// A null array would make each comparison with it null.
	planted, readers := append([]string{}, where.Planted...), append([]string{}, where.Readers...)
	var verdicts []Verdict
	for _, r := range rules(where.schemas()) {
		if where.step() < r.since {
			continue
		}
		v := Verdict{Rule: r.name}
		// One statement has one type for each name, so both are said in all of them.
		statement := where.inSchemas(`
			with given as (select @since::timestamptz as since, @planted::text[] as planted, @readers::text[] as readers),
			wrong (what) as materialized (` + r.wrong + `)
			select (` + r.of + `), (select count(*) from wrong), array(select what from wrong order by what limit @named)`)
		args := pgx.NamedArgs{"since": where.Since, "planted": planted, "readers": readers, "named": named}
		if err := tx.QueryRow(ctx, statement, args).Scan(&v.Checked, &v.Broken, &v.Offenders); err != nil {
			return nil, fmt.Errorf("look whether %s: %w", r.name, err)
		}
		verdicts = append(verdicts, v)
	}
	return verdicts, nil
}

// rules are all of them, in the order in which they are told. The schemas are those that have events.
func rules(schemas []string) []rule {
	return slices.Concat(money(), goods(), rest(), messages(schemas), copies())
}
