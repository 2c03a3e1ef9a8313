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

	"banyan/scripts/lab/shop"
)

// settleTime is for how long an order may be pending, by what its customer sees.
const settleTime = 60 * time.Second

func (c *customer) checkOut(ctx context.Context) {
	if len(c.cart) == 0 {
		c.putIntoCart(ctx)
		if len(c.cart) == 0 {
			return
		}
	}
	card := shop.CardGood
	switch n := c.random.IntN(20); {
	case n == 0:
		card = shop.CardDeclined
	case n <= 2:
		card = shop.CardSlow
	}
	c.buy(ctx, card)
}

// buy sends the checkout until it is known what became of it, and follows a pending order to its end. It returns the
// order, nil if there is none.
func (c *customer) buy(ctx context.Context, card string) *shop.Order {
	r := shop.Request{Method: http.MethodPost, Path: "/v1/orders", Key: uuid.NewString(), Body: shop.Checkout(card)}
	statuses := []int{http.StatusCreated, http.StatusAccepted}
	if card == shop.CardDeclined {
		statuses = []int{http.StatusPaymentRequired, http.StatusAccepted}
	}
	sure, want := !c.unsure, maps.Clone(c.cart)
	var o shop.Order
	for end := time.Now().Add(settleTime); ; {
		o = shop.Order{}
		said, good := c.ask(ctx, r, statuses, &o, func(said shop.Answer) error {
			switch said.Status {
			case http.StatusPaymentRequired:
				return nil
			case http.StatusConflict:
				if said.Code() != "key-in-use" {
					return errors.New("only its own key may be in the way")
				}
				return nil
			}
			if sure && !same(o.Items, want) {
				return errors.New("the order should hold what was in the cart")
			}
			if said.Status == http.StatusCreated && o.Status != shop.Paid {
				return errors.New("201 for an order that is not paid")
			}
			return nil
		})
		switch {
		case good && said.Status == http.StatusPaymentRequired:
			c.declined(said)
			return nil
		case good && said.Status != http.StatusConflict:
			if c.random.IntN(10) == 0 {
				c.repeat(ctx, r, said)
			}
			return c.follow(ctx, o, card)
		}
		if time.Now().After(end) || shop.Pause(ctx, 500*time.Millisecond) != nil {
			return nil
		}
		// The one without an answer may still be under way. Then its key is in use, which is an answer as well.
		sure, statuses = false, append(statuses[:2:2], http.StatusConflict)
	}
}

// repeat sends a checkout again that was answered: the answer has to be the same to the byte.
func (c *customer) repeat(ctx context.Context, r shop.Request, before shop.Answer) {
	c.ask(ctx, r, []int{before.Status}, nil, func(said shop.Answer) error {
		if !bytes.Equal(said.Body, before.Body) || said.Location() != before.Location() {
			return fmt.Errorf("the answer before was another one: %s", before)
		}
		return nil
	})
}

// declined notes the order that a declined card has left. The cart stays as it is.
func (c *customer) declined(said shop.Answer) {
	var problem struct {
		OrderID string `json:"order_id"`
	}
	if json.Unmarshal(said.Body, &problem) == nil && problem.OrderID != "" {
		c.orders[problem.OrderID] = shop.Cancelled
	}
}

// follow looks at an order until it is no longer pending, and at what has become of it then.
func (c *customer) follow(ctx context.Context, o shop.Order, card string) *shop.Order {
	want := shop.Paid
	if card == shop.CardDeclined {
		want = shop.Cancelled
	}
	c.orders[o.ID] = want
	items := map[string]int{}
	for _, l := range o.Items {
		items[l.BookID] = l.Quantity
	}
	end := time.Now().Add(settleTime)
	for o.Status == shop.Pending {
		if shop.Pause(ctx, 200*time.Millisecond) != nil {
			return nil
		}
		seen := shop.Order{}
		_, good := c.ask(ctx, shop.Request{Method: http.MethodGet, Path: "/v1/orders/" + o.ID}, ok, &seen, func(shop.Answer) error {
			switch {
			case seen.Status != shop.Pending && seen.Status != want:
				return fmt.Errorf("the order should become %s", want)
			case seen.Total != o.Total || !same(seen.Items, items):
				return errors.New("the order was another one before")
			case seen.Status == shop.Pending && time.Now().After(end):
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
	if o.Status == shop.Paid {
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
		var seen shop.Order
		_, good := c.ask(ctx, shop.Request{Method: http.MethodPost, Path: "/v1/orders/" + o.ID + "/cancel"}, ok, &seen, func(shop.Answer) error {
			if seen.ID != o.ID || seen.Status != shop.Cancelled || seen.CancelReason == nil || *seen.CancelReason != "customer" {
				return errors.New("the order should be cancelled by its customer")
			}
			return nil
		})
		if good {
			c.orders[o.ID] = shop.Cancelled
			return
		}
		delete(c.orders, o.ID) // either is right, until an answer comes
		if time.Now().After(end) || shop.Pause(ctx, 500*time.Millisecond) != nil {
			return
		}
	}
}

// lookAfterOrders reads everything about the last purchase that other services know.
func (c *customer) lookAfterOrders(ctx context.Context) {
	var orders shop.List[shop.Order]
	c.ask(ctx, shop.Request{Method: http.MethodGet, Path: "/v1/orders?limit=5"}, ok, &orders, func(shop.Answer) error {
		if c.last != nil && (len(orders.Items) == 0 || orders.Items[0].ID < c.last.ID) {
			return fmt.Errorf("order %s is missing", c.last.ID)
		}
		return nil
	})
	if c.last == nil {
		return
	}
	var payments shop.List[shop.Payment]
	var shipments shop.List[shop.Shipment]
	c.ask(ctx, shop.Request{Method: http.MethodGet, Path: "/v1/payments?order_id=" + c.last.ID}, ok, &payments, func(shop.Answer) error {
		if len(payments.Items) != 1 || payments.Items[0] != (shop.Payment{OrderID: c.last.ID, Status: "captured", Amount: c.last.Total}) {
			return fmt.Errorf("order %s should have one payment of %d", c.last.ID, c.last.Total.Amount)
		}
		return nil
	})
	c.ask(ctx, shop.Request{Method: http.MethodGet, Path: "/v1/shipments?order_id=" + c.last.ID}, ok, &shipments, func(shop.Answer) error {
		if len(shipments.Items) > 1 || len(shipments.Items) == 1 && shipments.Items[0].OrderID != c.last.ID {
			return fmt.Errorf("order %s should have one shipment, soon", c.last.ID)
		}
		return nil
	})
	var mails shop.List[shop.Notification]
	c.ask(ctx, shop.Request{Method: http.MethodGet, Path: "/v1/notifications"}, ok, &mails, func(shop.Answer) error {
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
		var seen shop.Order
		c.ask(ctx, shop.Request{Method: http.MethodGet, Path: "/v1/orders/" + id}, ok, &seen, func(shop.Answer) error {
			if seen.ID != id || seen.Status != status {
				return fmt.Errorf("the shop had said that it is %s", status)
			}
			return nil
		})
	}
}
