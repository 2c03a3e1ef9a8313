package ladder

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Kinds are the kinds of damage that Plant can do.
var Kinds = []string{LostUpdate, DeletedRow, ChangedValue}

// What no trigger notes: a change of the owner's row that is not copied, a row of the other
// side that is gone, and a value there that somebody has changed.
const (
	LostUpdate   = "lost update"
	DeletedRow   = "deleted row"
	ChangedValue = "changed value"
)

// Plant spoils one of the area's oldest rows, a different one for each kind, with all
// triggers off. It returns the row as Verify has to name it; Repair undoes the damage on
// the other side. A lost update changes the owner's row for good.
func (c *Copier) Plant(ctx context.Context, kind string) (Drift, error) {
	if err := c.moving(ctx); err != nil {
		return Drift{}, err
	}
	p := c.way.plant
	r, t := c.way.rootOf(p.to)
	planted := Drift{Table: c.way.target(p.to), Root: r.name, Kind: different}
	var nth int
	var damage string
	update := func(table, column, key string) string {
		return `update ` + table + ` set ` + column + ` = ` + fmt.Sprintf(p.change, column) + ` where ` + key + `::text = $1`
	}
	switch kind {
	case LostUpdate:
		damage = update(c.way.from+"."+p.from, p.fromColumn, p.fromKey)
	case DeletedRow:
		nth, damage, planted.Kind = 2, `delete from `+c.way.target(p.to)+` where `+t.key+`::text = $1`, missing
	case ChangedValue:
		nth, damage = 1, update(c.way.target(p.to), p.toColumn, t.key)
	default:
		return Drift{}, fmt.Errorf("there is no kind of drift %q: plant one of %q", kind, Kinds)
	}
	err := c.again(ctx, patience, pgx.TxOptions{}, func(tx pgx.Tx) error {
		s, err := c.shape(ctx, tx, p.to)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `set local session_replication_role = replica`); err != nil {
			return err
		}
		err = tx.QueryRow(ctx, fmt.Sprintf(`
			select v.%[1]s::text, concat_ws(' ', %[2]s)
			from %[3]s v
			join %[4]s t on %[5]s
			where not exists (
			  select from extract.changes n
			  where n.area = $1 and n.root = $2 and n.key = v.%[1]s::text)
			order by v.%[1]s
			limit 1 offset $3`, t.key, list("v.", s.key), c.way.view(p.to), c.way.target(p.to), matching(s.key)),
			c.area.Name, r.name, nth).Scan(&planted.Key, &planted.Row)
		if errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("%s has fewer than %d rows", c.way.target(p.to), nth+1)
		}
		if err != nil {
			return err
		}
		done, err := tx.Exec(ctx, damage, planted.Key)
		if err == nil && done.RowsAffected() != 1 {
			err = fmt.Errorf("%d rows were changed, not one", done.RowsAffected())
		}
		return err
	})
	if err != nil {
		return Drift{}, fmt.Errorf("plant a %s: %w", kind, err)
	}
	return planted, nil
}

// Repair derives rows that Verify has named again.
func (c *Copier) Repair(ctx context.Context, drifts []Drift) error {
	if err := c.moving(ctx); err != nil {
		return err
	}
	byRoot := map[string][]string{}
	unsettled := false
	for _, d := range drifts {
		if d.Root == "" {
			unsettled = true
			continue
		}
		byRoot[d.Root] = append(byRoot[d.Root], d.Key)
	}
	for _, r := range c.way.roots {
		if list := byRoot[r.name]; list != nil {
			if err := c.Refresh(ctx, r.name, list); err != nil {
				return err
			}
		}
	}
	if !unsettled {
		return nil
	}
	for _, s := range c.way.settled {
		err := c.unhindered(ctx, repeatable, func(tx pgx.Tx) error { return c.settleAgain(ctx, tx, s) })
		if err != nil {
			return fmt.Errorf("repair %s: %w", c.way.target(s.name), err)
		}
	}
	return nil
}

// settleAgain replaces the rows of a settled table that differ.
func (c *Copier) settleAgain(ctx context.Context, tx pgx.Tx, s settled) error {
	sh, err := c.shape(ctx, tx, s.name)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		delete from `+c.way.target(s.name)+` t
		using `+c.way.view(s.name)+` v
		where `+matching(sh.key)+`
		  and (`+list("t.", sh.columns)+`) is distinct from (`+list("v.", sh.columns)+`)`)
	if err != nil {
		return err
	}
	return c.copySettled(ctx, tx, s, s.when)
}
