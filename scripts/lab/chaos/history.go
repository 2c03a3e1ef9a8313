package chaos

import (
	"encoding/json"
	"strings"
	"sync"
	"time"

	"banyan/scripts/lab/shop"
)

// What became of a checkout, as its customer knows it.
const (
	outcomeUnknown  = "unknown"  // no answer that says anything, and the customer gave up
	outcomePaid     = "paid"     // 201
	outcomeAccepted = "accepted" // 202
	outcomeDeclined = "declined" // 402
	outcomeRefused  = "refused"  // sold out, or nothing in the cart: no order
)

// attempt is one checkout under one key, written down before it was sent.
type attempt struct {
	Customer string      `json:"customer"`
	Key      string      `json:"key"`
	Card     string      `json:"card"`
	Cart     []shop.Line `json:"cart"` // as the shop showed it last
	Sure     bool        `json:"sure"` // nothing but this checkout could change the cart
	Began    time.Time   `json:"began"`
	Ended    time.Time   `json:"ended"` // when the answer came that ended it; zero if none did

	Sent    int    `json:"sent"`    // how often
	Unknown int    `json:"unknown"` // how often no answer came, or one that says nothing
	Outcome string `json:"outcome"`
	Order   string `json:"order"` // id, if the customer was told one
	Odd     string `json:"odd"`   // an answer that the contract does not know
}

// learn writes down the answer that ended the attempt.
func (a *attempt) learn(outcome string, said shop.Answer) {
	a.Outcome = outcome
	a.Order = orderOf(said)
	if location := strings.TrimPrefix(said.Location(), "/v1/orders/"); said.Location() != "" && location != a.Order {
		a.Odd = "Location names order " + location + ", the body " + a.Order
	}
}

// orderOf is the order that the answer to a checkout speaks of; empty if it speaks of none.
func orderOf(said shop.Answer) string {
	var told struct {
		ID      string `json:"id"`
		OrderID string `json:"order_id"` // in a problem
	}
	if json.Unmarshal(said.Body, &told) != nil {
		return ""
	}
	return told.ID + told.OrderID
}

// history is what the customers have written down.
type history struct {
	journal *journal // on disk as well; nil: in memory only

	mu       sync.Mutex
	attempts []*attempt
	deeds    []*deed
}

// begin writes an attempt down. Only its customer changes it from now on.
func (h *history) begin(a attempt) *attempt {
	a.Began, a.Outcome = time.Now(), outcomeUnknown
	h.mu.Lock()
	defer h.mu.Unlock()
	h.attempts = append(h.attempts, &a)
	return &a
}
