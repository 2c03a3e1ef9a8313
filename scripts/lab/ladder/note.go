package ladder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"banyan/internal/postgres"
	"banyan/migrations"
)

// briefly keeps DDL from making customers wait: while it waits for a lock, all that come
// after it wait behind it.
const briefly = `set local lock_timeout = '100ms'`

// Note makes the views, takes the service's right to write, and has every change noted
// from now on. A trigger waits for the transactions that write its table. So when Note
// has committed, all later changes are noted, and all earlier ones are visible: the
// backfill that begins then misses nothing.
func (c *Copier) Note(ctx context.Context) error {
	if err := c.install(ctx); err != nil {
		return fmt.Errorf("install the log of changes: %w", err)
	}
	stands, err := c.stands(ctx)
	if err != nil || stands.Stage != "" {
		return err
	}
	sum, err := c.area.checksum()
	if err != nil {
		return err
	}
	begin := func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			insert into extract.areas (area, owner, stage, checksum)
			values ($1, $2, $3, $4)`, c.area.Name, Monolith, StageNoted, sum)
		return err
	}
	err = c.brief(ctx, c.file("standby"), c.file("derive"), c.file("derive-back"), c.file("note"), begin)
	if err != nil {
		return fmt.Errorf("note what changes in %s: %w", c.area.Name, err)
	}
	return nil
}

// install makes the schema extract, and takes from all services the right to write what
// is still the monolith's.
func (c *Copier) install(ctx context.Context) error {
	return c.again(ctx, patience, pgx.TxOptions{}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext('extract'), 0)`); err != nil {
			return err
		}
		var there bool
		if err := tx.QueryRow(ctx, `select to_regnamespace('extract') is not null`).Scan(&there); err != nil || there {
			return err
		}
		text, err := fs.ReadFile(migrations.Extract, "changes.sql")
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, string(text), pgx.QueryExecModeSimpleProtocol); err != nil {
			return err
		}
		for _, area := range Areas {
			text, err := area.sql("standby")
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, text, pgx.QueryExecModeSimpleProtocol); err != nil {
				return fmt.Errorf("%s: %w", area.Name, err)
			}
		}
		return nil
	})
}

// unnote drops the area's triggers, of both directions, and then their functions.
func (c *Copier) unnote(ctx context.Context, tx pgx.Tx) error {
	err := c.dropEach(ctx, tx, `
		select format('drop trigger %I on %s', tgname, tgrelid::regclass)
		from pg_trigger
		where starts_with(tgname, $1 || '_notes_') or starts_with(tgname, $1 || '_back_')
		order by 1`)
	if err != nil {
		return err
	}
	return c.dropEach(ctx, tx, `
		select format('drop function %s', oid::regprocedure)
		from pg_proc
		where pronamespace = to_regnamespace('extract') and starts_with(proname, $1 || '_')
		order by 1`)
}

// underive drops the area's views, of both directions.
func (c *Copier) underive(ctx context.Context, tx pgx.Tx) error {
	return c.dropEach(ctx, tx, `
		select format('drop view %s', oid::regclass)
		from pg_class
		where relkind = 'v' and relnamespace = to_regnamespace('extract') and starts_with(relname, $1 || '_')
		order by 1`)
}

// dropEach runs the statements that a query about the area makes.
func (c *Copier) dropEach(ctx context.Context, tx pgx.Tx, query string) error {
	rows, err := tx.Query(ctx, query, c.area.Name)
	if err != nil {
		return err
	}
	drops, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(drops) == 0 {
		return err
	}
	_, err = tx.Exec(ctx, strings.Join(drops, ";\n"), pgx.QueryExecModeSimpleProtocol)
	return err
}

// inTheWay reports whether a transaction failed only because of others.
func inTheWay(err error) bool {
	var e *pgconn.PgError
	return postgres.Retryable(err) || errors.As(err, &e) && e.Code == "55P03" // lock_not_available
}
