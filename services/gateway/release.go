package main

import (
	"context"
	"time"
)

// A hold ends in a crowd: all who waited want to go on at once. The door of this process would refuse most of them, and so would
// that of a process behind that has just been started, which has seen nothing yet and lets in 96 requests of an area and 128
// in all (internal/web/limits.go).
//
// So they are let go in the order in which they came, and only letGoAtOnce are out at once: half of what a new door lets in,
// so that two gateways may let go together, and more than enough to keep a machine's processors busy. More would
// only wait for each other.
// Each has a place behind this process's door before it is let go. Where there is none it waits a little longer, instead of
// being refused. Requests that come while others are let go wait behind them.
//
// A shop that can't keep up has more to do than the hold has left behind. After queueTime those that come go to the door at
// once, as at any other time, and after releaseTime those that waited do as well. While this process stands still, as a
// whole machine may, that time stands still, too: else all would go at once when it goes on.
const (
	letGoAtOnce = 64
	lookAgain   = 5 * time.Millisecond // for a place behind the door
	queueTime   = 5 * time.Second
	releaseTime = 10 * time.Second
	mostBetween = 50 * time.Millisecond // two looks; what is more was no time to let anybody go
)

// release is a crowd that is let go.
type release struct {
	looked time.Time     // last
	spent  time.Duration // of releaseTime
	again  chan struct{} // something was answered
	over   chan struct{} // closed when nobody waits any more, or all wait again
}

func (r *release) wake() {
	select {
	case r.again <- struct{}{}:
	default:
	}
}

func newRelease(now time.Time) *release {
	return &release{looked: now, again: make(chan struct{}, 1), over: make(chan struct{})}
}

// restart begins to count anew, for another hold that ends while those of the last one are let go.
func (r *release) restart(now time.Time) { r.looked, r.spent = now, 0 }

// look counts the time since the last look.
func (r *release) look(now time.Time) {
	r.spent += min(now.Sub(r.looked), mostBetween)
	r.looked = now
}

// letGo ends the hold, if one stands, and begins to let those go that wait. Callers hold the lock.
func (g *gate) letGo() {
	if !g.standing {
		return
	}
	g.standing = false
	g.deadMan.Stop()
	if g.release != nil { // those of an earlier hold are let go already, and these with them
		g.release.restart(time.Now())
		return
	}
	g.release = newRelease(time.Now())
	go g.letAllGo(g.release)
}

// end ends the hold and returns when nobody waits any more, or with ctx.
func (g *gate) end(ctx context.Context) {
	g.mu.Lock()
	g.letGo()
	release := g.release
	g.mu.Unlock()
	if release == nil {
		return
	}
	select {
	case <-release.over:
	case <-ctx.Done():
	}
}

func (g *gate) letAllGo(r *release) {
	look := time.NewTicker(lookAgain)
	defer look.Stop()
	for g.letSomeGo(r, time.Now()) {
		select {
		case <-r.again:
		case <-look.C:
		}
	}
	close(r.over)
}

// letSomeGo lets as many go as may, opens the lanes for which nobody waits any more, and reports whether there are others.
func (g *gate) letSomeGo(r *release, now time.Time) (more bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.standing { // a new hold: they wait again
		g.release = nil
		return false
	}
	r.look(now)
	out := 0
	for _, h := range g.routes {
		out += h.out
		if r.spent >= queueTime {
			h.open()
		}
	}
	full := map[*heldRoute]bool{}
	for {
		v := g.first(full)
		switch {
		case v == nil:
			return g.openEmpty()
		case r.spent >= releaseTime:
			g.send(v, nil)
		case out >= letGoAtOnce:
			return g.openEmpty()
		case v.route.out >= letGoAtOnce*3/4: // one that is slow leaves room for the others, as at the door
			full[v.route] = true
		default:
			leave, room := g.door.Reserve(v.path)
			if !room {
				full[v.route] = true
				continue
			}
			g.send(v, leave)
			out++
		}
	}
}

// first is who has waited longest, but for those of full routes; nil if nobody waits.
func (g *gate) first(full map[*heldRoute]bool) (first *visit) {
	for _, h := range g.routes {
		if e := h.queue.Front(); e != nil && !full[h] {
			if v := e.Value.(*visit); first == nil || v.came.Before(first.came) {
				first = v
			}
		}
	}
	return first
}

// send lets one request go.
func (g *gate) send(v *visit, leave func()) {
	g.unqueue(v)
	v.route.out++
	v.lane.underWay.Add(1)
	v.leave = leave
	close(v.letGo)
}

// openEmpty opens the lanes for which nobody waits, and reports whether somebody waits for another.
func (g *gate) openEmpty() (more bool) {
	longest := time.Duration(0)
	for _, h := range g.routes {
		longest = max(longest, h.longest)
		if h.queue.Len() == 0 {
			h.open()
		}
	}
	if g.waiting > 0 {
		return true
	}
	g.release = nil
	g.longest.Observe(longest.Seconds())
	return false
}
