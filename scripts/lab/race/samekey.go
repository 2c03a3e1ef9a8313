package race

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"banyan/scripts/lab/shop"
)

// sameKeyRequests are sent at once with one key.
const sameKeyRequests = 50

// SameKey is what came of one checkout that was sent many times at once.
type SameKey struct {
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
	if err := r.staff.Deliver(ctx, r.book.ID, 1); err != nil {
		return err
	}
	if _, err := buyer.Put(ctx, r.book.ID, 1); err != nil {
		return err
	}
	key := uuid.NewString()
	answers, err := atOnce(sameKeyRequests, func(int) (shop.Answer, error) { return buyer.CheckOut(ctx, key, shop.CardGood) })
	if err != nil {
		return err
	}
	first := r.countSameKey(answers)
	if first == nil {
		return nil
	}
	report.First = first.Status
	var bought shop.Order
	if err := first.Read(&bought); err != nil {
		return err
	}
	if bought, err = buyer.Settle(ctx, bought.ID); err != nil {
		return err
	}
	if bought.Status != "paid" {
		r.findings.Add("one key, many times: the order is paid", "order %s is %s", bought.ID, bought.Status)
	}
	return r.judgeSameKey(ctx, key, *first, bought.ID, len(before))
}

// countSameKey sorts the answers and returns the one that the key stands for; nil if there is none.
func (r *race) countSameKey(answers []shop.Answer) *shop.Answer {
	report := &r.report.SameKey
	var first *shop.Answer
	for i, said := range answers {
		switch {
		case said.Status == http.StatusConflict && said.Code() == "key-in-use":
			report.InUse++
			if said.RetryAfter() == "" {
				r.findings.Add("one key, many times: who is to wait is told how long", "409 key-in-use without Retry-After")
			}
		case said.Status == http.StatusCreated, said.Status == http.StatusAccepted:
			report.Answered++
			if first == nil {
				first = &answers[i]
			} else if !said.Same(*first) {
				r.findings.Add("one key, many times: every answer is the same", "%s differs from %s", said.Body, first.Body)
			}
		default:
			r.findings.Add("one key, many times: 201, 202 or 409 key-in-use", "%v", said.Err())
		}
	}
	if first == nil {
		r.findings.Add("one key, many times: one request does the work", "none of %d got an order", len(answers))
	}
	return first
}

// judgeSameKey asks once more, and looks what there is now.
func (r *race) judgeSameKey(ctx context.Context, key string, first shop.Answer, orderID string, before int) error {
	report := &r.report.SameKey
	again, err := r.buyers[0].CheckOut(ctx, key, shop.CardGood)
	if err != nil {
		return err
	}
	report.Repeated = again.Same(first)
	if !report.Repeated {
		r.findings.Add("one key, many times: a repetition gets the first answer's bytes", "%d %s, not %d %s",
			again.Status, again.Body, first.Status, first.Body)
	}
	after, err := r.ordersOf(ctx, r.buyers[0])
	if err != nil {
		return err
	}
	report.Orders = len(after) - before
	if report.Orders != 1 {
		r.findings.Add("one key, many times: one order", "there are %d", report.Orders)
	}
	var left int
	if err := r.judgeStock(ctx, max(0, r.options.Copies-len(r.buyers)), &left); err != nil {
		return err
	}
	entries, err := r.ledger(ctx)
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
		r.findings.Add("one key, many times: one charge", "the ledger has %d lines of order %s", charges, orderID)
	}
	return nil
}
