package seed

import (
	"bytes"
	"encoding/json"
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

// LedgerLines returns what the card processor did for the past orders, as lines of its ledger in
// order of time: charges, declines and refunds, whose references are the ids of the orders. The
// processor reads them when it starts, so that a past order can still be refunded.
func LedgerLines(data *Data, merchant string) []byte {
	var lines []ledgerLine
	for _, order := range data.Orders {
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
		lines = append(lines, line)
		if order.Payment.Status == "refunded" {
			line.At, line.Effect = order.Payment.RefundedAt, "refund"
			lines = append(lines, line)
		}
	}
	slices.SortStableFunc(lines, func(a, b ledgerLine) int { return a.At.Compare(b.At) })

	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	for _, line := range lines {
		if err := encoder.Encode(line); err != nil {
			panic("seed: " + err.Error()) // plain structs always encode
		}
	}
	return text.Bytes()
}
