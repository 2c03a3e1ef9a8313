package main

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"banyan/internal/web"
)

// callTime is how long one call to the processor may take. A charge that takes
// longer is asked for again, under the same reference, and answered then.
const callTime = 1200 * time.Millisecond

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

// charge asks once. An error leaves the outcome unknown.
func (p *Processor) charge(ctx context.Context, reference uuid.UUID, cents int64, cardToken string) (approved bool, err error) {
	var result struct {
		Status string `json:"status"`
	}
	err = p.client.Do(ctx, http.MethodPost, "/charges", struct {
		Reference uuid.UUID `json:"reference"`
		Amount    int64     `json:"amount"`
		Currency  string    `json:"currency"`
		Token     string    `json:"token"`
	}{reference, cents, "USD", cardToken}, &result)
	return result.Status == "approved", err
}

// refund gives the money of a charge back.
func (p *Processor) refund(ctx context.Context, reference uuid.UUID) error {
	return p.client.Do(ctx, http.MethodPost, "/refunds", struct {
		Reference uuid.UUID `json:"reference"`
	}{reference}, nil)
}
