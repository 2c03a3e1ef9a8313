package web

import (
	"math"
	"slices"
	"sync/atomic"
	"time"
)

// How a door finds its limits. Each is a number of requests that are inside at once, and
// both follow from what the door sees: how many are served a second, how long that takes,
// and how much was done with how many inside.
const (
	// patience is how long a request may wait in a crowd. By Little's law (inside = rate × time)
	// so many may be inside as are served meanwhile.
	patience = 500 * time.Millisecond

	// asGood is how much of the most that was ever done at once is as good. Of the crowds with
	// which so much was done in ordinary times, the door lets in the smallest when it is overrun:
	// a shop that works better with more at once, since it writes for several of them in one
	// go, gets more; and nobody waits for the sake of the last few per cent.
	asGood = .9

	// crowded is how many are let in at least, for each that would be inside if none had to
	// wait, for ordinary times may not have shown what the shop can do. With one for one, some
	// processor is idle now and then; with six, next to none is, what waits is served together where
	// that is cheaper, and answers take six times as long as in quiet times. Three did a fifth less on
	// half a processor. That is a gradient of latency, as in Netflix's concurrency-limits, but by
	// area: how long one area's answers take says nothing of the others, and a card processor that
	// dawdles is not taken for overload.
	crowded = 6

	// Limits that hold whatever was seen: too little was, in a house that was empty.
	leastCrowd = 128
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
	areas      atomic.Pointer[[]*area]
	crowd, few atomic.Int64

	next   atomic.Int64 // when they are looked at again, in Unix nanoseconds
	seen   time.Time    // what follows belongs to the one that looks
	rate   float64      // answers a second
	needed float64      // how many would be inside if none had to wait: what is done, by the time it takes when little is asked
	done   [16]float64  // what was done in ordinary times with 1, 2 to 3, 4 to 7 and so on inside
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

// begin finds the limits of a house of which nothing was seen yet.
func (l *limits) begin(now time.Time) {
	l.seen = now
	l.next.Store(now.Add(lookEvery).UnixNano())
	l.set(*l.areas.Load())
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
	areas := *l.areas.Load()
	took := make([]time.Duration, len(areas))
	for i, a := range areas {
		took[i] = a.served.learn(passed, overrun)
		all += took[i]
		l.rate += a.served.rate
		l.needed += a.served.rate * a.served.quiet
	}
	if all > 0 && !overrun {
		for i, a := range areas {
			move(&a.served.share, took[i].Seconds()/all.Seconds(), passed, forgetting)
		}
		l.compare(all.Seconds()/passed.Seconds(), passed)
	}
	l.set(areas)
	l.next.Store(now.Add(lookEvery).UnixNano())
}

// compare notes what was done with so many inside. A crowd that was there for a moment counts for little: what is done in
// it was asked for before.
func (l *limits) compare(inside float64, passed time.Duration) {
	for i := range l.done {
		l.done[i] *= math.Exp(-passed.Seconds() / easing.Seconds())
	}
	at := &l.done[min(max(math.Ilogb(inside), 0), len(l.done)-1)]
	move(at, l.needed, passed, smoothing)
}

// best is the smallest crowd with which as much was done as with any.
func (l *limits) best() int64 {
	most := slices.Max(l.done[:])
	for i, done := range l.done {
		if done >= asGood*most {
			return 2 << i
		}
	}
	return 0
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

func (l *limits) set(areas []*area) {
	crowd := min(max(int64(l.rate*patience.Seconds()), leastCrowd), l.most)
	few := min(max(int64(math.Ceil(crowded*l.needed)), l.best(), leastFew), max(crowd/2, 1))
	l.crowd.Store(crowd)
	l.few.Store(few)
	known := 0.0
	for _, a := range areas {
		known += a.served.share
	}
	for _, a := range areas {
		most := few // before anything was seen
		if known > 0 {
			most = int64(math.Ceil(1.5*a.served.share/known*float64(few))) + 1
		}
		a.most.Store(max(min(most, few), 1))
	}
}

// move lets an average follow what was seen, with this time constant.
func move(average *float64, seen float64, passed, over time.Duration) {
	*average += (seen - *average) * (1 - math.Exp(-passed.Seconds()/over.Seconds()))
}
