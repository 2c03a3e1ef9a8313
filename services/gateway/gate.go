package main

import (
	"container/list"
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"banyan/internal/fault"
	"banyan/internal/process"
	"banyan/internal/web"
)

// lane is the requests of one prefix and one method.
type lane struct {
	underWay atomic.Int64 // passed the gate, and not answered in full
	shut     atomic.Bool  // who comes has to ask the gate
	held     *heldRoute   // nil: the lane is open; the gate's lock guards it
}

// lanes are those of a prefix, by method; the last one is that of the methods that no route of the shop has.
type lanes [7]lane

var laneMethods = [...]string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

func (l *lanes) of(method string) *lane {
	for i, m := range laneMethods {
		if m == method {
			return &l[i]
		}
	}
	return &l[len(laneMethods)]
}

// underWay is how many requests of the prefix passed the gate and have not been answered in full.
func (l *lanes) underWay() (n int64) {
	for i := range l {
		n += l[i].underWay.Load()
	}
	return n
}

// enter lets a request in if the lane is open, and counts it.
//
// It counts first and looks again afterwards, and a hold shuts the lane first and reads the count afterwards. So once a
// lane has been shut, each request is either in the count or waits. One that is turned round here is counted for a
// moment, which makes nobody believe too early that all have been answered.
func (l *lane) enter() bool {
	if l.shut.Load() {
		return false
	}
	l.underWay.Add(1)
	if l.shut.Load() {
		l.underWay.Add(-1)
		return false
	}
	return true
}

// gate stands before everything else, and can be shut for some routes while what is behind them is replaced. Requests
// that come meanwhile wait here. They wait before the door, for they would fill it and the others were refused; and before their
// route is looked up, for it may lead elsewhere when they are let go.
type gate struct {
	table   *atomic.Pointer[table]
	clients *clients
	door    *web.Door

	most     int           // that may wait: maxWaiting
	readTime time.Duration // for a body, from when its request is let go: process.ReadTime

	guarded  http.Handler // the door, and all that is behind
	reserved http.Handler // what is behind the door, for those that have a place there

	mu       sync.Mutex
	standing bool      // a hold stands
	until    time.Time // then it lets go by itself
	deadMan  *time.Timer
	stopping bool
	routes   []*heldRoute // of this hold, or of the last one
	waiting  int
	release  *release // nil while nobody is let go
	longest  prometheus.Histogram
}

func newGate(table *atomic.Pointer[table], clients *clients, door *web.Door) *gate {
	return &gate{
		table: table, clients: clients, door: door, most: maxWaiting, readTime: process.ReadTime,
		longest: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "gateway_hold_longest_wait_seconds",
			Help:    "The longest time that a request had to wait, by hold.",
			Buckets: []float64{.05, .1, .2, .3, .4, .5, .75, 1, 2, 4, 6, 10, 15},
		}),
	}
}

// ServeHTTP lets a request pass, or wait. What has no route is never held.
//
// A request is under way until its answer was handed to the server to the last byte; the server sends what it has buffered
// at once. So nothing is under way only when every upstream was read to the end, too.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	route := g.table.Load().match(routedPath(r))
	if route == nil {
		g.guarded.ServeHTTP(w, r)
		return
	}
	lane := route.lanes.of(r.Method)
	if lane.enter() {
		defer lane.underWay.Add(-1)
		g.guarded.ServeHTTP(w, r)
		return
	}
	v := &visit{came: time.Now(), path: r.URL.Path, record: route.record, lane: lane, letGo: make(chan struct{})}
	if v.refused = g.clients.admit(r.RemoteAddr); v.refused != nil {
		g.guarded.ServeHTTP(w, visiting(r, v)) // which says so; there is nothing to wait for
		return
	}
	g.wait(w, r, v)
}

// visit is one request that found its lane shut. The rate limit counts it when it comes and not when it is let go, for
// all of them are let go at once.
type visit struct {
	came    time.Time
	path    string
	record  *record
	lane    *lane
	refused error // by the rate limit

	route *heldRoute    // in whose queue it is, or was
	place *list.Element // there
	letGo chan struct{} // closed when it may go on
	leave func()        // its place behind the door; nil if it has to ask the door itself
}

type visitKey struct{}

func visiting(r *http.Request, v *visit) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), visitKey{}, v))
}

// visitOf is nil for a request that did not have to wait.
func visitOf(ctx context.Context) *visit {
	v, _ := ctx.Value(visitKey{}).(*visit)
	return v
}

var errHeldFull = fault.New(fault.Unavailable, "", "Too many are waiting already. Please try again in a moment.").After(time.Second)

// wait keeps a request until it is let go, and then sees it through.
//
// Its body is not read meanwhile. So the server notices that a client has left only if its request had no body, or one that has
// been read: net/http looks for the end of a connection only then. An order whose client left is let go like the others, as
// it would be had its client left a moment later.
func (g *gate) wait(w http.ResponseWriter, r *http.Request, v *visit) {
	for {
		switch g.queue(v) {
		case nowOpen:
			if !v.lane.enter() {
				continue
			}
			defer v.lane.underWay.Add(-1)
			g.guarded.ServeHTTP(w, web.Arrived(visiting(r, v), v.came))
			return
		case nowFull:
			web.WriteProblem(w, errHeldFull)
			return
		}
		break
	}
	select {
	case <-v.letGo:
	case <-r.Context().Done():
		if g.abandon(v) {
			panic(http.ErrAbortHandler) // to return would be an empty answer
		}
	}
	if r.ContentLength != 0 {
		// The server's time for reading the body has gone on while it waited. (Without a body there is none.)
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(g.readTime)) // a broken connection says so when it is read
	}
	answer := &heldAnswer{ResponseWriter: w}
	defer func() { g.answered(v, answer.status) }()
	to := g.reserved
	if v.leave == nil {
		to = g.guarded
	}
	to.ServeHTTP(answer, web.Arrived(visiting(r, v), v.came))
}

// heldAnswer knows the status of a held request's answer.
type heldAnswer struct {
	http.ResponseWriter
	status int // 0 for none yet
}

func (a *heldAnswer) WriteHeader(status int) {
	if a.status == 0 && status >= 200 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *heldAnswer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController flush.
func (a *heldAnswer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
