package notifications

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"banyan/internal/money"
)

// The kinds of mail.
const (
	kindWelcome   = "welcome"
	kindPaid      = "order_paid"
	kindShipped   = "order_shipped"
	kindCancelled = "order_cancelled"
)

// Message is a mail to a customer.
type Message struct {
	ID        uuid.UUID  `json:"id"` // also in the mail's Message-ID
	Kind      string     `json:"kind"`
	To        string     `json:"to"`
	Subject   string     `json:"subject"`
	Body      string     `json:"-"`
	Status    string     `json:"status"` // queued or sent
	CreatedAt time.Time  `json:"-"`
	SentAt    *time.Time `json:"sent_at"`
}

// compose makes a message of a kind. Its address comes later.
func compose(kind, subject, body string) Message {
	return Message{ID: uuid.Must(uuid.NewV7()), Kind: kind, Subject: subject, Body: body}
}

func welcome(name string) Message {
	return compose(kindWelcome, "Welcome to Banyan", fmt.Sprintf(`Hello %s,

your account is ready. Sign in with this address whenever you like.

We hope that you find something good to read.
`, name))
}

func receipt(orderID uuid.UUID, total money.Money) Message {
	return compose(kindPaid, "Thank you for your order", fmt.Sprintf(`Hello,

thank you for your order. Your payment of %s has arrived, and we are packing
your books. We will write again when they are on their way.

Your order: %s
`, total, orderID))
}

func shipped(orderID uuid.UUID) Message {
	return compose(kindShipped, "Your books are on their way", fmt.Sprintf(`Hello,

your books have left our house. We hope that you enjoy them.

Your order: %s
`, orderID))
}

// Why an order was cancelled, in a sentence of the mail.
var reasons = map[string]string{
	"customer": "your order is cancelled, as you wished. We return what you paid to your card.",
	"sold_out": "we are sorry: we cannot fill your order, for a book was sold out meanwhile.\nYou pay nothing.",
	"declined": "your order is cancelled, since your card was declined. You pay nothing.",
	"refused":  "we are sorry: your order was refused, so it is cancelled.\nYou pay nothing; should anything have been charged, we return it to your card.",
}

func cancelled(orderID uuid.UUID, reason string) Message {
	sentence, ok := reasons[reason]
	if !ok {
		sentence = "your order is cancelled. If you have paid, we return it to your card."
	}
	return compose(kindCancelled, "Your order is cancelled", fmt.Sprintf(`Hello,

%s

Your order: %s
`, sentence, orderID))
}
