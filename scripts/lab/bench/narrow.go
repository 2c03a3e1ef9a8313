package bench

import (
	"context"
	"time"

	"banyan/scripts/lab/workload"
)

// narrow spends the time that is left on more rounds of the mix whose ratio is known worst. It goes by the width of the range
// and not by the verdict: a run that went on until it liked what it saw would lean to that side.
func (r *runner) narrow(ctx context.Context, report *Report) error {
	for !r.tooLate(r.end()) {
		mix, rounds := r.widest(report)
		if rounds == 0 {
			return nil
		}
		l := r.closed(report.result(r.sides[0].name, mix.Name).Browsers)
		l.Number = rounds + 1
		err := r.countTransactions(ctx, mix, report, func() error { return r.closedRound(ctx, mix, l, report) })
		if err != nil {
			return err
		}
	}
	return nil
}

// widest is the mix with the widest range of those that may have more rounds, and how many it has had; none if all
// ranges are narrow.
func (r *runner) widest(report *Report) (mix workload.Mix, rounds int) {
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

// end is when the run has to be over. Options.Within is meant for two sides.
func (r *runner) end() time.Time {
	return r.began.Add(r.options.Within * time.Duration(max(len(r.sides), 2)) / 2)
}

// shareOfTime is when the next mix has to be through with its rounds, so that those after it get as much of the time that is left.
func (r *runner) shareOfTime(mixesLeft int) time.Time {
	now := time.Now()
	return now.Add(r.end().Sub(now) / time.Duration(mixesLeft))
}

// tooLate says whether another round would end after that moment. Without a limit there is always time.
func (r *runner) tooLate(until time.Time) bool {
	return r.options.Within > 0 && time.Now().Add(r.longest).After(until)
}
