package web

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"banyan/internal/fault"
)

// Door refuses requests when there are more than can be served: at once, before
// anything was done for them, for a refusal has to cost next to nothing if the others
// are to be served meanwhile. A nil Door admits everybody.
//
// It has two limits, for one would be wrong either way. In ordinary times a crowd is let
// in, since waiting a little is better than being refused. More than that means that
// requests come faster than they are served, and then everybody who is let in only makes
// everybody wait: so from the first refusal until a second has passed without one, a
// tenth is let in, enough to keep the processors busy, and few enough to be served
// as fast as in quiet times. (Limits that follow the time that answers take, such as
// failsafe's, were left: to them a card processor that dawdles is overload, and
// they find their limit by refusing in quiet times as well.)
//
// Each area of the API has a door of its own within that of the house, so that one whose
// answers have become slow cannot fill the house: it gets three quarters of it at most.
// Should several get stuck together and fill it, a few places are still kept for each of the others.
// In a house that is only busy nobody is preferred. Else what is cheap would always be let in, being gone in a moment, or
// what is dear, although it counts for many; and goodput would be kept by selling nothing.
type Door struct {
	house  gate
	areas  map[string]*area
	others *area // what has no area
	kept   int64 // how many each area may have inside when others are stuck there
}

type area struct {
	name string
	gate
	shed atomic.Int64
}

// NewDoor makes a door that lets most requests be inside at once; 0 sets no limit. An
// area is named by the first two segments of its paths, such as /v1/books.
func NewDoor(most uint, areas ...string) *Door {
	if most == 0 {
		return nil
	}
	house := int64(most)
	newArea := func(name string) *area { return &area{name: name, gate: newGate(house * 3 / 4)} }
	d := &Door{house: newGate(house), areas: map[string]*area{}, others: newArea("other"), kept: max(house/64, 1)}
	for _, name := range areas {
		d.areas[name] = newArea(name)
	}
	return d
}

// Guard keeps the door of h, which nobody passes by. It stands before everything else, for whatever was
// done already for a request that is refused was done in vain.
func (d *Door) Guard(h http.Handler) http.Handler {
	if d == nil {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		area := d.enter(r.URL.Path, time.Now())
		if area == nil {
			refuse(w)
			return
		}
		defer d.leave(area)
		h.ServeHTTP(w, r)
	})
}

// enter counts a request for path in; who is let in must leave the area again. Nil is
// a refusal.
func (d *Door) enter(path string, now time.Time) *area {
	a, known := d.areas[areaOf(path)]
	if !known {
		a = d.others
	}
	if !a.enter(now) {
		a.shed.Add(1)
		return nil
	}
	if !d.house.enter(now) {
		stuck := d.house.inside.Load() > d.house.most/2
		if !stuck || a.inside.Load() > d.kept {
			a.leave()
			a.shed.Add(1)
			return nil
		}
		d.house.inside.Add(1) // in spite of the house's limit
	}
	return a
}

func (d *Door) leave(a *area) {
	a.leave()
	d.house.leave()
}

// areaOf cuts a path after its second segment.
func areaOf(path string) string {
	slashes := 0
	for i := range len(path) {
		if path[i] == '/' {
			if slashes++; slashes == 3 {
				return path[:i]
			}
		}
	}
	return path
}

// gate counts who is inside, and lets in only so many.
type gate struct {
	most, few int64
	inside    atomic.Int64
	refused   atomic.Int64 // when it last refused somebody, in Unix nanoseconds
}

func newGate(most int64) gate { return gate{most: max(most, 1), few: max(most/10, 1)} }

// overrunTime is for how long after a refusal a gate lets in few.
const overrunTime = time.Second

func (g *gate) enter(now time.Time) bool {
	limit := g.most
	if now.UnixNano()-g.refused.Load() < int64(overrunTime) {
		limit = g.few
	}
	if g.inside.Add(1) <= limit {
		return true
	}
	g.inside.Add(-1)
	g.refused.Store(now.UnixNano())
	return false
}

func (g *gate) leave() { g.inside.Add(-1) }

var (
	problemShed = Problem(fault.New(fault.Unavailable, "", "More is being asked of us than we can do. Please try again in a moment."))

	// net/http only reads them.
	shedType  = []string{ContentTypeProblem}
	shedRetry = []string{"1"}
)

// refuse answers without asking anybody anything.
func refuse(w http.ResponseWriter) {
	h := w.Header()
	h["Content-Type"] = shedType
	h["Retry-After"] = shedRetry
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = w.Write(problemShed)
}

var (
	doorInside = prometheus.NewDesc("http_requests_inside", "Requests that are being served, by area.", []string{"area"}, nil)
	doorShed   = prometheus.NewDesc("http_requests_shed_total", "Requests refused at the door, since there were too many, by area.", []string{"area"}, nil)
)

// Describe and Collect export how many are inside and how many were refused.
func (d *Door) Describe(ch chan<- *prometheus.Desc) { ch <- doorInside; ch <- doorShed }

// Collect is called at each scrape.
func (d *Door) Collect(ch chan<- prometheus.Metric) {
	if d == nil {
		return
	}
	d.others.collect(ch)
	for _, a := range d.areas {
		a.collect(ch)
	}
}

func (a *area) collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.MustNewConstMetric(doorInside, prometheus.GaugeValue, float64(a.inside.Load()), a.name)
	ch <- prometheus.MustNewConstMetric(doorShed, prometheus.CounterValue, float64(a.shed.Load()), a.name)
}
