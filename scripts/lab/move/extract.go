package move

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"banyan/scripts/lab/gauge"
	"banyan/scripts/lab/ladder"
	"banyan/scripts/lab/up"
)

// The stages of an extraction, at whose end it may stop.
const (
	UntilBackfill = "backfill"
	UntilVerify   = "verify"
	UntilShadow   = "shadow"
	UntilSwitch   = "switch"
)

// Pace is how an extraction goes easy on customers.
type Pace struct {
	BatchSize  int           // aggregates in a range; 0: [ladder.RangeSize]
	BatchDelay time.Duration // after each range
	MaxP99     time.Duration // the copier rests while customers wait longer; 0: it doesn't look
}

// Extract copies an area and tries its service, and stops before the switch. It goes on where an earlier run has stopped,
// wherever that was.
func (m *Move) Extract(ctx context.Context, pace Pace, until string) error {
	if m.owner == m.area {
		m.say("%s has left the monolith already", m.area)
		return nil
	}
	if err := m.mayBegin(ctx); err != nil {
		return err
	}
	if m.stage != ladder.StageCopied {
		if err := m.copy(ctx, pace); err != nil {
			return err
		}
	}
	if until == UntilBackfill {
		return nil
	}
	if err := m.catchUp(ctx); err != nil {
		return err
	}
	if err := m.verify(ctx); err != nil || until == UntilVerify {
		return err
	}
	if err := m.standBy(ctx); err != nil {
		return err
	}
	return m.try(ctx)
}

// copy makes what the step needs that is not there, has changes noted, and copies everything.
func (m *Move) copy(ctx context.Context, pace Pace) error {
	if err := m.during(ctx, "prepare", func(*Stage) error { return m.control.Prepare(ctx, m.area) }); err != nil {
		return err
	}
	if err := m.during(ctx, "note", func(*Stage) error { return m.copier.Note(ctx) }); err != nil {
		return err
	}
	if err := m.refresh(ctx); err != nil {
		return err
	}
	return m.backfill(ctx, pace)
}

// backfill copies what is not copied yet.
func (m *Move) backfill(ctx context.Context, pace Pace) error {
	if pace.BatchSize == 0 {
		pace.BatchSize = ladder.RangeSize
	}
	return m.during(ctx, "backfill", func(s *Stage) error {
		err := m.copier.Backfill(ctx, pace.BatchSize, func(p ladder.Progress) error {
			s.Rows += p.Rows
			if own, _, err := gauge.Memory(os.Getpid()); err == nil {
				s.Memory = max(s.Memory, float64(own)/(1<<20))
			}
			m.progress(p, s)
			return m.rest(ctx, pace, s)
		})
		return errors.Join(err, m.refresh(ctx))
	})
}

// How long the copier rests. It goes on now and then however long customers wait, or a busy shop would never be copied.
const (
	restStep  = 100 * time.Millisecond
	mostRest  = 5 * time.Second
	lookBack  = time.Second // for what customers notice now
	fewAtHand = 20          // requests that tell something
)

// rest waits after a range: as long as the caller wants, while somebody has paused the move, and while customers wait too
// long.
func (m *Move) rest(ctx context.Context, pace Pace, s *Stage) error {
	began := time.Now()
	defer func() { s.Rested += time.Since(began).Seconds() }()
	if err := pause(ctx, pace.BatchDelay); err != nil {
		return err
	}
	if paused(m.state.Dir, m.area) {
		m.say("paused; lab resume %s lets it go on. Triggers go on noting", m.area)
		for paused(m.state.Dir, m.area) {
			if err := pause(ctx, restStep); err != nil {
				return err
			}
		}
		m.say("resumed")
	}
	if pace.MaxP99 == 0 {
		return nil
	}
	for resting := time.Now(); time.Since(resting) < mostRest; {
		now := m.watch.recently(lookBack)
		if now.Requests < fewAtHand || now.P99 <= float64(pace.MaxP99.Microseconds())/1000 {
			return nil
		}
		if err := pause(ctx, restStep); err != nil {
			return err
		}
	}
	return nil
}

// progress says now and then how far the backfill is.
func (m *Move) progress(p ladder.Progress, s *Stage) {
	if !p.Done && time.Since(m.said) < time.Second {
		return
	}
	m.said = time.Now()
	took := time.Since(s.At)
	text := fmt.Sprintf("%s: %d of %d", p.Root, p.Copied, max(p.Total, p.Copied))
	if rate := float64(s.Rows) / took.Seconds(); rate > 0 {
		text += fmt.Sprintf(", %.0f rows/s", rate)
	}
	if p.Copied > 0 && !p.Done {
		left := time.Duration(float64(took) * float64(p.Total-p.Copied) / float64(p.Copied))
		text += fmt.Sprintf(", about %s left", max(left, 0).Round(time.Second))
	}
	if now := m.watch.recently(lookBack); now.Requests > 0 {
		text += fmt.Sprintf("; customers' p99 now %.1f ms", now.P99)
	}
	m.say("%s", text)
}

