package move

import (
	"context"
	"errors"
	"fmt"

	"banyan/scripts/lab/ladder"
)

// VerifyData compares both sides of an area that is copied, in the direction in which it is copied now, and copies the
// rows that differ again if it is to repair them.
func (m *Move) VerifyData(ctx context.Context, samples int, repair bool) (report ladder.Report, err error) {
	err = m.during(ctx, "verify", func(s *Stage) error {
		if _, err := m.copier.CatchUp(ctx); err != nil {
			return err
		}
		if report, err = m.copier.Verify(ctx, samples); err != nil {
			return err
		}
		m.verified(s, report)
		return nil
	})
	if err != nil || report.Drifted == 0 || !repair {
		return report, err
	}
	return report, m.during(ctx, "repair", func(*Stage) error {
		for round := 1; ; round++ {
			if err := m.copier.Repair(ctx, report.Samples); err != nil {
				return err
			}
			left, err := m.copier.Verify(ctx, samples)
			if err != nil {
				return err
			}
			if left.Drifted == 0 {
				m.say("repaired; %s", left)
				return nil
			}
			if round == 1000 {
				return fmt.Errorf("%d rows still differ after %d repairs: %w", left.Drifted, round, ladder.ErrDrift)
			}
			report.Samples = left.Samples
		}
	})
}

// Plant spoils a row, as lab drift does, and says which.
func (m *Move) Plant(ctx context.Context, kind string) (ladder.Drift, error) {
	kinds := map[string]string{"lost": ladder.LostUpdate, "deleted": ladder.DeletedRow, "changed": ladder.ChangedValue}
	if kinds[kind] == "" {
		return ladder.Drift{}, errors.New("a kind of drift is lost, deleted or changed")
	}
	return m.copier.Plant(ctx, kinds[kind])
}
