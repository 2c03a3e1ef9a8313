package up

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"banyan/internal/postgres"
	"banyan/scripts/lab/ladder"
)

// finalized is the stage of a move that is over, for good.
const finalized = "finalized"

// move is where an area stands whose move out of the trunk is open: it has begun and is not finalized.
type move struct {
	Area  string
	Owner string // who may write: the monolith or the area's service
	Stage string
}

// switched says that the service owns the area.
func (m move) switched() bool { return m.Owner == m.Area }

// standby is what the service is there for before it owns the area.
func (m move) standby() part {
	step, _ := stepOf(m.Area) // readMoves has asked for it
	return part{step: step, standby: true}
}

// String says where the area stands, and what the next commands are.
func (m move) String() string {
	if m.switched() {
		return fmt.Sprintf("%s is switched and not finalized: end its move with `lab finalize %[1]s`, or take it back with "+
			"`lab rollback %[1]s`", m.Area)
	}
	return fmt.Sprintf("%s is on its way out (%s): go on with `lab extract %[1]s`, undo with `lab cancel %[1]s`", m.Area, m.Stage)
}

// OpenMoveError means that a higher step was asked for while an area is on its way. A climb would hand the area over and
// finalize it, and with that remove the way back, to which nobody has agreed who is in the middle of a move.
type OpenMoveError struct {
	Stands, Wanted int
	move           move
}

func (e *OpenMoveError) Error() string {
	return fmt.Sprintf("the data here stand at step %d and can't climb to step %d while a move is open, since a climb ends it and "+
		"removes the way back. Start the lab without --step; then: %s", e.Stands, e.Wanted, e.move)
}

// readMoves are the open moves of a database, in the order in which the areas leave.
func readMoves(ctx context.Context, databaseURL string) ([]move, error) {
	conn, err := postgres.Connect(ctx, databaseURL)
	if err != nil {
		return nil, fmt.Errorf("ask which areas are on their way: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var there bool
	err = conn.QueryRow(ctx, `select to_regclass('extract.areas') is not null`).Scan(&there)
	if err != nil || !there {
		return nil, err
	}
	rows, err := conn.Query(ctx, `select area, owner, stage from extract.areas where stage <> $1`, finalized)
	if err != nil {
		return nil, fmt.Errorf("ask which areas are on their way: %w", err)
	}
	open, err := pgx.CollectRows(rows, pgx.RowToStructByPos[move])
	if err != nil {
		return nil, fmt.Errorf("ask which areas are on their way: %w", err)
	}
	var moves []move
	for _, area := range Ladder[LastStep].Extracted() {
		for _, m := range open {
			if m.Area == area {
				moves = append(moves, m)
			}
		}
	}
	return moves, nil
}

// plan is what the data say of the services' side.
type plan struct {
	step  Step // the last one whose area belongs to its service
	moves []move
}

// readPlan asks the data of a side that has a gateway.
func (l *Lab) readPlan(ctx context.Context) (plan, error) {
	database := l.settings.now().databases[Services]
	at, err := ladder.Standing(ctx, database)
	if err != nil {
		return plan{}, err
	}
	moves, err := readMoves(ctx, database)
	if err != nil {
		return plan{}, err
	}
	l.moving.Store(len(moves) > 0)
	return plan{Ladder[max(at, stepGateway)], moves}, nil
}

// parts are the processes that have to run on the services' side, and what each is there for.
func (l *Lab) parts(p plan) map[string]part {
	parts := map[string]part{}
	o := Options{Instances: l.options.Instances}
	for _, name := range o.processes([]string{Services}, p.step) {
		if _, reserved := l.settings.addresses[name]; reserved && name != "outside" {
			parts[name] = part{step: p.step}
		}
	}
	for _, m := range p.moves {
		if !m.switched() {
			parts[m.Area] = m.standby()
		}
	}
	return parts
}

// moveIsOpen says whether a move is open, as far as that is known while the database does not answer.
func (l *Lab) moveIsOpen(ctx context.Context) bool {
	moves, err := readMoves(ctx, l.settings.now().databases[Services])
	if err != nil {
		return l.moving.Load()
	}
	l.moving.Store(len(moves) > 0)
	return len(moves) > 0
}
