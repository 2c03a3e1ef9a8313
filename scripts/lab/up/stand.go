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
	climbMark      = ", climbs to "
	unfinishedMark = "banyan seed unfinished"
)

// seedMark is what a database's comment says.
type seedMark struct {
	size       seed.Size // empty: nothing was seeded
	low        int       // 0 or 1, where data that have not climbed stand; LastStep: they were seeded there
	climbs     int       // the step that the data were climbing to when the lab was stopped; 0: none
	unfinished bool
}

func (m seedMark) String() string {
	if m.low == LastStep {
		return seededMark + string(m.size)
	}
	text := fmt.Sprintf("%s%s%s%d", seededMark, m.size, stepMark, m.low)
	if m.climbs > 0 {
		text += fmt.Sprintf("%s%d", climbMark, m.climbs)
	}
	return text
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
	return parseMark(database, text)
}

// parseMark reads what the comment of a database says.
func parseMark(database, text string) (m seedMark, err error) {
	given, seeded := strings.CutPrefix(text, seededMark)
	if !seeded {
		return seedMark{unfinished: text == unfinishedMark}, nil
	}
	given, upTo, climbs := strings.Cut(given, climbMark)
	if climbs {
		if m.climbs, err = strconv.Atoi(upTo); err != nil || m.climbs > LastStep {
			return m, fmt.Errorf("database %s says that it climbs to step %q", database, upTo)
		}
	}
	size, low, between := strings.Cut(given, stepMark)
	m.low = LastStep
	if between {
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
type StepError struct {
	Stands, Wanted int
	Back           string // the area that can come back to the trunk: it is switched and not finalized
}

func (e *StepError) Error() string {
	text := fmt.Sprintf("the data here stand at step %d, and lab up does not take them down: step %d needs data of its own. Start it "+
		"in another folder with --dir, or anew with --fresh, which removes the data here. ", e.Stands, e.Wanted)
	if e.Back == "" {
		return text + "There is a rollback only for an area that is switched and not finalized, and here is none"
	}
	return text + fmt.Sprintf("Only %s can come back, to step %d, since it is not finalized: start the lab without --step, and then "+
		"`lab rollback %[1]s`", e.Back, e.Stands-1)
}

// standing is where the services' data stand.
type standing struct {
	step   int
	empty  bool   // there are none
	climbs int    // the step that an earlier lab was moving them to when it was stopped; 0: none
	moves  []move // that are open, one at a time at most, and not by a climb
}

// findStep decides at which step the services' side is, from what was asked for and where its data stand.
func (l *Lab) findStep(ctx context.Context) error {
	at, err := l.stands(ctx)
	if err != nil {
		return err
	}
	if l.step, l.climbs, err = at.choose(l.options.Step); err != nil {
		return err
	}
	if !l.climbs {
		l.moves = at.moves
		l.moving.Store(len(at.moves) > 0)
	}
	l.settings.become(l.step)
	return nil
}

// choose is the step to start at, nil being any, and whether the data have to climb to it.
func (at standing) choose(wanted *int) (step Step, climbs bool, err error) {
	if at.empty {
		number := LastStep
		if wanted != nil {
			number = *wanted
		}
		return Ladder[number], number >= stepEvents && number < LastStep, nil
	}
	number := max(at.step, at.climbs) // a climb that was broken off goes on
	if wanted != nil {
		number = *wanted
	}
	switch {
	case number < at.step && at.step >= stepEvents: // the data of 0 and 1 are the same
		down := &StepError{Stands: at.step, Wanted: number}
		for _, m := range at.moves {
			if m.switched() {
				down.Back = m.Area
			}
		}
		return Step{}, false, down
	case number < stepGateway && len(at.moves) > 0:
		return Step{}, false, fmt.Errorf("step 0 has no gateway, by which alone a move goes on. Start the lab without --step; then: %s", at.moves[0])
	case number > at.step && at.climbs == 0 && len(at.moves) > 0:
		return Step{}, false, &OpenMoveError{at.step, number, at.moves[0]}
	}
	brokenOff := number == at.climbs && len(at.moves) > 0
	return Ladder[number], number >= stepEvents && (number > at.step || brokenOff), nil
}

// stands says where the services' data stand.
func (l *Lab) stands(ctx context.Context) (at standing, err error) {
	conn, err := postgres.Connect(ctx, l.admin)
	if err != nil {
		return at, fmt.Errorf("ask at which step the data stand: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	m, err := readMark(ctx, conn, Services)
	if err != nil || m.size == "" {
		return standing{empty: true}, err
	}
	if m.low == LastStep {
		return standing{step: LastStep}, nil
	}
	location, err := inDatabase(l.admin, Services)
	if err != nil {
		return at, err
	}
	at.step, err = ladder.Standing(ctx, location)
	if errors.Is(err, ladder.ErrChanged) {
		err = fmt.Errorf("%w; the data here are of another version: start anew with --fresh, which removes them, or keep them "+
			"and start in another folder with --dir", err)
	}
	if err != nil {
		return at, err
	}
	if at.moves, err = readMoves(ctx, location); err != nil {
		return at, err
	}
	// Where an area is on its way, there is a gateway.
	if at.climbs = m.climbs; at.step < stepEvents && len(at.moves) > 0 {
		m.low = stepGateway
	}
	at.step = max(at.step, m.low)
	return at, nil
}

// climb moves the services' data up to the step. Nobody works on them yet.
func (l *Lab) climb(ctx context.Context) error {
	if !l.climbs {
		return nil
	}
	database := l.settings.databases[Services]
	// A climb that is broken off leaves an area on its way. The next start has to know it from a live move.
	if err := l.noteClimb(ctx, l.step.Number); err != nil {
		return err
	}
	return l.progress.during(fmt.Sprintf("moving the data to step %d", l.step.Number), func() error {
		err := ladder.Climb(ctx, database, l.step.Number, func(done string) { l.progress.say("%s", done) })
		if err != nil {
			return err
		}
		if err := l.noteClimb(ctx, 0); err != nil {
			return err
		}
		return execute(ctx, database, "vacuum what was moved", `vacuum (analyze)`) // as after a seeding
	})
}

// noteClimb writes down which step the services' data are climbing to; 0 is none.
func (l *Lab) noteClimb(ctx context.Context, to int) error {
	return l.noteMark(ctx, func(m *seedMark) { m.climbs = to })
}

// noteStep writes down that the data do not climb, and at which of the two lowest steps those stand that never have.
func (l *Lab) noteStep(ctx context.Context) error {
	if !l.has(Services) || l.climbs {
		return nil
	}
	return l.noteMark(ctx, func(m *seedMark) {
		m.climbs = 0
		if l.step.Number < stepEvents {
			m.low = l.step.Number
		}
	})
}

// noteMark changes what is noted of the services' data, unless they were seeded as those of the last step.
func (l *Lab) noteMark(ctx context.Context, change func(*seedMark)) error {
	conn, err := postgres.Connect(ctx, l.admin)
	if err != nil {
		return fmt.Errorf("note the step: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	before, err := readMark(ctx, conn, Services)
	if err != nil || before.low == LastStep {
		return err
	}
	after := before
	if change(&after); after == before {
		return nil
	}
	return writeMark(ctx, conn, Services, after.String())
}

// schemas are those that the lab makes in a side's database: all of them where data climb or are on their way.
func (l *Lab) schemas(side string) []string {
	switch {
	case side == Monolith:
		return []string{Monolith}
	case l.climbs || len(l.moves) > 0:
		return append([]string{Monolith}, services...)
	}
	return l.step.Schemas()
}
