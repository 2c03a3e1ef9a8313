package ladder

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"banyan/internal/postgres"
)

// AreaStatus is where an area's move stands.
type AreaStatus struct {
	Area    string     `json:"area"`
	Step    int        `json:"step"`
	Owner   string     `json:"owner"`
	Stage   string     `json:"stage"`           // "": the move has not begun
	Since   *time.Time `json:"since,omitempty"` // it is at this stage
	Roots   []Progress `json:"roots"`           // of the backfill, as far as it has come
	Lag     int        `json:"lag"`             // notes that wait to be copied
	AtWork  bool       `json:"at_work"`         // a copier holds the area's lock
	Changed bool       `json:"changed"`         // today's SQL is not the one that the move began with
}

// Status is where all areas stand, in the order in which they leave. It only reads.
func Status(ctx context.Context, databaseURL string) ([]AreaStatus, error) {
	var all []AreaStatus
	err := reading(ctx, databaseURL, func(tx pgx.Tx) error {
		stand, err := standings(ctx, tx)
		if err != nil {
			return err
		}
		for _, area := range Areas {
			s, err := area.status(ctx, tx, stand[area.Name])
			if err != nil {
				return err
			}
			all = append(all, s)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("ask where the areas stand: %w", err)
	}
	return all, nil
}

// reading runs do in one snapshot that can't be written.
func reading(ctx context.Context, databaseURL string, do func(pgx.Tx) error) error {
	conn, err := postgres.Connect(ctx, databaseURL)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, do)
}

func (a Area) status(ctx context.Context, q postgres.Querier, stands standing) (AreaStatus, error) {
	s := AreaStatus{Area: a.Name, Step: a.Step, Owner: Monolith, Roots: []Progress{}}
	err := q.QueryRow(ctx, `
		select exists (
		  select from pg_locks
		  where locktype = 'advisory' and granted and objsubid = 2
		    and database = (select oid from pg_database where datname = current_database())
		    and classid = (hashtext('extract')::bigint & 4294967295)::oid
		    and objid = (hashtext($1)::bigint & 4294967295)::oid)`, a.Name).Scan(&s.AtWork)
	if err != nil || stands.Stage == "" {
		return s, err
	}
	s.Owner, s.Stage, s.Since, s.Changed = stands.Owner, stands.Stage, &stands.Since, a.check(stands) != nil
	w := a.wayForth()
	if s.Owner == a.Name {
		w = a.wayBack()
	}
	err = q.QueryRow(ctx, `
		select count(*)
		from extract.changes
		where area = $1 and root = any($2)`, a.Name, w.rootNames()).Scan(&s.Lag)
	if err != nil {
		return s, err
	}
	rows, err := q.Query(ctx, `select root, copied, total, done from extract.progress where area = $1`, a.Name)
	if err != nil {
		return s, err
	}
	come := map[string]Progress{}
	p := Progress{Area: a.Name}
	if _, err := pgx.ForEachRow(rows, []any{&p.Root, &p.Copied, &p.Total, &p.Done}, func() error {
		come[p.Root] = p
		return nil
	}); err != nil {
		return s, err
	}
	for _, r := range a.forth.roots {
		if p, begun := come[r.name]; begun {
			s.Roots = append(s.Roots, p)
		}
	}
	return s, nil
}
