package main

import (
	"container/list"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"banyan/internal/fault"
)

const (
	maxHold = 10 * time.Second

	// maxWaiting is how many requests may wait in all. Each keeps its connection, a goroutine and its header:
	// about 17 KB, so 170 MB at most.
	maxWaiting = 10_000
)

// heldRoute is a route that is held, or was: a prefix of the table, or one method of it. The gate's lock guards all
// but the lanes' counts.
type heldRoute struct {
	name  string
	lanes []*lane
	queue list.List // of *visit, the first to come first

	out     int // let go, and not answered in full
	held    int // waited, in all
	failed  int // their client left, there was no room to wait, or no upstream to answer
	longest time.Duration
}

// shut makes all who come ask the gate.
func (h *heldRoute) shut() {
	for _, l := range h.lanes {
		l.held = h
		l.shut.Store(true)
	}
}

func (h *heldRoute) open() {
	for _, l := range h.lanes {
		l.held = nil
		l.shut.Store(false)
	}
}

// hold shuts these routes for so long at most. If a hold stands, it adds them, and the time counts anew for all. When
// it returns, each request of these routes waits, or is counted among those under way.
func (g *gate) hold(names []string, atMost time.Duration) error {
	lanes, err := g.find(names)
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopping {
		return fault.New(fault.Unavailable, "stopping", "The gateway is about to stop. It holds nothing any more.")
	}
	if !g.standing && g.release == nil {
		g.routes = nil
	}
	g.standing, g.until = true, time.Now().Add(atMost)
	if g.deadMan == nil {
		g.deadMan = time.AfterFunc(atMost, g.expire)
	} else {
		g.deadMan.Reset(atMost)
	}
	for i, name := range names {
		at := slices.IndexFunc(g.routes, func(h *heldRoute) bool { return h.name == name })
		if at < 0 {
			at = len(g.routes)
			// A request counts for one route: a method that is held by itself already stays with that one.
			own := slices.DeleteFunc(lanes[i], func(l *lane) bool {
				return slices.ContainsFunc(g.routes, func(h *heldRoute) bool { return slices.Contains(h.lanes, l) })
			})
			g.routes = append(g.routes, &heldRoute{name: name, lanes: own})
		}
		g.routes[at].shut()
	}
	return nil
}

// find are the lanes of each route. All names that are wrong are in the one error.
func (g *gate) find(names []string) (found [][]*lane, err error) {
	table := g.table.Load()
	problem := fault.New(fault.Invalid, "", "These routes can't be held.")
	for _, name := range names {
		method, prefix, one := strings.Cut(name, " ")
		if !one {
			prefix = name
		}
		i := slices.IndexFunc(table.routes, func(r *route) bool { return r.Prefix == prefix })
		switch {
		case i < 0:
			problem = problem.WithFields(fault.Field{Name: "routes", Detail: fmt.Sprintf("%q is no prefix of the table, which has %s",
				prefix, strings.Join(table.prefixes(), ", "))})
		case one && !slices.Contains(laneMethods[:], method):
			problem = problem.WithFields(fault.Field{Name: "routes", Detail: fmt.Sprintf("%q: a method is one of %s",
				name, strings.Join(laneMethods[:], ", "))})
		case one:
			found = append(found, []*lane{table.routes[i].lanes.of(method)})
		default:
			all := make([]*lane, len(lanes{}))
			for n := range all {
				all[n] = &table.routes[i].lanes[n]
			}
			found = append(found, all)
		}
	}
	if len(problem.Fields) > 0 {
		return nil, problem
	}
	return found, nil
}

// expire lets go when nobody has done so in time: what was to be replaced may be gone, but requests that wait for ever are
// worse than requests that fail.
func (g *gate) expire() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.standing && !time.Now().Before(g.until) {
		g.letGo()
	}
}

// stop lets go at once and holds nothing from now on.
func (g *gate) stop() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stopping = true
	g.letGo()
}

const (
	nowWaits = iota
	nowOpen  // the lane has been opened meanwhile
	nowFull
)

// queue lets a request wait.
func (g *gate) queue(v *visit) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	h := v.lane.held
	switch {
	case h == nil:
		return nowOpen
	case g.waiting >= g.most:
		g.fail(v, h)
		return nowFull
	}
	h.held++
	g.waiting++
	v.record.held.Add(1)
	v.record.waiting.Add(1)
	v.route, v.place = h, h.queue.PushBack(v)
	return nowWaits
}

// abandon takes a request out of the queue whose client has left. It reports false if the request was let go just before.
func (g *gate) abandon(v *visit) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-v.letGo:
		return false
	default:
	}
	g.unqueue(v)
	g.fail(v, v.route)
	return true
}

func (g *gate) fail(v *visit, h *heldRoute) {
	h.failed++
	v.record.heldFailed.Add(1)
}

// unqueue ends a request's wait. Callers hold the lock.
func (g *gate) unqueue(v *visit) {
	v.route.queue.Remove(v.place)
	g.waiting--
	v.record.waiting.Add(-1)
	v.route.longest = max(v.route.longest, time.Since(v.came))
}

// answered counts a request that was held, with the status of its answer.
func (g *gate) answered(v *visit, status int) {
	v.lane.underWay.Add(-1)
	if v.leave != nil {
		v.leave()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	v.route.out--
	switch status {
	case 0, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		g.fail(v, v.route)
	}
	if g.release != nil {
		g.release.wake()
	}
}

// heldState is what the gate says of its hold, or of the last one.
type heldState struct {
	Until  *time.Time       `json:"until,omitempty"` // none: no hold stands
	Routes []heldRouteState `json:"routes"`
}

type heldRouteState struct {
	Route    string  `json:"route"`
	UnderWay int64   `json:"under_way"`
	Waiting  int     `json:"waiting"`
	Held     int     `json:"held"`
	Failed   int     `json:"failed"`
	Longest  float64 `json:"longest_wait_ms"` // of those that wait still as well
}

func (g *gate) state() heldState {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := heldState{Routes: []heldRouteState{}}
	if g.standing {
		until := g.until
		s.Until = &until
	}
	for _, h := range g.routes {
		one := heldRouteState{Route: h.name, Waiting: h.queue.Len(), Held: h.held, Failed: h.failed}
		longest := h.longest
		if first := h.queue.Front(); first != nil {
			longest = max(longest, time.Since(first.Value.(*visit).came))
		}
		one.Longest = float64(longest.Microseconds()) / 1000
		for _, l := range h.lanes {
			one.UnderWay += l.underWay.Load()
		}
		s.Routes = append(s.Routes, one)
	}
	return s
}
