package points

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"banyan/scripts/lab/chaos/fault"
	"banyan/scripts/lab/up"
	"banyan/scripts/lab/wire"
)

// Points arms one point after the other.
type Points struct {
	Net *fault.Net
	Lab *up.Lab // set once it runs

	told   []Point // in the order in which they are told
	all    []Point // in the order in which they come
	tried  []int   // how often each was armed
	hits   []int
	random *rand.Rand
	armed  atomic.Pointer[armed]
}

// armed is the point that is waited for.
type armed struct {
	point  Point
	victim *up.Process
	hit    chan struct{} // closed when the victim is dead
}

// New makes points of which none is armed. They come in an order that follows from the seed.
func New(side string, step int, seed uint64, net *fault.Net) *Points {
	told := Of(side, step)
	p := &Points{Net: net, told: told, all: slices.Clone(told), random: rand.New(rand.NewPCG(seed, 1))}
	p.random.Shuffle(len(p.all), func(i, j int) { p.all[i], p.all[j] = p.all[j], p.all[i] })
	p.tried, p.hits = make([]int, len(p.all)), make([]int, len(p.all))
	return p
}

// See is for [fault.Net].Watch. Whatever it does is done before the message goes on.
func (p *Points) See(on wire.Way, m wire.Moment) {
	a := p.armed.Load()
	if a == nil || !a.point.fits(on, m) || !p.armed.CompareAndSwap(a, nil) {
		return
	}
	a.victim.Kill9()
	p.Net.Proxy(on).CutConn(m.Conn) // what the dead have sent would be passed on otherwise
	close(a.hit)
}

func (p Point) fits(on wire.Way, m wire.Moment) bool {
	return on == p.On && m.Kind == p.Kind && m.Phase == p.Phase && (p.When == nil || p.When(m))
}

// rare is how long a point is waited for before another gets its turn.
const rare = 6 * time.Second

// Work kills until a moment, at one point after the other, those first that were hit the least. When it returns,
// everything runs. Without events, points that need them are left out.
func (p *Points) Work(ctx context.Context, until time.Time, events bool) error {
	for time.Now().Before(until) {
		next := p.next(events)
		if next < 0 {
			return wait(ctx, time.Until(until))
		}
		hit, err := p.await(ctx, next, min(rare, time.Until(until)))
		if err != nil {
			return err
		}
		p.tried[next]++
		if hit {
			p.hits[next]++
			// Time to get on: a shop that is always dead loses nothing.
			if err := wait(ctx, 150*time.Millisecond+time.Duration(p.random.IntN(250))*time.Millisecond); err != nil {
				return err
			}
		}
	}
	return nil
}

// next is the point that was tried the least; -1 if there is none.
func (p *Points) next(events bool) int {
	best := -1
	for i, point := range p.all {
		if point.Events && !events {
			continue
		}
		if best < 0 || p.tried[i]+p.hits[i] < p.tried[best]+p.hits[best] {
			best = i
		}
	}
	return best
}

// await arms a point, and starts its victim again if it was hit.
func (p *Points) await(ctx context.Context, n int, patience time.Duration) (hit bool, err error) {
	point := p.all[n]
	a := &armed{point: point, victim: p.Lab.Process(point.Victim), hit: make(chan struct{})}
	p.armed.Store(a)
	select {
	case <-a.hit:
	case <-ctx.Done():
		if p.armed.CompareAndSwap(a, nil) {
			return false, context.Cause(ctx)
		}
		<-a.hit
	case <-time.After(patience):
		if p.armed.CompareAndSwap(a, nil) {
			return false, nil
		}
		<-a.hit
	}
	if err := fault.Restart(ctx, a.victim); err != nil {
		return true, fmt.Errorf("start %s again, which was killed at the point %q: %w", point.Victim, point.What, err)
	}
	return true, nil
}

// Hit is a point and how often it was hit.
type Hit struct {
	What   string `json:"what"`
	Victim string `json:"victim"`
	Hits   int    `json:"hits"`
}

// Hits are all points, in the order in which they are told.
func (p *Points) Hits() []Hit {
	n := map[string]int{}
	for i, point := range p.all {
		n[point.Name()] = p.hits[i]
	}
	var all []Hit
	for _, point := range p.told {
		all = append(all, Hit{point.What, point.Victim, n[point.Name()]})
	}
	return all
}

// Total is how often any was hit.
func (p *Points) Total() (n int) {
	for _, hits := range p.hits {
		n += hits
	}
	return n
}

// Missed says how many points were never hit.
func (p *Points) Missed() (n int) {
	for _, hits := range p.hits {
		if hits == 0 {
			n++
		}
	}
	return n
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