func (m *Move) catchUp(ctx context.Context) error {
	return m.during(ctx, "catch up", func(s *Stage) error {
		defer m.tellLag(ctx)()
		notes, err := m.copier.CatchUp(ctx)
		s.Rows = int64(notes)
		return err
	})
}

// tellLag says every second how many notes are left, which are many if the area was written for long. The copier's
// connection is at work, so it asks on one of its own.
func (m *Move) tellLag(ctx context.Context) (stop func()) {
	ctx, stop = context.WithCancel(ctx)
	go func() {
		for before := -1; pause(ctx, time.Second) == nil; {
			all, err := ladder.Status(ctx, m.state.Databases[up.Services])
			if err != nil {
				return // the copier has the same trouble, and says so
			}
			left := all[slices.IndexFunc(all, func(s ladder.AreaStatus) bool { return s.Area == m.area })].Lag
			if before > left && left > 0 {
				done := before - left
				m.say("%d changes left, %d/s, about %d s", left, done, left/done+1)
			}
			before = left
		}
	}()
	return stop
}

// catchUpDuring goes on catching up for a while.
func (m *Move) catchUpDuring(ctx context.Context, wait time.Duration) error {
	for until := time.Now().Add(wait); time.Now().Before(until); {
		if _, err := m.copier.CatchUp(ctx); err != nil {
			return err
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// verify compares both sides. Rows that differ are an error that names them.
func (m *Move) verify(ctx context.Context) error {
	return m.during(ctx, "verify", func(s *Stage) error {
		report, err := m.copier.Verify(ctx, ladder.Samples)
		if err != nil {
			return err
		}
		m.verified(s, report)
		m.say("%s", report)
		if report.Drifted > 0 {
			return fmt.Errorf("%w; lab verify-data %s --repair copies these rows again", ladder.ErrDrift, m.area)
		}
		return nil
	})
}

// verified keeps what a comparison has seen.
func (m *Move) verified(s *Stage, report ladder.Report) {
	m.record.Verifications = append(m.record.Verifications, Verification{
		At: s.At, Seconds: time.Since(s.At).Seconds(), Back: m.owner == m.area, Report: report,
	})
}

// standBy has the service run and serve reads, and nothing else: no worker, no consumer, no relay.
func (m *Move) standBy(ctx context.Context) error {
	return m.during(ctx, "stand by", func(*Stage) error {
		running, err := m.control.Processes(ctx)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(running, func(p up.ProcessStatus) bool { return p.Name == m.area && p.Running }) {
			return nil
		}
		// The tool may be another one than that which made the copy, and the lab may have been stopped in between.
		if err := m.control.Prepare(ctx, m.area); err != nil {
			return err
		}
		if err := m.start(ctx, m.area, m.step.Number, true); err != nil {
			return err
		}
		return m.refresh(ctx)
	})
}

// Cancel undoes a move that has not been switched: nothing but the copy is touched.
func (m *Move) Cancel(ctx context.Context) error {
	switch m.stage {
	case ladder.StageCutOver, ladder.StageFinalizing, ladder.StageFinalized:
		return &StageError{Area: m.area, Stage: m.stage, Wanted: "cancel"}
	case "":
		m.say("%s is not on its way", m.area)
		return nil
	}
	if m.urlOf(m.area) != "" { // the lab has it
		if _, err := m.control.Stop(ctx, m.area, stopTime); err != nil {
			return err
		}
	}
	if err := m.copier.Cancel(ctx); err != nil {
		return err
	}
	return errors.Join(m.refresh(ctx), m.record.forget(), resume(m.state.Dir, m.area))
}

// Finalize drops what the area has left behind, or keeps it under other names. There is no way back after it.
func (m *Move) Finalize(ctx context.Context, keep bool) error {
	switch m.stage {
	case ladder.StageFinalized:
		m.say("%s is finalized already", m.area)
		return nil
	case ladder.StageCutOver, ladder.StageFinalizing:
	default:
		return &StageError{Area: m.area, Stage: m.stage, Wanted: "finalize"}
	}
	err := m.during(ctx, "finalize", func(*Stage) error { return m.copier.Finalize(ctx, keep) })
	if err == nil && m.step.Number == up.LastStep {
		err = m.dropConsumer(ctx)
	}
	return errors.Join(err, m.refresh(ctx))
}
