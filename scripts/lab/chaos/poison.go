package chaos

import (
	"context"
	"slices"

	"banyan/scripts/lab/chaos/fault"
)

type deadLetterRow struct {
	EventID  string
	Consumer string
}

const selectDeadLetters = `select event_id::text, consumer from @area.dead_letters where replayed_at is null`

// judgePoison looks whether each reader has put each poison event aside.
func (s *storm) judgePoison(ctx context.Context, e *evidence) ([]Violation, error) {
	found := newFindings()
	if len(s.world.Planted) == 0 {
		return found.all, nil
	}
	var there []deadLetterRow
	for _, area := range fault.PoisonReaders {
		rows, err := rows[deadLetterRow](ctx, e, inArea(selectDeadLetters, area))
		if err != nil {
			return nil, err
		}
		there = append(there, rows...)
	}
	for _, id := range s.world.Planted {
		for _, reader := range fault.PoisonReaders {
			if !slices.Contains(there, deadLetterRow{id, reader}) {
				found.add("a poison event is put aside by each of its readers", "event %s is not, by %s", id, reader)
			}
		}
	}
	return found.all, nil
}
