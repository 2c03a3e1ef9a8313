package invariants

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// rule is something that is true of every shop at rest.
type rule struct {
	name string
	// of counts what is looked at; wrong returns a text for each that breaks the rule.
	of, wrong string
	// fleet rules speak of what only services have.
	fleet bool
}

// Areas are the services' schemas.
var Areas = []string{"accounts", "catalog", "inventory", "orders", "payments", "shipping", "notifications"}

// shelves is where the number of copies is kept.
var shelves = map[string]string{
	Monolith: `select id as book_id, stock as on_hand, 0 as reserved from catalog.books`,
	Services: `select book_id, on_hand, reserved from inventory.stock`,
}

// inSchemas is a statement as the side's database understands it. Rules name the services' schemas; in the
// monolith one schema has all areas.
func inSchemas(side, statement string) string {
	statement = strings.ReplaceAll(statement, "@shelves", shelves[side])
	statement = strings.ReplaceAll(statement, "@settled", settled[side])
	if side == Monolith {
		for _, area := range Areas {
			statement = strings.ReplaceAll(statement, area+".", Monolith+".")
		}
	}
	return statement
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
	for _, r := range rules() {
		if r.fleet && where.Side != Services {
			continue
		}
		v := Verdict{Rule: r.name}
		// One statement has one type for each name, so both are said in all of them.
		statement := inSchemas(where.Side, `
			with given as (select @since::timestamptz as since, @planted::text[] as planted, @readers::text[] as readers),
			wrong (what) as materialized (`+r.wrong+`)
			select (`+r.of+`), (select count(*) from wrong), array(select what from wrong order by what limit @named)`)
		args := pgx.NamedArgs{"since": where.Since, "planted": planted, "readers": readers, "named": named}
		if err := tx.QueryRow(ctx, statement, args).Scan(&v.Checked, &v.Broken, &v.Offenders); err != nil {
			return nil, fmt.Errorf("look whether %s: %w", r.name, err)
		}
		verdicts = append(verdicts, v)
	}
	return verdicts, nil
}

// rules are all of them, in the order in which they are told.
func rules() []rule {
	return append(append(append(money(), goods()...), rest()...), copies()...)
}
