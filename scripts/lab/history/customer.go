package history

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"banyan/scripts/lab/shop"
)

// ErrStuck says that a customer's last order stays pending: the shop takes no other.
var ErrStuck = errors.New("an order stays pending")

// Customer makes checkouts, whatever happens to the shop meanwhile, and writes everything down.
type Customer struct {
	*shop.Person
	Patience time.Duration // for how long they ask what became of a checkout
	History  *History

	doubt bool // an order of theirs may still change the cart
}

// Begin writes down a checkout of what is in the cart, before it is sent.
func (c *Customer) Begin(v Visit, filled shop.Cart) *Attempt {
	return c.History.Begin(Attempt{Customer: c.Email, Key: uuid.NewString(), Card: v.Card, Cart: filled.Items, Sure: !c.doubt})
}

// Fill puts the visit's books into the cart. What a declined card has left there stays, and is bought as well.
func (c *Customer) Fill(ctx context.Context, lines []shop.Line) (filled shop.Cart, err error) {
	c.History.journal.write(note{Customer: c.Email, Step: "fill the cart", Cart: lines})
	defer func() {
		c.History.journal.write(note{Customer: c.Email, Step: "answer", Cart: filled.Items, Error: text(err)})
	}()
	for _, l := range lines {
		if filled, err = c.Put(ctx, l.BookID, l.Quantity); err != nil {
			return shop.Cart{}, err
		}
	}
	return filled, nil
}

// Buy sends the checkout until the customer knows what became of it, or gives up.
func (c *Customer) Buy(ctx context.Context, v Visit, a *Attempt) error {
	waiting, cancel := context.WithTimeout(ctx, c.Patience)
	defer cancel()
	for {
		a.Sent++
		c.History.journal.write(note{Customer: c.Email, Step: "checkout", Key: a.Key, Card: a.Card, Cart: a.Cart})
		said, err := c.Send(ctx, shop.Request{Method: http.MethodPost, Path: "/v1/orders", Key: a.Key, Body: shop.Checkout(v.Card)})
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		c.History.journal.write(note{Customer: c.Email, Step: "answer", Key: a.Key, Order: orderOf(said), Status: said.Status, Error: text(err)})
		if err == nil && c.understands(said, a) {
			a.Ended = time.Now()
			return nil
		}
		if err != nil || said.Later() {
			a.Unknown++
			if v.GivesUp {
				c.doubt = true
				return nil
			}
		}
		if shop.Pause(waiting, said.Wait()) == nil {
			continue
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		c.doubt = true
		if said.Code() == "order-pending" {
			return ErrStuck
		}
		return nil
	}
}

// understands says whether an answer ends the attempt, and writes down how.
func (c *Customer) understands(said shop.Answer, a *Attempt) bool {
	switch code := said.Code(); {
	case said.Status == http.StatusCreated:
		a.learn(Paid, said)
		c.doubt = false // there is one pending order at most, so none is left of before
	case said.Status == http.StatusAccepted:
		a.learn(Accepted, said)
		c.doubt = true
	case said.Status == http.StatusPaymentRequired && code == "declined":
		a.learn(Declined, said)
		c.doubt = false
	case said.Status == http.StatusConflict && code == "sold-out", said.Status == http.StatusUnprocessableEntity && code == "cart-empty":
		a.learn(Refused, said)
	case said.Status == http.StatusConflict && (code == "key-in-use" || code == "order-pending"), said.Later():
		return false
	default:
		a.Odd = said.Err().Error()
		c.doubt = true
	}
	return true
}
