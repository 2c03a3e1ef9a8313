package load

import (
	"math"
	"time"
)

// LateAfter is what makes a turn late: it began so long after it was due although the generator had a client free. A turn that
// waited for the answer to another one is not late; it is measured from when it was due.
//
// The generator shares its processors with what it asks, and there a thread waits for some milliseconds now and then: on two
// of them up to 1 in 120 turns began 10 ms late at seven tenths of what the shop can do, with nothing else at work. So a
// shorter time would call good runs bad. An experiment whose figures are finer than that looks at Delays.
const LateAfter = 10 * time.Millisecond

// Pace is how well the generator kept to the plan of an open loop.
type Pace struct {
	Delays Latencies // of the turns for which a client was free
	Late   int64     // how many of these began late
}

// Keep counts a turn.
func (p *Pace) Keep(turn Turn) {
	if !turn.Free {
		return
	}
	p.Delays.Coarse = true
	p.Delays.Took(turn.Delay)
	if turn.Delay > LateAfter {
		p.Late++
	}
}

// Add makes the other's turns part of this one's.
func (p *Pace) Add(other *Pace) {
	p.Delays.Coarse = true
	p.Delays.Add(&other.Delays)
	p.Late += other.Late
}

// LateShare is which part of the turns began late, of those for which a client was free.
func (p *Pace) LateShare() float64 { return float64(p.Late) / float64(max(p.Delays.Count(), 1)) }

// TooLate says whether a larger share than that was late, by more than chance makes of so few turns (three standard
// deviations).
func (p *Pace) TooLate(most float64) bool {
	allowed := most * float64(p.Delays.Count())
	return float64(p.Late) > allowed+3*math.Sqrt(allowed)
}
