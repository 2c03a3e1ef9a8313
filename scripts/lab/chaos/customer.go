package chaos

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"banyan/scripts/lab/shop"
)

// errStuck ends the visits of a customer whose last order stays pending: the shop takes no other.
var errStuck = errors.New("an order stays pending")

// customer goes through their visits, whatever happens to the shop meanwhile.
type customer struct {
	*shop.Person
	patience time.Duration
	history  *history
	done     *atomic.Int64 // visits of all customers

	doubt bool // an order of theirs may still change the cart
}

func (c *customer) goThrough(ctx context.Context, visits []visit) error {
	for _, v := range visits {
		if err := shop.Pause(ctx, v.after); err != nil {
			return err
		}
		filled, err := c.fill(ctx, v.lines)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			c.history.begin(attempt{Customer: c.Email, Card: v.card}).Odd = err.Error()
			continue
		}
		err = c.buy(ctx, v, c.history.begin(attempt{
			Customer: c.Email, Key: uuid.NewString(), Card: v.card, Cart: filled.Items, Sure: !c.doubt,
		}))
		if errors.Is(err, errStuck) {
			return nil
		}
		if err != nil {
			return err
		}
		c.done.Add(1)
	}
	return nil
}

// fill puts the visit's books into the cart. What a declined card has left there stays, and is bought as well.
func (c *customer) fill(ctx context.Context, lines []shop.Line) (filled shop.Cart, err error) {
	for _, l := range lines {
		if filled, err = c.Put(ctx, l.BookID, l.Quantity); err != nil {
			return shop.Cart{}, err
		}
	}
	return filled, nil
}

// buy sends the checkout until the customer knows what became of it, or gives up.
func (c *customer) buy(ctx context.Context, v visit, a *attempt) error {
	waiting, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	for {
		a.Sent++
		c.history.journal.write(note{Customer: c.Email, Step: "checkout", Key: a.Key, Card: a.Card, Cart: a.Cart})
		said, err := c.Send(ctx, shop.Request{Method: http.MethodPost, Path: "/v1/orders", Key: a.Key, Body: shop.Checkout(v.card)})
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		c.history.journal.write(note{Customer: c.Email, Step: "answer", Key: a.Key, Order: orderOf(said), Status: said.Status, Error: text(err)})
		if err == nil && c.understands(said, a) {
			a.Ended = time.Now()
			return nil
		}
		if err != nil || said.Later() {
			a.Unknown++
			if v.givesUp {
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
			return errStuck
		}
		return nil
	}
}

// understands says whether an answer ends the attempt, and writes down how.
func (c *customer) understands(said shop.Answer, a *attempt) bool {
	switch code := said.Code(); {
	case said.Status == http.StatusCreated:
		a.learn(outcomePaid, said)
		c.doubt = false // there is one pending order at most, so none is left of before
	case said.Status == http.StatusAccepted:
		a.learn(outcomeAccepted, said)
		c.doubt = true
	case said.Status == http.StatusPaymentRequired && code == "declined":
		a.learn(outcomeDeclined, said)
		c.doubt = false
	case said.Status == http.StatusConflict && code == "sold-out", said.Status == http.StatusUnprocessableEntity && code == "cart-empty":
		a.learn(outcomeRefused, said)
	case said.Status == http.StatusConflict && (code == "key-in-use" || code == "order-pending"), said.Later():
		return false
	default:
		a.Odd = said.Err().Error()
		c.doubt = true
	}
	return true
}
