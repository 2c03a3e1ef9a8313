package workload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"slices"
	"time"

	"banyan/scripts/lab/shop"
)

// browser is one emulated browser.
type browser struct {
	*Clientele
	script   *script
	conn     *shop.Conn
	visitors []*customer // take turns
	current  int
	*notes
	// requests and errors of this browser, whatever has been taken out of its notes.
	requests, errors int64
	intended         time.Time // when the next request had to be sent; zero: whenever it is
	// sampleEvery says that of so many answers one is read and compared with what it has to be.
	sampleEvery int64
}

// take makes one visit. If it had to begin at a certain time, its first answer is measured from then on.
func (b *browser) take(ctx context.Context, v *visit, intended time.Time) {
	if v.leaves {
		b.current = (b.current + 1) % len(b.visitors)
	}
	began := intended
	if began.IsZero() {
		began = time.Now()
	}
	requests, errors := b.requests, b.errors
	b.intended = intended
	b.visit(ctx, b.visitors[b.current], v)
	b.intended = time.Time{}
	if ctx.Err() == nil {
		b.note(func(t *Tally) { t.Visited(v.interaction, time.Since(began), b.requests-requests, b.errors-errors) })
	}
}

// leave closes the connection and notes what went through it.
func (b *browser) leave() {
	b.note(func(t *Tally) { t.Sent, t.Received = b.conn.Bytes() })
	b.conn.Close()
}

// expectation is what an answer has to be.
type expectation struct {
	status int
	// also are other statuses that may be, such as 202; refusals are the codes of problems that may be.
	also     int
	refusals []string
	check    func(body []byte) error // of the content of an answer of the first status; nil: none
}

func ok(check func([]byte) error) expectation {
	return expectation{status: http.StatusOK, check: check}
}

// ask sends a request and judges the answer. The code is that of a refusal that was to be expected. Without
// one, false says that something is amiss, which is counted already.
func (b *browser) ask(ctx context.Context, r shop.Request, want expectation) (a shop.Answer, code string, good bool) {
	began := b.intended
	if began.IsZero() {
		began = time.Now()
	}
	b.intended = time.Time{} // what follows in the same visit has no time of its own
	a, err := b.conn.Send(ctx, r)
	if ctx.Err() != nil {
		return a, "", false // interrupted: nobody's fault
	}
	b.requests++
	b.note(func(t *Tally) { t.Took(time.Since(began)) })
	if err != nil {
		b.failed(noAnswer(err), err.Error())
		return a, "", false
	}
	switch {
	case a.Status == want.status, want.also != 0 && a.Status == want.also:
		return a, "", b.accept(r, want, a)
	case a.Status >= 500 || a.Status == http.StatusTooManyRequests:
		b.failed(fmt.Sprintf("%d %s", a.Status, codeOf(a)), fmt.Sprintf("%s was answered with %d %s", r, a.Status, codeOf(a)))
		return a, "", false
	}
	code = codeOf(a)
	if slices.Contains(want.refusals, code) {
		b.note(func(t *Tally) { t.Refused[code]++ })
		return a, code, false
	}
	instead := fmt.Errorf("%d %s instead of %d", a.Status, code, want.status)
	b.wrong(r, instead.Error(), instead)
	return a, "", false
}

// accept looks at an answer of the right status: at the outside of each, and into some.
func (b *browser) accept(r shop.Request, want expectation, a shop.Answer) bool {
	if err := outside(a); err != nil {
		b.wrong(r, wrongContents, err)
		return false
	}
	if want.check == nil || a.Status != want.status || b.requests%b.sampleEvery != 0 {
		return true
	}
	b.note(func(t *Tally) { t.Checked++ })
	if err := want.check(a.Body); err != nil {
		b.wrong(r, wrongContents, err)
		return false
	}
	return true
}

// wrongContents is the reason for an answer of the right status that says something else than it has to.
const wrongContents = "wrong contents"

// wrong counts an answer that must not be. The reason is without what is different each time.
func (b *browser) wrong(r shop.Request, reason string, err error) {
	b.note(func(t *Tally) { t.wrong(reason, fmt.Sprintf("%s was answered wrongly: %v", r, err)) })
}

// failed counts a request that was not served.
func (b *browser) failed(reason, text string) {
	b.errors++
	b.note(func(t *Tally) { t.failed(reason, text) })
}

// noAnswer is why there was none, without addresses and ports.
func noAnswer(err error) string {
	var op *net.OpError
	switch cause := errors.Unwrap(err); {
	case errors.As(err, &op):
		return fmt.Sprintf("no answer: %s: %v", op.Op, op.Err)
	case cause != nil:
		err = cause
	}
	return fmt.Sprintf("no answer: %v", err)
}

// outside says whether an answer looks like a whole JSON object.
func outside(a shop.Answer) error {
	if whole := a.ContentType(); whole != "application/json" {
		if kind, _, err := mime.ParseMediaType(whole); err != nil || kind != "application/json" {
			return fmt.Errorf("its content type is %q", whole)
		}
	}
	end := len(a.Body)
	if end > 0 && a.Body[end-1] == '\n' {
		end--
	}
	if end < 2 || a.Body[0] != '{' || a.Body[end-1] != '}' {
		return fmt.Errorf("its body of %d bytes is no JSON object", len(a.Body))
	}
	return nil
}

// codeOf is the code of a problem; a dash if it is none.
func codeOf(a shop.Answer) string { return cmp.Or(a.Code(), "-") }
