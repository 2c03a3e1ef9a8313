package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"time"

	"github.com/google/uuid"

	"banyan/internal/fault"
	"banyan/internal/web"
)

// callTime is how long one call to the processor may take. A charge that takes
// longer is asked for again, under the same reference, and answered then.
const callTime = 1200 * time.Millisecond

// What the processor answers when there is no money to give back.
var (
	errNeverCharged   = fault.New(fault.NotFound, "/problems/never-charged", "")
	errChargeDeclined = fault.New(fault.Conflict, "/problems/charge-declined", "")
)

// Processor is the card processor. It knows a charge by its reference, so a
// repeated call has one effect.
type Processor struct{ client *web.Client }

// NewProcessor talks to the processor at url with the merchant's key.
func NewProcessor(url, key string) *Processor {
	return &Processor{web.NewClient(web.ClientConfig{
		Base: url, Timeout: callTime,
		Bearer: func() (string, error) { return key, nil },
	})}
}

// charge asks once. An error leaves the outcome unknown, unless it is definite.
// Yes is `approved` and no is `declined`: another status is neither.
func (p *Processor) charge(ctx context.Context, reference uuid.UUID, cents int64, cardToken string) (approved bool, err error) {
	var result struct {
		Status string `json:"status"`
	}
	sent := 0
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent++ }})
	err = p.client.Do(ctx, http.MethodPost, "/charges", struct {
		Reference uuid.UUID `json:"reference"`
		Amount    int64     `json:"amount"`
		Currency  string    `json:"currency"`
		Token     string    `json:"token"`
	}{reference, cents, "USD", cardToken}, &result)
	switch {
	case definite(err) && sent > 1:
		// The client has sent it again on a new connection: nobody heard what the first one came to.
		return false, fmt.Errorf("the second of two charges was refused: %s", err)
	case err == nil && result.Status != "approved" && result.Status != "declined":
		return false, fmt.Errorf("the charge is %q, which says neither yes nor no", result.Status)
	}
	return result.Status == "approved", err
}

// definite reports whether the processor has refused the charge, and would refuse
// it again.
func definite(err error) bool {
	switch fault.KindOf(err) {
	case fault.Malformed, fault.Conflict, fault.TooLarge, fault.Invalid:
		return true
	}
	return false
}

// nothingCharged reports whether a refund came to nothing because there is no
// money to give back.
func nothingCharged(err error) bool {
	return errors.Is(err, errNeverCharged) || errors.Is(err, errChargeDeclined)
}

// refund gives the money of a charge back.
func (p *Processor) refund(ctx context.Context, reference uuid.UUID) error {
	return p.client.Do(ctx, http.MethodPost, "/refunds", struct {
		Reference uuid.UUID `json:"reference"`
	}{reference}, nil)
}
