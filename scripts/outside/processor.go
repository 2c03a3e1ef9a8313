package main

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// The card tokens with a behaviour of their own. Any other declines.
const (
	tokenVisa    = "tok_visa"
	tokenSlow    = "tok_slow"
	tokenTimeout = "tok_timeout"
	tokenFlaky   = "tok_flaky"
	tokenRefused = "tok_refused"
	tokenUnsure  = "tok_unsure"
)

const (
	slowness      = 2 * time.Second // of tok_slow
	flakyFailures = 2               // of tok_flaky, per reference
)

// The outcomes of a charge.
const (
	statusApproved = "approved"
	statusDeclined = "declined"
	statusRefunded = "refunded"
)

// What the processor refuses. The codes are stable, the sentences are for people.
var (
	errReferenceReused = problem{http.StatusUnprocessableEntity, "reference-reused",
		"This reference was used before, with another amount, currency or token."}
	errNeverCharged = problem{http.StatusNotFound, "never-charged",
		"No charge with this reference was made, so there is nothing to refund."}
	errChargeDeclined = problem{http.StatusConflict, "charge-declined",
		"The charge with this reference was declined, so there is nothing to refund."}
	errTokenRefused = problem{http.StatusUnprocessableEntity, "token-refused",
		"This token can't be charged, by any merchant and at any time. Nothing was charged."}
	errUnsure = problem{http.StatusInternalServerError, "unsure",
		"tok_unsure is charged, says so to nobody, and is refused from then on."}
	errFlaky = problem{http.StatusInternalServerError, "flaky",
		"tok_flaky fails twice per reference before it is charged. Send the same charge again."}
)

// ChargeRequest asks for money. Amount is in the currency's smallest unit.
type ChargeRequest struct {
	Reference string `json:"reference"`
	Amount    int64  `json:"amount"`
	Currency  string `json:"currency"`
	Token     string `json:"token"`
}

// Charge is the outcome of a ChargeRequest.
type Charge struct {
	Reference string `json:"reference"`
	Status    string `json:"status"`
	Amount    int64  `json:"amount"`
	Currency  string `json:"currency"`
}

// Refund is the outcome of a refund.
type Refund struct {
	Reference string `json:"reference"`
	Status    string `json:"status"`
}

// Processor charges and refunds cards, each reference of a merchant at most once.
type Processor struct {
	ledger *Ledger

	mu      sync.Mutex
	charges map[chargeKey]*charge
}

type chargeKey struct{ merchant, reference string }

// charge is what the processor knows of one reference. Its fields are guarded by Processor.mu;
// status and err are also safe to read once settled is closed.
type charge struct {
	request  ChargeRequest
	failures int           // of tok_flaky so far
	settled  chan struct{} // nil while nobody works on it, closed once status or err is there
	status   string
	err      error
	refunded bool
}

// newProcessor makes a processor that remembers the past entries of its ledger.
func newProcessor(ledger *Ledger, past []Entry) *Processor {
	p := &Processor{ledger: ledger, charges: make(map[chargeKey]*charge, len(past))}
	settled := make(chan struct{})
	close(settled)
	for _, entry := range past {
		key := chargeKey{entry.Merchant, entry.Reference}
		if entry.Effect == effectRefund {
			if c := p.charges[key]; c != nil {
				c.refunded = true
			}
			continue
		}
		status := statusApproved
		if entry.Effect == effectDecline {
			status = statusDeclined
		}
		p.charges[key] = &charge{
			request: ChargeRequest{Reference: entry.Reference, Amount: entry.Amount, Currency: entry.Currency},
			settled: settled,
			status:  status,
		}
	}
	return p
}

