package up

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"banyan/internal/postgres"
	"banyan/scripts/lab/ladder"
	"banyan/scripts/lab/seed"
)

// A database's comment says what it was seeded with, and at which end of the ladder: data of the last step are seeded as
// they are, and those of all others begin at step 0 or 1, from where they climb. The comment is set to unfinished before,
// so that what a crash has left of a seeding is told from a seeding, and thrown away.
const (
	seededMark     = "banyan seed: "
	stepMark       = ", step "
	unfinishedMark = "banyan seed unfinished"
)

// seedMark is what a database's comment says.
type seedMark struct {
	size       seed.Size // empty: nothing was seeded
	low        int       // 0 or 1, where data that have not climbed stand; LastStep: they were seeded there
	unfinished bool
}

func (m seedMark) String() string {
	if m.low == LastStep {
		return seededMark + string(m.size)
	}
	return fmt.Sprintf("%s%s%s%d", seededMark, m.size, stepMark, m.low)
}

// readMark reads the comment of a database, which may not be there.
func readMark(ctx context.Context, conn *pgx.Conn, database string) (m seedMark, err error) {
	var text string
	err = conn.QueryRow(ctx,
		`select coalesce(shobj_description(oid, 'pg_database'), '') from pg_database where datname = $1`, database).Scan(&text)
	if errors.Is(err, pgx.ErrNoRows) {
		return m, nil
	}
	if err != nil {
		return m, fmt.Errorf("ask what database %s was seeded with: %w", database, err)
	}
	given, seeded := strings.CutPrefix(text, seededMark)
	if !seeded {
		return seedMark{unfinished: text == unfinishedMark}, nil
	}
	size, low, climbs := strings.Cut(given, stepMark)
	m.low = LastStep
	if climbs {
		if m.low, err = strconv.Atoi(low); err != nil {
			return m, fmt.Errorf("database %s says that it stands at step %q", database, low)
		}
	}
	m.size, err = seed.ParseSize(size)
	return m, err
}

func writeMark(ctx context.Context, conn *pgx.Conn, database, text string) error {
	_, err := conn.Exec(ctx, fmt.Sprintf(`comment on database %s is '%s'`, pgx.Identifier{database}.Sanitize(), text))
	if err != nil {
		return fmt.Errorf("note what database %s is seeded with: %w", database, err)
	}
	return nil
}

// StepError means that a step was asked for that the data have left behind.
type StepError struct{ Stands, Wanted int }

func (e *StepError) Error() string {
	return fmt.Sprintf("the data here stand at step %d, and data do not go down: step %d needs data of its own. Start it in "+
		"another folder with --dir, or anew with --fresh, which removes the data here. There is a rollback only for an area "+
		"whose move is not finalized, and what up has climbed is", e.Stands, e.Wanted)
}

// findStep decides at which step the services' side is, from what was asked for and where its data stand.
func (l *Lab) findStep(ctx context.Context) error {
	stands, empty, err := l.stands(ctx)
	if err != nil {
		return err
	}
	wanted := l.options.Step
	switch {
	case wanted == nil && empty:
		l.step = Ladder[LastStep]
	case wanted == nil:
		l.step = Ladder[stands]
	case empty, *wanted >= stands, *wanted < stepEvents && stands < stepEvents: // the data of 0 and 1 are the same
		l.step = Ladder[*wanted]
	default:
		return &StepError{stands, *wanted}
	}
	if empty {
		l.climbs = l.step.Number >= stepEvents && l.step.Number < LastStep
	} else {
		l.climbs = l.step.Number >= stepEvents && l.step.Number > stands
	}
	l.settings.step = l.step
	return nil
}

// stands says at which step the services' data stand, or that there are none.
func (l *Lab) stands(ctx context.Context) (step int, empty bool, err error) {
	conn, err := postgres.Connect(ctx, l.admin)
	if err != nil {
		return 0, false, fmt.Errorf("ask at which step the data stand: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	m, err := readMark(ctx, conn, Services)
	if err != nil || m.size == "" {
		return 0, true, err
	}
	if m.low == LastStep {
		return LastStep, false, nil
	}
	location, err := inDatabase(l.admin, Services)
	if err != nil {
		return 0, false, err
	}
	at, err := ladder.Standing(ctx, location)
	if errors.Is(err, ladder.ErrChanged) {
		err = fmt.Errorf("%w; the data here are of another version: start anew with --fresh, which removes them, or keep them "+
			"and start in another folder with --dir", err)
	}
	return max(at, m.low), false, err
}

// climb moves the services' data up to the step. Nobody works on them yet.
func (l *Lab) climb(ctx context.Context) error {
	if !l.climbs {
		return nil
	}
	database := l.settings.databases[Services]
	return l.progress.during(fmt.Sprintf("moving the data to step %d", l.step.Number), func() error {
		err := ladder.Climb(ctx, database, l.step.Number, func(done string) { l.progress.say("%s", done) })
		if err != nil {
			return err
		}
		return execute(ctx, database, "vacuum what was moved", `vacuum (analyze)`) // as after a seeding
	})
}

// noteStep writes down at which of the two lowest steps data stand that have not climbed.
func (l *Lab) noteStep(ctx context.Context) error {
	if !l.has(Services) || l.step.Number >= stepEvents {
		return nil
	}
	conn, err := postgres.Connect(ctx, l.admin)
	if err != nil {
		return fmt.Errorf("note the step: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	m, err := readMark(ctx, conn, Services)
	if err != nil || m.low == l.step.Number {
		return err
	}
	m.low = l.step.Number
	return writeMark(ctx, conn, Services, m.String())
}

// schemas are those that the lab makes in a side's database: all of them where data climb.
func (l *Lab) schemas(side string) []string {
	switch {
	case side == Monolith:
		return []string{Monolith}
	case l.climbs:
		return append([]string{Monolith}, services...)
	}
	return l.step.Schemas()
}
