package bench

import (
	"cmp"
	"context"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"time"

	"banyan/scripts/lab/shop"
)

// cartLines is how many different books a customer collects; with a full cart, they change their mind about
// one of those instead. TPC-W ends a cart with its session, ours stays with the account.
const cartLines = 5

// customer is a signed-in reader of one side and what they remember.
type customer struct {
	reader
	token string
	cart  []line
	// unsettled says that an order of theirs was not paid within its request: its lines may leave the cart at
	// any moment.
	unsettled bool
}

// line is a book in the cart, by rank of popularity.
type line struct {
	book, quantity int
}

// browser is one emulated browser.
type browser struct {
	*session
	script    *script
	conn      *shop.Conn
	customers []*customer // take turns
	current   int
	tally     *tally
	intended  time.Time // when the next request had to be sent; zero: whenever it is
	// sampleEvery says that of so many answers one is read and compared with what it has to be.
	sampleEvery int64
}

// session is what the browsers of a side have in common.
type session struct {
	shop       *catalogue
	staff      string // token
	keys       string // begins every idempotency key and address of this run
	withLogins bool
}

// take makes one visit. If it had to begin at a certain time, its first answer is measured from then on.
func (b *browser) take(ctx context.Context, v *visit, intended time.Time) {
	if v.leaves {
		b.current = (b.current + 1) % len(b.customers)
	}
	began := intended
	if began.IsZero() {
		began = time.Now()
	}
	requests, errors := b.tally.requests, b.tally.errors
	b.intended = intended
	b.visit(ctx, b.customers[b.current], v)
	b.intended = time.Time{}
	if ctx.Err() == nil {
		b.tally.visited(v.interaction, time.Since(began), b.tally.requests-requests, b.tally.errors-errors)
	}
}

// leave closes the connection and notes what went through it.
func (b *browser) leave() {
	b.tally.sent, b.tally.received = b.conn.Bytes()
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
	b.tally.took(time.Since(began))
	if err != nil {
		b.tally.errors++
		b.tally.complain(err.Error())
		return a, "", false
	}
	switch {
	case a.Status == want.status, want.also != 0 && a.Status == want.also:
		return a, "", b.accept(r, want, a)
	case a.Status >= 500 || a.Status == http.StatusTooManyRequests:
		b.tally.errors++
		b.tally.complain(fmt.Sprintf("%s was answered with %d %s", r, a.Status, codeOf(a)))
		return a, "", false
	}
	code = codeOf(a)
	if slices.Contains(want.refusals, code) {
		b.tally.refused[code]++
		return a, code, false
	}
	b.wrong(r, fmt.Errorf("%d %s instead of %d", a.Status, code, want.status))
	return a, "", false
}

// accept looks at an answer of the right status: at the outside of each, and into some.
func (b *browser) accept(r shop.Request, want expectation, a shop.Answer) bool {
	if err := outside(a); err != nil {
		b.wrong(r, err)
		return false
	}
	if want.check == nil || a.Status != want.status || b.tally.requests%b.sampleEvery != 0 {
		return true
	}
	b.tally.checked++
	if err := want.check(a.Body); err != nil {
		b.wrong(r, err)
		return false
	}
	return true
}

func (b *browser) wrong(r shop.Request, err error) {
	b.tally.wrong++
	b.tally.complain(fmt.Sprintf("%s was answered wrongly: %v", r, err))
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
