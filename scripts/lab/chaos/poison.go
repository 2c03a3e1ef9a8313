package chaos

import (
	"context"
	"slices"

	"banyan/scripts/lab/chaos/fault"
	"banyan/scripts/lab/history"
)

// judgePoison looks whether each reader has put each poison event aside.
func (s *storm) judgePoison(ctx context.Context, e *history.Evidence) ([]history.Violation, error) {
	found := history.NewFindings()
	if len(s.world.Planted) == 0 {
		return found.All, nil
	}
	var there []history.DeadLetter
	for _, area := range fault.PoisonReaders {
		rows, err := e.DeadLetters(ctx, area)
		if err != nil {
			return nil, err
		}
		there = append(there, rows...)
	}
	for _, id := range s.world.Planted {
		for _, reader := range fault.PoisonReaders {
			if !slices.Contains(there, history.DeadLetter{EventID: id, Consumer: reader}) {
				found.Add("a poison event is put aside by each of its readers", "event %s is not, by %s", id, reader)
			}
		}
	}
	return found.All, nil
}
