package main

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"time"
)

// leavingTime is how long an upstream that says it is leaving is passed over. It says so
// again with the next answer, if it has not left by then.
const leavingTime = 5 * time.Second

// upstream is one process that answers for routes. Each has connections of its own, so
// that those to one that is leaving can be closed without a look at the others.
type upstream struct {
	scheme, host string
	transport    *http.Transport
	breaker      *breaker
	leftAt       atomic.Int64 // when it last said that it is leaving, in Unix nanoseconds
}

func newUpstream(scheme, host string) *upstream {
	return &upstream{scheme: scheme, host: host, transport: newTransport(), breaker: newBreaker()}
}

// send asks u once, and lets balance and breaker learn from what comes of it.
func (u *upstream) send(r *http.Request, body *inbound) (*http.Response, error) {
	res, err := u.transport.RoundTrip(r)
	switch {
	case err == nil:
		u.breaker.answered(res)
		if leaving(res) {
			u.leave(time.Now())
		}
	case clientsFault(r.Context(), body):
		u.breaker.abandoned()
	default:
		u.breaker.failed(err)
	}
	return res, err
}

// clientsFault reports whether a request failed because its client went away, or did not
// send all of its body.
func clientsFault(ctx context.Context, body *inbound) bool {
	return errors.Is(context.Cause(ctx), context.Canceled) || body.failure() != nil || ctx.Err() != nil && body.pending()
}

// leaving reports whether an answer announces that its process is about to stop, and
// wants to be asked no more. Others end their connection, too: those to a request that
// cannot be read, and those whose end is that of the connection.
func leaving(res *http.Response) bool {
	// The answer to a HEAD has no body, so its length may be unknown and yet it ends.
	endless := res.ContentLength < 0 && len(res.TransferEncoding) == 0 && res.Request.Method != http.MethodHead
	return res.Close && res.ProtoAtLeast(1, 1) && !endless &&
		res.StatusCode != http.StatusBadRequest && res.StatusCode != http.StatusRequestEntityTooLarge
}

// leave passes u over from now on. What is idle is closed before the other side does,
// which might be just as a request is written to it.
func (u *upstream) leave(now time.Time) {
	u.leftAt.Store(now.UnixNano())
	u.transport.CloseIdleConnections()
}

func (u *upstream) isLeaving(now time.Time) bool {
	return now.UnixNano()-u.leftAt.Load() < int64(leavingTime)
}

// unreachable reports whether no connection could be made, and so nothing was sent.
func unreachable(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// pick takes the upstreams in turn, but for those that were tried. It passes over those
// whose breaker is open and those that are leaving, as long as there are others. Nil is none.
// Whoever gets one has to send it a request, for its breaker counts on an outcome.
//
// When there are no others, one where nobody listened is asked before one that is
// leaving: if it is back, its breaker just has not noticed, and if not, it costs
// nothing to be told so. Among those that are leaving, the first to say so may be back.
func (r *route) pick(tried ...*upstream) *upstream {
	turn := int(r.turn.Add(1) - 1)
	now := time.Now()
	for i := range r.pool {
		u := r.pool[(turn+i)%len(r.pool)]
		if !u.isLeaving(now) && !slices.Contains(tried, u) && u.breaker.admits() {
			return u
		}
	}
	rest := slices.DeleteFunc(slices.Clone(r.pool), func(u *upstream) bool { return slices.Contains(tried, u) })
	slices.SortStableFunc(rest, func(a, b *upstream) int { return cmp.Compare(a.leftAt.Load(), b.leftAt.Load()) })
	for _, u := range rest {
		if len(r.pool) > 1 && u.breaker.unheard() {
			return u
		}
	}
	for _, u := range rest {
		if u.breaker.admits() {
			return u
		}
	}
	return nil
}

// wait is how long it takes until one of the route's upstreams may be asked again.
func (r *route) wait() time.Duration {
	least := r.pool[0].breaker.wait()
	for _, u := range r.pool[1:] {
		least = min(least, u.breaker.wait())
	}
	return least
}
