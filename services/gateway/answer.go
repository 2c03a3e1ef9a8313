package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

// answer is an upstream's answer that has begun. It may take as long as it likes, but not stand still. The clock runs
// while we wait for the upstream, and stands while the client reads.
type answer struct {
	io.ReadCloser
	stall    time.Duration
	patience *time.Timer
}

// begin takes over from the time that the upstream had to begin.
func (h *hop) begin(res *http.Response) {
	h.patience.Stop()
	h.answer = &answer{res.Body, h.stall, h.patience}
	res.Body = h.answer
}

func (a *answer) Read(p []byte) (int, error) {
	a.patience.Reset(a.stall)
	defer a.patience.Stop()
	return a.ReadCloser.Read(p)
}

// reader is a client, and why it could not be written to, if so.
type reader struct {
	http.ResponseWriter
	err error
}

func (r *reader) Write(p []byte) (int, error) {
	n, err := r.ResponseWriter.Write(p)
	if err != nil {
		r.err = err
	}
	return n, err
}

// Unwrap lets http.ResponseController flush.
func (r *reader) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// cuts counts a route's answers that had begun and did not come to their end, by who it was.
type cuts struct{ upstream, slow, gone atomic.Int64 }

// cut counts an answer that was cut, and says why. written is why the client could not be written to; nil if it could.
func (h *hop) cut(written error) error {
	because := func(count *atomic.Int64, what string, err error) error {
		count.Add(1)
		return fmt.Errorf("%w: %s: %w", http.ErrAbortHandler, what, err)
	}
	cause := context.Cause(h.ctx)
	switch {
	case errors.Is(written, os.ErrDeadlineExceeded):
		return because(&h.route.cuts.slow, "the client reads too slowly", written)
	case written != nil, errors.Is(cause, context.Canceled):
		return because(&h.route.cuts.gone, "the client has gone", context.Canceled)
	case cause != nil:
		return because(&h.route.cuts.upstream, "the upstream stood still", cause)
	}
	return because(&h.route.cuts.upstream, "the upstream broke off", io.ErrUnexpectedEOF)
}
