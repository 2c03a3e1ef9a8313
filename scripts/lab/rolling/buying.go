package rolling

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"

	"github.com/google/uuid"
)

// The statuses of orders.
const (
	pending   = "pending"
	paid      = "paid"
	cancelled = "cancelled"
)

// The cards that are used.
const (
	cardGood     = "tok_visa"
	cardSlow     = "tok_slow"
	cardDeclined = "tok_declined"
)

// settleTime is for how long an order may be pending, by what its customer sees.
const settleTime = 60 * time.Second

// checkoutBody is what a checkout says.
func checkoutBody(card string) any {
	type object map[string]any
	return object{
		"payment": object{"token": card},
		"shipping_address": object{
			"name": "Ada Lovelace", "street": "12 St James's Square", "city": "London", "postcode": "SW1Y 4JH", "country": "GB",
		},
	}
}

func (c *customer) checkOut(ctx context.Context) {
	if len(c.cart) == 0 {
		c.putIntoCart(ctx)
		if len(c.cart) == 0 {
			return
		}
	}
	card := cardGood
	switch n := c.random.IntN(20); {
	case n == 0:
		card = cardDeclined
	case n <= 2:
		card = cardSlow
	}
	c.buy(ctx, card)
}

// buy sends the checkout until it is known what became of it, and follows a pending order to its end. It returns the
// order, nil if there is none.
func (c *customer) buy(ctx context.Context, card string) *order {
	r := request{method: http.MethodPost, path: "/v1/orders", key: uuid.NewString(), body: checkoutBody(card)}
	statuses := []int{http.StatusCreated, http.StatusAccepted}
	if card == cardDeclined {
		statuses = []int{http.StatusPaymentRequired, http.StatusAccepted}
	}
	sure, want := !c.unsure, maps.Clone(c.cart)
	var o order
	for end := time.Now().Add(settleTime); ; {
		o = order{}
		said, good := c.ask(ctx, r, statuses, &o, func(said answer) error {
			switch said.status {
			case http.StatusPaymentRequired:
				return nil
			case http.StatusConflict:
				if said.code() != "key-in-use" {
					return errors.New("only its own key may be in the way")
				}
				return nil
			}
			if sure && !same(o.Items, want) {
				return errors.New("the order should hold what was in the cart")
			}
			if said.status == http.StatusCreated && o.Status != paid {
				return errors.New("201 for an order that is not paid")
			}
			return nil
		})
		switch {
		case good && said.status == http.StatusPaymentRequired:
			c.declined(said)
			return nil
		case good && said.status != http.StatusConflict:
			if c.random.IntN(10) == 0 {
				c.repeat(ctx, r, said)
			}
			return c.follow(ctx, o, card)
		}
		if time.Now().After(end) || pause(ctx, 500*time.Millisecond) != nil {
			return nil
		}
		// The one without an answer may still be under way. Then its key is in use, which is an answer as well.
		sure, statuses = false, append(statuses[:2:2], http.StatusConflict)
	}
}

// repeat sends a checkout again that was answered: the answer has to be the same to the byte.
func (c *customer) repeat(ctx context.Context, r request, before answer) {
	c.ask(ctx, r, []int{before.status}, nil, func(said answer) error {
		if !bytes.Equal(said.body, before.body) || said.location != before.location {
			return fmt.Errorf("the answer before was another one: %s", before)
		}
		return nil
	})
}

// declined notes the order that a declined card has left. The cart stays as it is.
func (c *customer) declined(said answer) {
	var problem struct {
		OrderID string `json:"order_id"`
	}
	if json.Unmarshal(said.body, &problem) == nil && problem.OrderID != "" {
		c.orders[problem.OrderID] = cancelled
	}
}