// Charge returns the outcome for the request's reference, and whether this call made it. The
// first call for a reference works to the end, however long that takes and whether or not its
// client still listens; ctx only bounds how long a later call waits for the first one.
func (p *Processor) Charge(ctx context.Context, merchant string, request ChargeRequest) (result Charge, first bool, err error) {
	key := chargeKey{merchant, request.Reference}
	c, first, err := p.claim(key, request)
	if err != nil {
		return Charge{}, false, err
	}
	if first {
		p.settle(key, c)
	}
	select {
	case <-c.settled:
	case <-ctx.Done():
		return Charge{}, false, ctx.Err()
	}
	if c.err != nil {
		return Charge{}, false, c.err
	}
	return Charge{
		Reference: c.request.Reference,
		Status:    c.status,
		Amount:    c.request.Amount,
		Currency:  c.request.Currency,
	}, first, nil
}

// claim finds the charge of a reference or starts it; mine says that the caller has to settle it.
func (p *Processor) claim(key chargeKey, request ChargeRequest) (c *charge, mine bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c = p.charges[key]
	switch {
	case request.Token == tokenRefused && c == nil, request.Token == tokenUnsure && c != nil:
		return nil, false, errTokenRefused
	case c == nil:
		c = &charge{request: request}
		p.charges[key] = c
	case !c.asked(request):
		return nil, false, errReferenceReused
	}
	if c.settled != nil {
		return c, false, nil
	}
	if request.Token == tokenFlaky && c.failures < flakyFailures {
		c.failures++
		return nil, false, errFlaky
	}
	c.settled = make(chan struct{})
	return c, true, nil
}

// asked says whether the charge was asked for by a request like this one. A charge that was
// read from the ledger does not know its token.
func (c *charge) asked(request ChargeRequest) bool {
	return c.request.Amount == request.Amount && c.request.Currency == request.Currency &&
		(c.request.Token == request.Token || c.request.Token == "")
}

// settle decides a claimed charge and writes the effect down before anybody hears of it. When
// the ledger can't be written nothing happened: the reference is forgotten, and may come again.
func (p *Processor) settle(key chargeKey, c *charge) {
	status, effect := statusDeclined, effectDecline
	switch c.request.Token {
	case tokenSlow:
		time.Sleep(slowness)
		fallthrough
	case tokenVisa, tokenTimeout, tokenFlaky, tokenUnsure:
		status, effect = statusApproved, effectCharge
	}
	err := p.ledger.Append(c.entry(key.merchant, effect))

	p.mu.Lock()
	defer p.mu.Unlock()
	c.status, c.err = status, err
	if err != nil {
		delete(p.charges, key)
	}
	close(c.settled)
}

// Refund gives the money of a charge back, once; again, it returns the same.
func (p *Processor) Refund(ctx context.Context, merchant, reference string) (Refund, error) {
	key := chargeKey{merchant, reference}
	p.mu.Lock()
	c := p.charges[key]
	p.mu.Unlock()
	if c == nil {
		return Refund{}, errNeverCharged
	}
	if err := p.settled(ctx, c); err != nil {
		return Refund{}, err
	}

	p.mu.Lock()
	defer p.mu.Unlock()
	if c.status == statusDeclined {
		return Refund{}, errChargeDeclined
	}
	if !c.refunded {
		if err := p.ledger.Append(c.entry(merchant, effectRefund)); err != nil {
			return Refund{}, err
		}
		c.refunded = true
	}
	return Refund{Reference: reference, Status: statusRefunded}, nil
}

// settled waits until a charge in progress has its outcome. A charge that only failed so far,
// as tok_flaky does, was never made.
func (p *Processor) settled(ctx context.Context, c *charge) error {
	p.mu.Lock()
	settled := c.settled
	p.mu.Unlock()
	if settled == nil {
		return errNeverCharged
	}
	select {
	case <-settled:
	case <-ctx.Done():
		return ctx.Err()
	}
	if c.err != nil {
		return errNeverCharged
	}
	return nil
}

func (c *charge) entry(merchant, effect string) Entry {
	return Entry{
		At:        time.Now().UTC(),
		Merchant:  merchant,
		Effect:    effect,
		Reference: c.request.Reference,
		Amount:    c.request.Amount,
		Currency:  c.request.Currency,
	}
}
