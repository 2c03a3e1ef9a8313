package web

import (
	"math"
	"sync/atomic"
	"time"
)

// How a door finds its limits. Each is a number of requests that are inside at once, and
// both follow from what the door sees: how many are served a second, and how long that takes.
const (
	// patience is how long a request may wait in a crowd. By Little's law (inside = rate × time)
	// so many may be inside as are served meanwhile.
	patience = 500 * time.Millisecond

	// crowded is how many are let in when the door is overrun, for each that would be inside if none had to wait. With
	// one for one, some processor is idle now and then; with three, next to none is, and answers take three times as
	// long as in quiet times. `lab overload` on one processor: with two the monolith keeps 77 % of its goodput, with
	// three 98 %, with four 81 to 94 %, with sixteen 72 %. So it is a gradient of latency, as in Netflix's
	// concurrency-limits, but by area: how long one area's answers take says nothing of the others, and a card processor
	// that dawdles is not taken for overload.
	crowded = 4

	// Limits that hold whatever was seen: too little was, in a house that was empty.
	leastCrowd = 96
	leastFew   = 8

	lookEvery  = 100 * time.Millisecond
	smoothing  = time.Second      // of rates
	forgetting = 30 * time.Second // of shares
	easing     = 20 * time.Minute // in which a quiet time may grow e-fold, should the shop have become slower for good
	sample     = 20               // answers of an area, at least, that tell how long it takes
)

// limits are those of one door.
type limits struct {
	most       int64 // ever
	areas      []*area
	crowd, few atomic.Int64

	next   atomic.Int64 // when they are looked at again, in Unix nanoseconds
	seen   time.Time    // what follows belongs to the one that looks
	rate   float64      // answers a second
	needed float64      // how many would be inside if none had to wait
}

// served is what the door knows of an area's answers.
type served struct {
	count, nanos atomic.Int64 // since the last look

	n     int64 // those not yet enough for a sample
	took  time.Duration
	rate  float64 // a second
	quiet float64 // how long an answer takes when little is asked, in seconds
	share float64 // of the time that all areas take, before the house was overrun
}

func (s *served) add(took time.Duration) {
	s.count.Add(1)
	s.nanos.Add(int64(took))
}

func newLimits(most int64, areas []*area, now time.Time) *limits {
	l := &limits{most: most, areas: areas, seen: now}
	l.next.Store(now.Add(lookEvery).UnixNano())
	l.set()
	return l
}

// look finds the limits anew, if it is time, by what was served since the last time.
func (l *limits) look(now time.Time, overrun bool) {
	next := l.next.Load()
	if now.UnixNano() < next || !l.next.CompareAndSwap(next, math.MaxInt64) {
		return
	}
	passed := now.Sub(l.seen)
	l.seen = now
	l.rate, l.needed = 0, 0
	var all time.Duration
	took := make([]time.Duration, len(l.areas))
	for i, a := range l.areas {
		took[i] = a.served.learn(passed, overrun)
		all += took[i]
		l.rate += a.served.rate
		l.needed += a.served.rate * a.served.quiet
	}
	if all > 0 && !overrun {
		for i, a := range l.areas {
			move(&a.served.share, took[i].Seconds()/all.Seconds(), passed, forgetting)
		}
	}
	l.set()
	l.next.Store(now.Add(lookEvery).UnixNano())
}

// learn takes up what was served, and says how long that took in sum.
func (s *served) learn(passed time.Duration, overrun bool) time.Duration {
	n, took := s.count.Swap(0), time.Duration(s.nanos.Swap(0))
	move(&s.rate, float64(n)/passed.Seconds(), passed, smoothing)
	s.n += n
	s.took += took
	if s.n >= sample {
		mean := s.took.Seconds() / float64(s.n)
		switch {
		case s.quiet == 0:
			s.quiet = mean
		case mean < s.quiet:
			s.quiet += (mean - s.quiet) / 4 // not at once: these few may have been cheap ones
		case !overrun:
			s.quiet = min(mean, s.quiet*math.Exp(passed.Seconds()/easing.Seconds()))
		}
		s.n, s.took = 0, 0
	}
	return took
}

func (l *limits) set() {
	crowd := min(max(int64(l.rate*patience.Seconds()), leastCrowd), l.most)
	few := min(max(int64(math.Ceil(crowded*l.needed)), leastFew), max(crowd/4, 1))
	l.crowd.Store(crowd)
	l.few.Store(few)
	known := 0.0
	for _, a := range l.areas {
		known += a.served.share
	}
	for _, a := range l.areas {
		most := few // before anything was seen
		if known > 0 {
			most = max(int64(math.Ceil(1.5*a.served.share/known*float64(few))), few/8, 1)
		}
		a.most.Store(min(most, few))
	}
}

// move lets an average follow what was seen, with this time constant.
func move(average *float64, seen float64, passed, over time.Duration) {
	*average += (seen - *average) * (1 - math.Exp(-passed.Seconds()/over.Seconds()))
}
