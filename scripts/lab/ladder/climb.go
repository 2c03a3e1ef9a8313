package ladder

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"banyan/internal/postgres"
)

// ErrDown says that data stand at a higher step than the one that was asked for.
var ErrDown = errors.New("data can't climb down")

// cutOverTime is how long a cutover may take when nobody waits for it.
const cutOverTime = 2 * time.Minute

// Climb moves data at rest from where they stand to a step, one area after the other. The
// database holds all schemas, migrated, and the URL is a superuser's. Climb may be killed
// anywhere: the next one goes on. It tells say what it has done.
func Climb(ctx context.Context, databaseURL string, to int, say func(string)) error {
	config, err := postgres.ParseConfig(databaseURL)
	if err != nil {
		return err
	}
	return climb(ctx, config, to, say)
}

func climb(ctx context.Context, config *pgx.ConnConfig, to int, say func(string)) error {
	if last := Areas[len(Areas)-1].Step; to < 0 || to > last {
		return fmt.Errorf("there is no step %d: the ladder goes from 0 to %d", to, last)
	}
	at, all, err := whereAt(ctx, config)
	if err != nil {
		return err
	}
	if at > to {
		return fmt.Errorf("the data stand at step %d, above step %d: %w", at, to, ErrDown)
	}
	for _, area := range Areas {
		if area.Step > to || all[area.Name].Stage == StageFinalized {
			continue
		}
		if err := climbOne(ctx, config, area, say); err != nil {
			return fmt.Errorf("climb to step %d: %w", area.Step, err)
		}
	}
	return nil
}

func whereAt(ctx context.Context, config *pgx.ConnConfig) (int, map[string]standing, error) {
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return 0, nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	at, err := step(ctx, conn)
	if err != nil {
		return 0, nil, err
	}
	all, err := standings(ctx, conn)
	return at, all, err
}

// climbOne moves one area from wherever it stands.
func climbOne(ctx context.Context, config *pgx.ConnConfig, area Area, say func(string)) error {
	began := time.Now()
	c, err := open(ctx, config, area)
	if err != nil {
		return err
	}
	defer c.Close(context.WithoutCancel(ctx))
	stands, err := c.stands(ctx)
	if err != nil {
		return err
	}
	if stands.Owner != area.Name {
		report, err := c.copyAll(ctx, say)
		if err != nil {
			return err
		}
		if err := c.copied(ctx); err != nil {
			return err
		}
		if err := c.cutOver(ctx, cutOverTime, atRest); err != nil {
			return err
		}
		say(fmt.Sprintf("%s: %d rows moved, compared and handed over in %.1f s", area.Name, report.Rows, time.Since(began).Seconds()))
	}
	return c.Finalize(ctx, false)
}

// atRest refuses nothing: what is not published yet goes along, and its new owner
// publishes it.
func atRest(context.Context, pgx.Tx) error { return nil }

// copyAll brings the service's tables up to the monolith's, and verifies them.
func (c *Copier) copyAll(ctx context.Context, say func(string)) (Report, error) {
	if err := c.Note(ctx); err != nil {
		return Report{}, err
	}
	said := time.Now()
	err := c.Backfill(ctx, RangeSize, func(p Progress) error {
		if time.Since(said) > 2*time.Second {
			said = time.Now()
			say(fmt.Sprintf("%s: %d of %d (%s)", p.Area, p.Copied, p.Total, p.Root))
		}
		return nil
	})
	if err != nil {
		return Report{}, err
	}
	if _, err := c.CatchUp(ctx); err != nil {
		return Report{}, err
	}
	report, err := c.Verify(ctx, Samples)
	if err == nil && report.Drifted > 0 {
		err = fmt.Errorf("%s: %w: %s", c.area.Name, ErrDrift, report)
	}
	return report, err
}
