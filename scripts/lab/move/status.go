package move

import (
	"context"
	"io"
	"time"

	"banyan/scripts/lab/ladder"
	"banyan/scripts/lab/up"
)

// Status is where one area stands.
type Status struct {
	Area      string            `json:"area"`
	Step      int               `json:"step"`
	Owner     string            `json:"owner"`
	Stage     string            `json:"stage"` // empty: its move has not begun
	Since     *time.Time        `json:"since,omitempty"`
	Roots     []ladder.Progress `json:"roots,omitempty"` // aggregates copied and to copy
	Lag       int               `json:"lag"`             // changes noted and not yet copied
	Rate      float64           `json:"rows_per_second,omitempty"`
	Left      float64           `json:"seconds_left,omitempty"`
	AtWork    bool              `json:"at_work"` // a tool holds the area
	Paused    bool              `json:"paused"`
	Waits     string            `json:"waits,omitempty"` // why nothing happens
	Verified  *Verification     `json:"last_verification,omitempty"`
	NextSteps []string          `json:"next_steps"`
}

// ReadStatus asks where all areas stand. It needs no tool to be at work, and disturbs none.
func ReadStatus(ctx context.Context, state *up.State) ([]Status, error) {
	areas, err := ladder.Status(ctx, state.Databases[up.Services])
	if err != nil {
		return nil, err
	}
	var all []Status
	before := "" // the area that has to be out of the way first
	for _, a := range areas {
		s := Status{
			Area: a.Area, Step: a.Step, Owner: a.Owner, Stage: a.Stage, Since: a.Since, Roots: a.Roots, Lag: a.Lag,
			AtWork: a.AtWork, Paused: paused(state.Dir, a.Area), NextSteps: NextSteps(a.Area, a.Stage),
		}
		r, err := ReadRecord(state.Dir, a.Area, a.Step)
		if err != nil {
			return nil, err
		}
		if n := len(r.Verifications); n > 0 {
			s.Verified = &r.Verifications[n-1]
		}
		s.estimate(r)
		switch {
		case s.Paused:
			s.Waits = "paused: lab resume " + a.Area
		case s.Stage == "" && before != "":
			s.Waits = before + " leaves first, and has to be finalized"
			s.NextSteps = nil
		case !s.AtWork && s.Stage == ladder.StageNoted:
			s.Waits = "no tool is at work on it"
		}
		if before == "" && a.Stage != ladder.StageFinalized {
			before = a.Area
		}
		all = append(all, s)
	}
	return all, nil
}

// estimate says how fast the backfill is and how long it will take, by what is copied since it began.
func (s *Status) estimate(r *Record) {
	if s.Stage != ladder.StageNoted || s.Since == nil {
		return
	}
	var copied, total int64
	for _, root := range s.Roots {
		copied += root.Copied
		total += root.Total
	}
	took := time.Since(*s.Since).Seconds()
	if copied > 0 && took > 0 {
		s.Rate = float64(copied) / took
		s.Left = float64(max(total-copied, 0)) / s.Rate
	}
}

// PrintStatus writes it for people.
func PrintStatus(out io.Writer, all []Status) error {
	p := &page{out: out}
	for _, s := range all {
		where := s.Owner
		if s.Stage != "" {
			where += ", " + s.Stage
		}
		p.line("%d  %-14s %s", s.Step, s.Area, where)
		if s.Stage == "" && s.Waits != "" || s.Stage == ladder.StageFinalized {
			if s.Waits != "" {
				p.line("     %s", s.Waits)
			}
			continue
		}
		for _, root := range s.Roots {
			state := "to copy"
			if root.Done {
				state = "copied"
			}
			p.line("     %-14s %d of %d %s", root.Root, root.Copied, max(root.Total, root.Copied), state)
		}
		if s.Rate > 0 {
			p.line("     %.0f aggregates/s, about %s left", s.Rate, (time.Duration(s.Left) * time.Second).Round(time.Second))
		}
		if s.Stage != "" {
			p.line("     %d changes noted and not yet copied", s.Lag)
		}
		if s.Verified != nil {
			p.line("     compared at %s: %s", s.Verified.At.Local().Format(time.TimeOnly), s.Verified.Report)
		}
		if s.Waits != "" {
			p.line("     %s", s.Waits)
		}
		if s.AtWork {
			p.line("     a tool is at work on it")
		}
		for _, next := range s.NextSteps {
			p.line("     next: %s", next)
		}
	}
	return p.err
}
