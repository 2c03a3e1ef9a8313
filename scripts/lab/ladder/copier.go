package ladder

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"banyan/internal/postgres"
)

// Copier moves one area. It has one connection and one thread: two copiers could write
// an older row over a newer one. An advisory lock keeps a second one out, and dies with
// the process.
type Copier struct {
	conn   *pgx.Conn
	area   Area
	way    way              // from the side that owns the area
	shapes map[string]shape // of the tables that were asked for
}

// ErrBusy says that another copier of the area is at work.
var ErrBusy = errors.New("is at work")

// Open connects a copier, as a superuser: an area's move touches two schemas and their
// roles. It waits for another copier of the area for 5 s at most.
func Open(ctx context.Context, databaseURL, area string) (*Copier, error) {
	config, a, err := parse(databaseURL, area)
	if err != nil {
		return nil, err
	}
	return open(ctx, config, a)
}

// TryOpen is Open, but does not wait: it returns ErrBusy if another copier of the area is
// at work.
func TryOpen(ctx context.Context, databaseURL, area string) (*Copier, error) {
	config, a, err := parse(databaseURL, area)
	if err != nil {
		return nil, err
	}
	c, err := prepare(ctx, config, a)
	if err != nil {
		return nil, err
	}
	var free bool
	err = c.conn.QueryRow(ctx, `select pg_try_advisory_lock(hashtext('extract'), hashtext($1))`, a.Name).Scan(&free)
	if err == nil && !free {
		err = fmt.Errorf("another lab extract of %s %w; wait for its end, or stop it", a.Name, ErrBusy)
	}
	if err != nil {
		_ = c.Close(context.WithoutCancel(ctx))
		return nil, err
	}
	return c, nil
}

func parse(databaseURL, area string) (*pgx.ConnConfig, Area, error) {
	a, err := areaNamed(area)
	if err != nil {
		return nil, Area{}, err
	}
	config, err := postgres.ParseConfig(databaseURL)
	return config, a, err
}

// settings of the copier's session. Autovacuum gives way to it only after deadlock_timeout.
// A plan has to be made for each range of keys: the general one would read whole tables.
const settings = `
	set deadlock_timeout = '20ms';
	set lock_timeout = '5s';
	set plan_cache_mode = force_custom_plan;
	set jit = off;
	set timezone = 'UTC'`

func open(ctx context.Context, config *pgx.ConnConfig, area Area) (*Copier, error) {
	c, err := prepare(ctx, config, area)
	if err != nil {
		return nil, err
	}
	if _, err := c.conn.Exec(ctx, `select pg_advisory_lock(hashtext('extract'), hashtext($1))`, area.Name); err != nil {
		_ = c.Close(context.WithoutCancel(ctx))
		return nil, fmt.Errorf("wait for another copier of %s: %w", area.Name, err)
	}
	return c, nil
}

// prepare connects a copier that has no lock yet.
func prepare(ctx context.Context, config *pgx.ConnConfig, area Area) (*Copier, error) {
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	c := &Copier{conn: conn, area: area, way: area.wayForth(), shapes: map[string]shape{}}
	if _, err := conn.Exec(ctx, settings, pgx.QueryExecModeSimpleProtocol); err != nil {
		_ = c.Close(context.WithoutCancel(ctx))
		return nil, fmt.Errorf("set up the copier's session: %w", err)
	}
	return c, nil
}

// Close ends the copier's session, and with it its lock.
func (c *Copier) Close(ctx context.Context) error { return c.conn.Close(ctx) }

// patience is how long an operation tries again what only others keep it from doing.
const patience = 30 * time.Second

// stands is where the area stands; the zero value if its move has not begun. It turns the
// copier: rows come from the owner's side.
func (c *Copier) stands(ctx context.Context) (standing, error) {
	all, err := standings(ctx, c.conn)
	if err != nil {
		return standing{}, err
	}
	c.way = c.area.wayForth()
	stands, begun := all[c.area.Name]
	if !begun {
		return standing{}, nil
	}
	if stands.Owner == c.area.Name {
		c.way = c.area.wayBack()
	}
	return stands, c.area.check(stands)
}

// moving turns the copier, and returns an error unless the area's changes are noted.
func (c *Copier) moving(ctx context.Context) error {
	stands, err := c.stands(ctx)
	switch {
	case err != nil:
		return err
	case stands.Stage == "":
		return fmt.Errorf("the move of %s has not begun: nothing is noted yet", c.area.Name)
	case stands.Stage == StageFinalizing || stands.Stage == StageFinalized:
		return fmt.Errorf("%s is finalized: its rows are no longer kept twice", c.area.Name)
	}
	return nil
}

// enter writes down that the area has reached a stage.
func (c *Copier) enter(ctx context.Context, tx pgx.Tx, owner, stage string) error {
	_, err := tx.Exec(ctx, `
		update extract.areas
		set owner = $2, stage = $3, since = now()
		where area = $1 and (owner, stage) <> ($2, $3)`, c.area.Name, owner, stage)
	return err
}

// run runs a file of the area's SQL in a transaction.
func (c *Copier) run(ctx context.Context, tx pgx.Tx, file string) error {
	text, err := c.area.sql(file)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, text, pgx.QueryExecModeSimpleProtocol); err != nil {
		return fmt.Errorf("%s/%s.sql: %w", c.area.folder(), file, err)
	}
	return nil
}

// again runs do in a transaction, and tries again for a while when others were in the
// way: a deadlock, a lock that they held, or a row that they changed.
func (c *Copier) again(ctx context.Context, tries time.Duration, options pgx.TxOptions, do func(pgx.Tx) error) error {
	for began := time.Now(); ; {
		err := pgx.BeginTxFunc(ctx, c.conn, options, do)
		if !inTheWay(err) || time.Since(began) > tries {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}
