package main

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"

	"banyan/internal/web"
)

// A breaker opens when breakerFailures of the last breakerSample requests failed, and
// closes when breakerProbes in a row have succeeded, tried after breakerDelay.
const (
	breakerFailures = 5
	breakerSample   = 10
	breakerDelay    = time.Second
	breakerProbes   = 2
)

// breaker keeps requests away from an upstream that does not answer: they would wait
// for nothing, and it could not recover for all that waits. After a while a few of them
// try whether it is back.
//
// Failures are those of the hop: no connection, no answer in time, none that makes
// sense, and 502, 503 and 504 from something in between. Whatever the upstream says
// itself is an answer: a 4xx, a 500, and also its own 503, which is about the
// one thing that was asked and says nothing about the rest.
type breaker struct {
	circuit circuitbreaker.CircuitBreaker[any]
	refused atomic.Bool // the last failure was that nobody listened
	opened  atomic.Int64
}

func newBreaker() *breaker {
	b := &breaker{}
	b.circuit = circuitbreaker.NewBuilder[any]().
		WithFailureThresholdRatio(breakerFailures, breakerSample).
		WithDelay(breakerDelay).
		WithSuccessThreshold(breakerProbes).
		OnOpen(func(circuitbreaker.StateChangedEvent) { b.opened.Add(1) }).
		Build()
	return b
}

// admits reports whether a request may be sent. If so, its outcome has to be told: while
// the breaker is half open, so many may be under way and no more.
func (b *breaker) admits() bool { return b.circuit.TryAcquirePermit() }

// answered counts an answer.
func (b *breaker) answered(res *http.Response) {
	if res.StatusCode >= 502 && res.StatusCode <= 504 && !ownWords(res) {
		b.failed(nil)
		return
	}
	if b.refused.Load() && b.refused.CompareAndSwap(true, false) && !b.circuit.IsClosed() {
		b.circuit.Close() // somebody listens again
	}
	b.circuit.RecordSuccess()
}

// ownWords reports whether it is the upstream that says it is unavailable. The services
// do in a problem; they know no 502 and no 504.
func ownWords(res *http.Response) bool {
	return res.StatusCode == http.StatusServiceUnavailable && strings.HasPrefix(res.Header.Get("Content-Type"), web.ContentTypeProblem)
}

// failed counts a failure; err says how the connection failed, if it did.
func (b *breaker) failed(err error) {
	b.refused.Store(errors.Is(err, syscall.ECONNREFUSED))
	b.circuit.RecordFailure()
}

// unheard reports whether the breaker is not closed for the reason alone that nobody listened,
// which may be asked at any time: also while others that try it take their time.
func (b *breaker) unheard() bool { return b.refused.Load() && !b.circuit.IsClosed() }

// abandoned is told of a request whose client went away, or never sent the whole of it.
// That says nothing of the upstream. But a probe that has proved nothing was in vain.
func (b *breaker) abandoned() {
	if b.circuit.IsHalfOpen() {
		b.circuit.RecordFailure()
	}
}

// wait is how long the breaker stays open; a second if it is trying.
func (b *breaker) wait() time.Duration {
	if d := b.circuit.RemainingDelay(); d > 0 {
		return d
	}
	return breakerDelay
}
