package seed

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"time"
)

// ledgerLine is an effect as the simulated card processor writes it.
type ledgerLine struct {
	At        time.Time `json:"at"`
	Merchant  string    `json:"merchant"`
	Effect    string    `json:"effect"`
	Reference string    `json:"reference"`
	Amount    int64     `json:"amount"`
	Currency  string    `json:"currency"`
}

// LedgerLines is what WriteLedger writes.
func LedgerLines(data *Data, merchant string) []byte {
	var text bytes.Buffer
	_ = WriteLedger(&text, data, merchant) // a buffer takes everything
	return text.Bytes()
}

// WriteLedger writes what the card processor did for the past orders, as lines of its ledger in
// order of time: charges, declines and refunds, whose references are the ids of the orders. The
// processor reads them when it starts, so that a past order can still be refunded.
func WriteLedger(to io.Writer, data *Data, merchant string) error {
	encoder := json.NewEncoder(to)
	// Orders come in order of time, and refunds some minutes after theirs.
	var refunds []ledgerLine
	writeUntil := func(at time.Time) error {
		for len(refunds) > 0 && !refunds[0].At.After(at) {
			if err := encoder.Encode(refunds[0]); err != nil {
				return err
			}
			refunds = refunds[1:]
		}
		return nil
	}
	for order := range data.AllOrders() {
		line := ledgerLine{
			At:        order.Payment.CreatedAt,
			Merchant:  merchant,
			Effect:    "charge",
			Reference: order.ID.String(),
			Amount:    order.Total,
			Currency:  "USD",
		}
		if order.Payment.Status == "declined" {
			line.Effect = "decline"
		}
		if err := writeUntil(line.At); err != nil {
			return err
		}
		if err := encoder.Encode(line); err != nil {
			return err
		}
		if order.Payment.Status == "refunded" {
			line.At, line.Effect = order.Payment.RefundedAt, "refund"
			refunds = append(refunds, line)
			slices.SortStableFunc(refunds, func(a, b ledgerLine) int { return a.At.Compare(b.At) })
		}
	}
	return writeUntil(Until.AddDate(1, 0, 0))
}
