package bench

import (
	"context"
	"time"
)

// narrow spends the time that is left on more rounds of the mix whose ratio is known worst. It goes by the width of the range
// and not by the verdict: a run that went on until it liked what it saw would lean to that side.
func (r *runner) narrow(ctx context.Context, report *Report) error {
	for !r.tooLate(r.shareOfTime(len(r.options.Mixes) - 1)) {
		mix, rounds := r.widest(report)
		if rounds == 0 {
			return nil
		}
		l := r.closed(report.result(r.sides[0].name, mix.Name).Browsers)
		l.number = rounds + 1
		err := r.countTransactions(ctx, mix, report, func() error { return r.closedRound(ctx, mix, l, report) })
		if err != nil {
			return err
		}
	}
	return nil
}

// widest is the mix with the widest range of those that may have more rounds, and how many it has had; none if all
// ranges are narrow.
func (r *runner) widest(report *Report) (mix Mix, rounds int) {
	first, most := r.sides[0].name, 0.0
	for _, m := range r.options.Mixes {
		for _, s := range r.sides[1:] {
			c := report.comparison(s.name, first, m.Name)
			if c != nil && c.wide() && c.width() >= most && len(c.Rounds) < r.options.MostRounds {
				mix, rounds, most = m, len(c.Rounds), c.width()
			}
		}
	}
	return mix, rounds
}

// limit gives the run the time that its sides need. Options.Within is meant for two.
func (r *runner) limit() time.Duration {
	return r.options.Within * time.Duration(max(len(r.sides), 2)) / 2
}

// shareOfTime is when a mix has to be through with its rounds, so that each mix gets as much of the time as the others.
func (r *runner) shareOfTime(mix int) time.Time {
	return r.began.Add(r.limit() * time.Duration(mix+1) / time.Duration(len(r.options.Mixes)))
}

// tooLate says whether another round would end after that moment. Without a limit there is always time.
func (r *runner) tooLate(until time.Time) bool {
	return r.options.Within > 0 && time.Now().Add(r.longest).After(until)
}
