package main

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// attempts sends a request until there is an answer, or until it must not be sent
// again. It stands where ReverseProxy expects a transport, so no byte of an answer has
// gone to the client yet.
//
// A request moves on to the next upstream when the one it was meant for could not be
// connected to: nothing was sent, so any method may, and nobody has more to do for it.
//
// It is sent a second time, to another upstream or on a new connection, when it may have
// arrived and the connection broke before an answer. Only what may arrive twice is: the
// methods that HTTP calls idempotent, as long as nothing of the client's body was
// read, and within the route's budget. A POST is not. Its order may have been placed
// and its card charged; whether repeating it is safe, its Idempotency-Key tells the
// service and not the gateway, which cannot know where keys are honoured. The client
// can, and is told 502. An answer is never asked for again, whatever its status: the
// client is told when to come back, and one that is overloaded needs no more requests.
// Neither is one that timed out: there is no time left.
type attempts struct{}

// RoundTrip sends r on its hop.
func (attempts) RoundTrip(r *http.Request) (*http.Response, error) {
	h := hopOf(r)
	// ReverseProxy's own context has a hook that passes interim answers (1xx) on. Our
	// server has sent its own 100, and Echo would take any other for the answer itself.
	r = r.WithContext(h.ctx)
	budget := &h.route.budget
	budget.sent()
	for {
		body := h.body.lend()
		if body != nil {
			r.Body = body
		}
		sent := h.sends
		res, err := h.upstream.send(r, h.body)
		h.count(err == nil)
		if again := h.sends - max(sent, 1); again > 0 {
			budget.resent(again, h.claimed)
			h.claimed = false
		}
		if err == nil {
			return res, h.done(nil)
		}
		next := h.next(r, body, err)
		if next == nil {
			return nil, h.done(err)
		}
		h.upstream = next
		r = redirect(r, next)
	}
}

// done gives a claim that came to nothing back: there was nobody to ask, or nothing could be sent.
func (h *hop) done(err error) error {
	if h.claimed {
		h.route.budget.giveBack()
		h.claimed = false
	}
	return err
}

// next is the upstream for another attempt after one that failed with err; nil for none.
func (h *hop) next(r *http.Request, body *loan, err error) *upstream {
	if r.Context().Err() != nil || !body.takeBack() {
		return nil
	}
	h.tried = append(h.tried, h.upstream)
	// Also after an idle connection that turned out to be closed: net/http dials again by itself only with what was
	// not written yet, or may arrive twice.
	if unreachable(err) {
		next := h.route.pick(h.tried...)
		if next != nil {
			h.route.failovers.Add(1)
		}
		return next
	}
	if h.retried || !idempotent(r.Method) || !h.route.budget.take() {
		return nil
	}
	h.retried, h.claimed = true, true
	next := h.route.pick(h.tried...)
	if next == nil && h.upstream.breaker.admits() {
		next = h.upstream
	}
	return next
}

// idempotent is RFC 9110, section 9.2.2.
func idempotent(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}

// redirect is r for another upstream. What was sent before may still be looked at by the
// transport, so it is left as it is.
func redirect(r *http.Request, to *upstream) *http.Request {
	next := r.WithContext(r.Context())
	address := *r.URL
	address.Scheme, address.Host = to.scheme, to.host
	next.URL = &address
	return next
}

// budget allows requests to be sent again as long as no more than a tenth of those of
// the last ten seconds were. So when an upstream fails all that it is asked, it is
// asked a tenth more and not twice as often. It is by hand, since failsafe's budget looks
// at what is under way at one moment: one at a time, it would let each be sent again.
type budget struct {
	mu      sync.Mutex
	seconds [budgetSeconds]budgetSecond // a ring

	total struct{ sent, resent, refused atomic.Int64 }
}

const (
	budgetSeconds = 10
	budgetShare   = 10 // one in so many
)

type budgetSecond struct{ at, sent, resent int64 }

// sent counts a request's first attempt.
func (b *budget) sent() {
	b.total.sent.Add(1)
	b.mu.Lock()
	b.now().sent++
	b.mu.Unlock()
}

// resent counts what was really sent again, so many times; one of them may have been claimed. The others are attempts
// that net/http made by itself: when the idle connection that it took turns out to be closed, it sends a GET once more,
// and what has a key and no body. (Of the shop's requests these are cancelling and dispatching, which may be repeated.)
func (b *budget) resent(times int, claimed bool) {
	b.total.resent.Add(int64(times))
	if claimed {
		times--
	}
	if times == 0 {
		return
	}
	b.mu.Lock()
	b.now().resent += int64(times)
	b.mu.Unlock()
}

// take claims another attempt, if there may be one. What is not sent in the end has to be given back.
func (b *budget) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	var sent, resent int64
	for _, s := range b.seconds {
		if s.at > now.at-budgetSeconds {
			sent, resent = sent+s.sent, resent+s.resent
		}
	}
	if (resent+1)*budgetShare > sent {
		b.total.refused.Add(1)
		return false
	}
	now.resent++
	return true
}

// giveBack returns a claim. It may be a second older than now, which is as good: both are forgotten together, but for that second.
func (b *budget) giveBack() {
	b.mu.Lock()
	b.now().resent--
	b.mu.Unlock()
}

// now is the present second's count. Callers hold the lock.
func (b *budget) now() *budgetSecond {
	at := time.Now().Unix()
	s := &b.seconds[at%budgetSeconds]
	if s.at != at {
		*s = budgetSecond{at: at}
	}
	return s
}
