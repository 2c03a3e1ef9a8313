package main

import (
	"errors"
	"io"
	"sync/atomic"
)

// inbound is a client's body that remembers how far it was read, and why it could not
// be, which tells a client's failure from the upstream's. Nil is no body.
type inbound struct {
	io.ReadCloser
	ended atomic.Bool
	err   atomic.Pointer[error] // the transport reads in a goroutine of its own
}

func (b *inbound) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == io.EOF:
		b.ended.Store(true)
	case err != nil:
		b.err.CompareAndSwap(nil, &err)
	}
	return n, err
}

// failure is why the body could not be read; nil if it could.
func (b *inbound) failure() error {
	if b == nil || b.err.Load() == nil {
		return nil
	}
	return *b.err.Load()
}

// pending reports whether there is more of it to come.
func (b *inbound) pending() bool { return b != nil && !b.ended.Load() }

// lend gives the body to one attempt.
func (b *inbound) lend() *loan {
	if b == nil {
		return nil
	}
	return &loan{body: b}
}

// loan is a body for one attempt, which closes it when it fails. As long as nothing was
// read of it, it can be taken back and lent to the next.
type loan struct {
	body  *inbound
	state atomic.Int32
}

const (
	untouched int32 = iota
	touched
	takenBack
)

var errTakenBack = errors.New("the attempt is over")

func (l *loan) Read(p []byte) (int, error) {
	if l.state.CompareAndSwap(untouched, touched); l.state.Load() == takenBack {
		return 0, errTakenBack
	}
	return l.body.Read(p)
}

// Close leaves the body open; the server closes it.
func (l *loan) Close() error { return nil }

// takeBack reports whether there may be another attempt as far as the body goes.
func (l *loan) takeBack() bool { return l == nil || l.state.CompareAndSwap(untouched, takenBack) }