// follow looks at an order until it is no longer pending, and at what has become of it then.
func (c *customer) follow(ctx context.Context, o order, card string) *order {
	want := paid
	if card == cardDeclined {
		want = cancelled
	}
	c.orders[o.ID] = want
	items := map[string]int{}
	for _, l := range o.Items {
		items[l.BookID] = l.Quantity
	}
	end := time.Now().Add(settleTime)
	for o.Status == pending {
		if pause(ctx, 200*time.Millisecond) != nil {
			return nil
		}
		seen := order{}
		_, good := c.ask(ctx, request{method: http.MethodGet, path: "/v1/orders/" + o.ID}, ok, &seen, func(answer) error {
			switch {
			case seen.Status != pending && seen.Status != want:
				return fmt.Errorf("the order should become %s", want)
			case seen.Total != o.Total || !same(seen.Items, items):
				return errors.New("the order was another one before")
			case seen.Status == pending && time.Now().After(end):
				return fmt.Errorf("pending for more than %s", settleTime)
			}
			return nil
		})
		if !good && time.Now().After(end) {
			return nil
		}
		if good {
			o = seen
		}
	}
	if o.Status == paid {
		c.unsure = c.unsure || len(items) != len(c.cart) // something was added meanwhile, or is not known
		c.cart = map[string]int{}
		c.last = &o
	}
	return &o
}

// cancel takes the last purchase back.
func (c *customer) cancel(ctx context.Context) {
	if c.last == nil {
		return
	}
	o := c.last
	c.last = nil
	for end := time.Now().Add(settleTime); ; {
		var seen order
		_, good := c.ask(ctx, request{method: http.MethodPost, path: "/v1/orders/" + o.ID + "/cancel"}, ok, &seen, func(answer) error {
			if seen.ID != o.ID || seen.Status != cancelled || seen.CancelReason == nil || *seen.CancelReason != "customer" {
				return errors.New("the order should be cancelled by its customer")
			}
			return nil
		})
		if good {
			c.orders[o.ID] = cancelled
			return
		}
		delete(c.orders, o.ID) // either is right, until an answer comes
		if time.Now().After(end) || pause(ctx, 500*time.Millisecond) != nil {
			return
		}
	}
}

// lookAfterOrders reads everything about the last purchase that other services know.
func (c *customer) lookAfterOrders(ctx context.Context) {
	var orders list[order]
	c.ask(ctx, request{method: http.MethodGet, path: "/v1/orders?limit=5"}, ok, &orders, func(answer) error {
		if c.last != nil && (len(orders.Items) == 0 || orders.Items[0].ID < c.last.ID) {
			return fmt.Errorf("order %s is missing", c.last.ID)
		}
		return nil
	})
	if c.last == nil {
		return
	}
	type part struct {
		OrderID string `json:"order_id"`
		Status  string `json:"status"`
		Amount  money  `json:"amount"`
	}
	var payments, shipments list[part]
	c.ask(ctx, request{method: http.MethodGet, path: "/v1/payments?order_id=" + c.last.ID}, ok, &payments, func(answer) error {
		if len(payments.Items) != 1 || payments.Items[0] != (part{c.last.ID, "captured", c.last.Total}) {
			return fmt.Errorf("order %s should have one payment of %d", c.last.ID, c.last.Total.Amount)
		}
		return nil
	})
	c.ask(ctx, request{method: http.MethodGet, path: "/v1/shipments?order_id=" + c.last.ID}, ok, &shipments, func(answer) error {
		if len(shipments.Items) > 1 || len(shipments.Items) == 1 && shipments.Items[0].OrderID != c.last.ID {
			return fmt.Errorf("order %s should have one shipment, soon", c.last.ID)
		}
		return nil
	})
	var mails list[struct {
		To string `json:"to"`
	}]
	c.ask(ctx, request{method: http.MethodGet, path: "/v1/notifications"}, ok, &mails, func(answer) error {
		for _, mail := range mails.Items {
			if mail.To != c.email {
				return fmt.Errorf("a mail to %s", mail.To)
			}
		}
		return nil
	})
}

// remember holds the shop to everything that it has said of this customer's orders.
func (c *customer) remember(ctx context.Context) {
	for id, status := range c.orders {
		var seen order
		c.ask(ctx, request{method: http.MethodGet, path: "/v1/orders/" + id}, ok, &seen, func(answer) error {
			if seen.ID != id || seen.Status != status {
				return fmt.Errorf("the shop had said that it is %s", status)
			}
			return nil
		})
	}
}
