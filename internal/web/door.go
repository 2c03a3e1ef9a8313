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
// It has two limits, for one would be wrong either way, and finds both by itself; see
// limits. In ordinary times a crowd is let in, since waiting a little is better than
// being refused. More than that means that requests come faster than they are served,
// and then everybody who is let in only makes everybody wait: so from the first refusal
// until a second has passed without one, few are let in, enough to keep the processors
// busy, and not so many that they only wait for each other.
//
// Each area of the API has a door of its own within that of the house. In ordinary
// times one whose answers have become slow gets three quarters of the house at most.
// In a house that is overrun an area gets half as much again as the share of the time
// that it had before, and what it holds beyond that is not held against the others. So
// a rush for one thing is paid by those who ask for that thing. Within these bounds
// nobody is preferred. Else what is cheap would always be let in, being gone in a
// moment, or what is dear, although it counts for many; and goodput would be kept by
// selling nothing.
type Door struct {
	areas  atomic.Pointer[areas]
	limits *limits
	inside atomic.Int64
	shedAt atomic.Int64 // when the house last refused somebody, in Unix nanoseconds
}

// areas are those that a door has at one time. They never change; they are replaced.
type areas struct {
	named  map[string]*area
	others *area   // what has no area
	all    []*area // these, and others
}

type area struct {
	name   string
	inside atomic.Int64
	shedAt atomic.Int64
	shed   atomic.Int64
	most   atomic.Int64 // of this area, while it or the house is overrun
	served served
}

// NewDoor makes a door that never lets more than most requests be inside at once; 0
// makes none. An area is named by the first two segments of its paths, such as /v1/books.
func NewDoor(most uint, areas ...string) *Door {
	if most == 0 {
		return nil
	}
	d := &Door{limits: &limits{most: int64(most)}}
	d.Divide(areas...)
	d.limits.begin(time.Now())
	return d
}

// Divide gives the door these areas instead of those that it had. An area that stays keeps what was learnt of it. Requests
// that are inside are counted to their end where they came in. Calls must not overlap.
func (d *Door) Divide(names ...string) {
	if d == nil {
		return
	}
	before, next := d.areas.Load(), &areas{named: map[string]*area{}}
	if before == nil {
		before = &areas{others: &area{name: "other"}}
	}
	next.others = before.others
	next.all = append(next.all, next.others)
	for _, name := range names {
		a := before.named[name]
		if a == nil {
			a = &area{name: name}
			a.most.Store(d.limits.few.Load()) // until the limits are looked at
		}
		next.named[name] = a
		next.all = append(next.all, a)
	}
	d.areas.Store(next)
	d.limits.areas.Store(&next.all)
}

// Guard keeps the door of h, which nobody passes by. It stands before everything else, for whatever was
// done already for a request that is refused was done in vain.
func (d *Door) Guard(h http.Handler) http.Handler {
	if d == nil {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		came := time.Now()
		area := d.enter(r.URL.Path, came)
		if area == nil {
			refuse(w)
			return
		}
		defer func() { d.leave(area, came, time.Now()) }()
		h.ServeHTTP(w, r)
	})
}

// overrunTime is for how long after a refusal few are let in.
const overrunTime = time.Second

func overrun(shedAt *atomic.Int64, now time.Time) bool {
	return now.UnixNano()-shedAt.Load() < int64(overrunTime)
}

// Reserve lets a request for path in if there is room, and the request passes by the guard then. Where there is none, it
// has only asked: nobody is refused, and nothing is overrun. leave has to be called when the request has been answered.
func (d *Door) Reserve(path string) (leave func(), ok bool) {
	if d == nil {
		return func() {}, true
	}
	came := time.Now()
	a, full := d.take(path, came)
	if full != nil {
		return nil, false
	}
	return func() { d.leave(a, came, time.Now()) }, true
}

// enter counts a request for path in; who is let in must leave the area again. Nil is
// a refusal.
func (d *Door) enter(path string, now time.Time) *area {
	a, full := d.take(path, now)
	if full != nil {
		full.Store(now.UnixNano())
		a.shed.Add(1)
		return nil
	}
	return a
}

// take counts a request for path in, unless the area or the house is full: then it returns the time of the last refusal there.
func (d *Door) take(path string, now time.Time) (a *area, full *atomic.Int64) {
	areas := d.areas.Load()
	a, known := areas.named[areaOf(path)]
	if !known {
		a = areas.others
	}
	busy := overrun(&d.shedAt, now)
	most := d.limits.crowd.Load() * 3 / 4
	if busy || overrun(&a.shedAt, now) {
		most = a.most.Load()
	}
	if a.inside.Add(1) > max(most, 1) {
		a.inside.Add(-1)
		return a, &a.shedAt
	}
	inside := d.inside.Add(1)
	most = d.limits.crowd.Load()
	if busy {
		inside, most = areas.counted(), d.limits.few.Load()
	}
	if inside > most {
		a.inside.Add(-1)
		d.inside.Add(-1)
		return a, &d.shedAt
	}
	return a, nil
}

// counted is how many are inside, without those that an area holds beyond its share:
// what is stuck there takes no place from the others.
func (s *areas) counted() (n int64) {
	for _, a := range s.all {
		n += min(a.inside.Load(), a.most.Load())
	}
	return n
}

func (d *Door) leave(a *area, came, now time.Time) {
	a.inside.Add(-1)
	d.inside.Add(-1)
	a.served.add(now.Sub(came))
	d.limits.look(now, overrun(&d.shedAt, now))
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
	doorMost   = prometheus.NewDesc("http_requests_limit", "Requests that the door lets be inside at once, in ordinary times (crowd) and when it is overrun (few).", []string{"when"}, nil)
)

// Describe and Collect export how many are inside, how many were refused, and the limits.
func (d *Door) Describe(ch chan<- *prometheus.Desc) { ch <- doorInside; ch <- doorShed; ch <- doorMost }

// Collect is called at each scrape.
func (d *Door) Collect(ch chan<- prometheus.Metric) {
	if d == nil {
		return
	}
	for _, a := range d.areas.Load().all {
		ch <- prometheus.MustNewConstMetric(doorInside, prometheus.GaugeValue, float64(a.inside.Load()), a.name)
		ch <- prometheus.MustNewConstMetric(doorShed, prometheus.CounterValue, float64(a.shed.Load()), a.name)
	}
	ch <- prometheus.MustNewConstMetric(doorMost, prometheus.GaugeValue, float64(d.limits.crowd.Load()), "crowd")
	ch <- prometheus.MustNewConstMetric(doorMost, prometheus.GaugeValue, float64(d.limits.few.Load()), "few")
}
