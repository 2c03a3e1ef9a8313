package history

import (
	"encoding/json"
	"strings"
	"sync"
	"time"

	"banyan/scripts/lab/shop"
)

// What became of a checkout, as its customer knows it.
const (
	Unknown  = "unknown"  // no answer that says anything, and the customer gave up
	Paid     = "paid"     // 201
	Accepted = "accepted" // 202
	Declined = "declined" // 402
	Refused  = "refused"  // sold out, or nothing in the cart: no order
)

// Attempt is one checkout under one key, written down before it was sent.
type Attempt struct {
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
func (a *Attempt) learn(outcome string, said shop.Answer) {
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

// History is what the customers have written down.
type History struct {
	journal *journal // on disk as well; nil: in memory only

	mu       sync.Mutex
	Attempts []*Attempt // read when the last customer has left
	Deeds    []*Deed
}

// Keep writes the history to a file as well, from now on.
func (h *History) Keep(path string) (err error) {
	h.journal, err = openJournal(path)
	return err
}

// Close says that the last customer has left. It returns the first failure to keep the history.
func (h *History) Close() error { return h.journal.close() }

// Begin writes an attempt down. Only its customer changes it from now on.
func (h *History) Begin(a Attempt) *Attempt {
	a.Began, a.Outcome = time.Now(), Unknown
	h.mu.Lock()
	defer h.mu.Unlock()
	h.Attempts = append(h.Attempts, &a)
	return &a
}
