package bench

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"banyan/scripts/lab/bench/drive"
	"banyan/scripts/lab/shop"
)

// load is how a side is asked in a round.
type load struct {
	kind     string
	browsers int // each with one connection
	// rate is the interactions per second of an open loop. Zero makes a closed loop: each browser asks again as
	// soon as it has its answer and its customer has thought.
	rate   float64
	share  float64 // of the slower side's highest throughput, which the rate was made from
	think  time.Duration
	length time.Duration
	// Rounds with the same number have the same scripts.
	number      int
	sampleEvery int64 // of so many answers one is read and compared
}

// The kinds of rounds.
const (
	kindWarmUp = "warm-up"
	kindSweep  = "sweep"  // closed loops at several numbers of browsers
	kindClosed = "closed" // the highest throughput
	kindOpen   = "open"   // latency at a fixed rate
)

// lateAfter is how late the generator may begin an interaction without being called late.
const lateAfter = 10 * time.Millisecond

// schedule says when the interactions of an open loop begin: at a steady rate, whatever becomes of those before. A
// latency counts from that moment, so that a side which stalls for a second has made everybody wait who came in that
// second, and not only those whom the generator had connections for ("coordinated omission" would forget the others).
type schedule struct {
	began time.Time
	every time.Duration
	count int64
	// givenUp is when interactions that still have not begun are counted as errors.
	givenUp time.Time
	next    atomic.Int64
	sleep   func(context.Context, time.Duration)
}

func newSchedule(began time.Time, rate float64, length time.Duration) *schedule {
	return &schedule{
		began: began, every: time.Duration(float64(time.Second) / rate),
		count:   int64(math.Round(rate * length.Seconds())),
		givenUp: began.Add(2*length + 5*time.Second),
		sleep:   exactly,
	}
}

// take claims the next interaction's moment.
func (s *schedule) take() (intended time.Time, more bool) {
	n := s.next.Add(1) - 1
	if n >= s.count {
		return time.Time{}, false
	}
	return s.began.Add(time.Duration(n) * s.every), true
}

// follow makes the visits of a schedule, with others that follow it too.
func (b *browser) follow(ctx context.Context, s *schedule) {
	defer b.leave()
	for ctx.Err() == nil {
		intended, more := s.take()
		if !more {
			return
		}
		v := b.script.next()
		if time.Now().After(s.givenUp) {
			b.tally.errors++
			b.tally.complain(fmt.Sprintf("an interaction could not begin within %s of its time: the rate is more than the side can do",
				s.givenUp.Sub(intended).Round(time.Second)))
			continue
		}
		if ahead := time.Until(intended); ahead > 0 {
			s.sleep(ctx, ahead)
			// The browser had nothing else to do, so if it is late now, that is the generator's own doing.
			b.tally.punctual++
			if time.Since(intended) > lateAfter {
				b.tally.late++
			}
		}
		b.take(ctx, &v, intended)
	}
}

// driveAll lets the browsers ask, and returns how long that took.
func driveAll(ctx context.Context, browsers []*browser, l load) time.Duration {
	began := time.Now()
	var plan *schedule
	if l.rate > 0 {
		plan = newSchedule(began, l.rate, l.length)
	}
	var group sync.WaitGroup
	for _, b := range browsers {
		group.Go(func() {
			if plan != nil {
				b.follow(ctx, plan)
			} else {
				b.run(ctx, began.Add(l.length), l.think)
			}
		})
	}
	group.Wait()
	return time.Since(began)
}

// exactly is shop.Pause, but to the tenth of a millisecond: a page takes less than what a timer may be late.
func exactly(ctx context.Context, d time.Duration) {
	const last = 5 * time.Millisecond
	end := time.Now().Add(d)
	if d > last && shop.Pause(ctx, d-last) != nil {
		return
	}
	if ctx.Err() == nil {
		drive.Sleep(time.Until(end))
	}
}
