package main

import (
	"errors"
	"net"
	"sync/atomic"
	"time"
)

// downTime is how long an upstream that could not be connected to is passed over.
const downTime = time.Second

// upstream is one process that answers for a route.
type upstream struct {
	scheme, host string
	downUntil    atomic.Int64 // Unix nanoseconds
}

func (u *upstream) up(now time.Time) bool { return now.UnixNano() >= u.downUntil.Load() }

// failed notes why a request got no answer. Only a connection that could not be made
// counts: anything later may be the request's fault and not the upstream's.
func (u *upstream) failed(err error) {
	if unreachable(err) {
		u.downUntil.Store(time.Now().Add(downTime).UnixNano())
	}
}

func unreachable(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// pick takes the upstreams in turn and passes over those that are down. When all of
// them are, it takes the next one all the same: trying is how to learn that it is back.
func (r *route) pick() *upstream {
	turn := int(r.turn.Add(1) - 1)
	if len(r.pool) == 1 {
		return r.pool[0]
	}
	now := time.Now()
	for i := range r.pool {
		if u := r.pool[(turn+i)%len(r.pool)]; u.up(now) {
			return u
		}
	}
	return r.pool[turn%len(r.pool)]
}
