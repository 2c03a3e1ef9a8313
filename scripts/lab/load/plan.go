package load

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// Plan is when there is something to ask for.
type Plan struct {
	// Rate is the turns per second of an open loop. Zero makes a closed one: each client asks again as soon as it is done.
	Rate   float64
	Length time.Duration
	// Count, if it is not zero, is how many turns there are, in place of a length.
	Count int
	// Endless, in place of both, goes on until the context ends. A turn that is half a minute behind is not taken then, with
	// [ErrBehind].
	Endless bool
}

// Turn is what a client is called for.
type Turn struct {
	N int // counted over all clients, from 0
	// Due is from when its latency counts: in a closed loop the moment at which it begins.
	Due time.Time
	// Free says that the generator had a client for it when it was due. Then Delay, how much later it began, is the
	// generator's own doing. Without a free client it waited for an answer, which is the server's.
	Free  bool
	Delay time.Duration
	// Err, if there is one, says why the turn can't be taken. The client only counts it.
	Err error
}

// Client takes a turn. A function that is used for several clients, or by [Plan.Each], has to bear being called by several
// goroutines at once.
type Client func(context.Context, Turn)

// The reasons why a turn can't be taken.
var (
	// ErrTooSlow ends an open loop that its server can't follow, which would go on for ever.
	ErrTooSlow = errors.New("a request could not begin within twice the length of its load: the rate is more than the server can do")
	// ErrBehind is the same for a loop without an end. What is due later is taken again when the server has recovered.
	ErrBehind = fmt.Errorf("a request could not begin within %s of when it was due: the rate is more than the server can do", mostBehind)
	// ErrCrowded is the generator's own limit.
	ErrCrowded = errors.New("the generator has no client left: as many requests as it may make at once are under way")
)

// mostBehind is how late a turn of an endless open loop may begin.
const mostBehind = 30 * time.Second

// schedule is a plan that has begun.
type schedule struct {
	began, end time.Time
	every      time.Duration // between turns; zero: a closed loop
	counted    bool          // the turns are
	count      int64
	givenUp    time.Time // when turns that still have not begun are not taken any more
	endless    bool
	next       atomic.Int64
	sleep      func(context.Context, time.Duration)
}

func (p Plan) begin() *schedule {
	s := &schedule{began: time.Now(), counted: p.Count > 0, count: int64(p.Count), sleep: wait}
	length := p.Length
	if p.Endless {
		s.endless, s.counted, length = true, false, 0
	}
	if p.Rate > 0 {
		s.every = time.Duration(float64(time.Second) / p.Rate)
		switch {
		case s.endless:
		case s.counted:
			length = time.Duration(p.Count) * s.every
		default:
			s.counted, s.count = true, int64(math.Round(p.Rate*length.Seconds()))
		}
	}
	s.end, s.givenUp = s.began.Add(length), s.began.Add(2*length+5*time.Second)
	return s
}

// take gives out the next turn, when it is due.
func (s *schedule) take(ctx context.Context, first bool) (turn Turn, more bool) {
	n := s.next.Add(1) - 1
	if s.counted && n >= s.count {
		return Turn{}, false
	}
	now := time.Now()
	turn = Turn{N: int(n), Due: now}
	if s.every == 0 {
		return turn, ctx.Err() == nil && (s.counted || s.endless || first || now.Before(s.end))
	}
	turn.Due = s.began.Add(time.Duration(n) * s.every)
	switch ahead := turn.Due.Sub(now); {
	case ahead > 0:
		s.sleep(ctx, ahead)
		turn.Free, turn.Delay = true, time.Since(turn.Due)
	case s.endless && -ahead > mostBehind:
		turn.Err = ErrBehind
	case !s.endless && now.After(s.givenUp):
		turn.Err = ErrTooSlow
	}
	return turn, ctx.Err() == nil
}

// Run has each client take turns, on a goroutine of its own, until the plan is done or ctx ends, and returns how long that
// took, the last answer included. In a closed loop each client takes one turn at least.
func (p Plan) Run(ctx context.Context, clients ...Client) time.Duration {
	return p.begin().run(ctx, clients)
}

func (s *schedule) run(ctx context.Context, clients []Client) time.Duration {
	var all sync.WaitGroup
	for _, ask := range clients {
		all.Go(func() {
			for first := true; ; first = false {
				turn, more := s.take(ctx, first)
				if !more {
					return
				}
				ask(ctx, turn)
			}
		})
	}
	all.Wait()
	return time.Since(s.began)
}

// Each has every turn of an open loop taken on a goroutine of its own, so that none waits for the answers of others, as long
// as no more than the limit are under way. Beyond it a turn is not taken, with [ErrCrowded].
func (p Plan) Each(ctx context.Context, limit int, ask Client) { p.begin().each(ctx, limit, ask) }

func (s *schedule) each(ctx context.Context, limit int, ask Client) {
	var all sync.WaitGroup
	var underWay atomic.Int64
	for {
		turn, more := s.take(ctx, false)
		if !more {
			break
		}
		if turn.Err == nil && underWay.Load() >= int64(limit) {
			turn.Free, turn.Err = false, ErrCrowded
		}
		if turn.Err != nil {
			ask(ctx, turn)
			continue
		}
		underWay.Add(1)
		all.Go(func() {
			defer underWay.Add(-1)
			turn.Free, turn.Delay = true, time.Since(turn.Due)
			ask(ctx, turn)
		})
	}
	all.Wait()
}

// wait is a sleep that ends with ctx, but for its last few milliseconds, which end exactly.
func wait(ctx context.Context, d time.Duration) {
	const last = 5 * time.Millisecond
	end := time.Now().Add(d)
	if d > last {
		timer := time.NewTimer(d - last)
		defer timer.Stop()
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
	}
	sleep(time.Until(end))
}
