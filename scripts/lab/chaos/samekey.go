package chaos

import (
	"context"
	"net/http"

	"github.com/google/uuid"
)

// sameKeyRequests are sent at once with one key.
const sameKeyRequests = 50

// SameKeyReport is what came of one checkout that was sent many times at once.
type SameKeyReport struct {
	Requests int  `json:"requests"`
	First    int  `json:"first"` // status of the answer that the key stands for
	Answered int  `json:"answered"`
	InUse    int  `json:"in_use"` // 409 key-in-use
	Orders   int  `json:"orders"`
	Repeated bool `json:"repeated"` // a repetition afterwards got the same bytes
}

// sameKey has one more copy delivered, and one customer send the same checkout many times at once.
func (r *race) sameKey(ctx context.Context) error {
	report := &r.report.SameKey
	report.Requests = sameKeyRequests
	buyer := r.buyers[0]
	before, err := r.ordersOf(ctx, buyer)
	if err != nil {
		return err
	}
	if err := r.staff.deliver(ctx, r.book.ID, 1); err != nil {
		return err
	}
	if _, err := buyer.put(ctx, r.book.ID, 1); err != nil {
		return err
	}
	key := uuid.NewString()
	answers, err := atOnce(sameKeyRequests, func(int) (answer, error) { return buyer.checksOut(ctx, key) })
	if err != nil {
		return err
	}
	first := r.countSameKey(answers)
	if first == nil {
		return nil
	}
	report.First = first.status
	var bought order
	if err := first.read("POST /v1/orders", &bought); err != nil {
		return err
	}
	if bought, err = buyer.settles(ctx, bought.ID); err != nil {
		return err
	}
	if bought.Status != "paid" {
		r.findings.add("one key, many times: the order is paid", "order %s is %s", bought.ID, bought.Status)
	}
	return r.judgeSameKey(ctx, key, *first, bought.ID, len(before))
}

// countSameKey sorts the answers and returns the one that the key stands for; nil if there is none.
func (r *race) countSameKey(answers []answer) *answer {
	report := &r.report.SameKey
	var first *answer
	for i, said := range answers {
		switch {
		case said.status == http.StatusConflict && said.code() == "key-in-use":
			report.InUse++
			if said.retryAfter == "" {
				r.findings.add("one key, many times: who is to wait is told how long", "409 key-in-use without Retry-After")
			}
		case said.status == http.StatusCreated, said.status == http.StatusAccepted:
			report.Answered++
			if first == nil {
				first = &answers[i]
			} else if !said.same(*first) {
				r.findings.add("one key, many times: every answer is the same", "%s differs from %s", said.body, first.body)
			}
		default:
			r.findings.add("one key, many times: 201, 202 or 409 key-in-use", "%v", said.unexpected())
		}
	}
	if first == nil {
		r.findings.add("one key, many times: one request does the work", "none of %d got an order", len(answers))
	}
	return first
}

// judgeSameKey asks once more, and looks what there is now.
func (r *race) judgeSameKey(ctx context.Context, key string, first answer, orderID string, before int) error {
	report := &r.report.SameKey
	again, err := r.buyers[0].checksOut(ctx, key)
	if err != nil {
		return err
	}
	report.Repeated = again.same(first)
	if !report.Repeated {
		r.findings.add("one key, many times: a repetition gets the first answer's bytes", "%d %s, not %d %s",
			again.status, again.body, first.status, first.body)
	}
	after, err := r.ordersOf(ctx, r.buyers[0])
	if err != nil {
		return err
	}
	report.Orders = len(after) - before
	if report.Orders != 1 {
		r.findings.add("one key, many times: one order", "there are %d", report.Orders)
	}
	var left int
	if err := r.judgeStock(ctx, max(0, r.copies-len(r.buyers)), &left); err != nil {
		return err
	}
	entries, err := r.shop.ledger(ctx, r.began)
	if err != nil {
		return err
	}
	charges := 0
	for _, e := range entries {
		if e.Reference == orderID {
			charges++
		}
	}
	if charges != 1 {
		r.findings.add("one key, many times: one charge", "the ledger has %d lines of order %s", charges, orderID)
	}
	return nil
}
