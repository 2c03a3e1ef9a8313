package shop

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"
)

// passOver is for how long a front is left alone that can't be connected to, or that says it is about to stop.
const passOver = 2 * time.Second

// Client asks one side of the shop. It sends nothing twice that changes anything. It uses several fronts as a load balancer
// before them would: in turn, and passes over those that are not there. It may be used by several goroutines at once.
type Client struct {
	fronts []*front
	turn   atomic.Uint32
	moved  atomic.Int64
}

// front is one address of the shop.
type front struct {
	wire
	passed atomic.Int64 // until then; Unix nanoseconds
}

// Send makes one request, of the next front if there is no connection to the first: nothing was sent then. An error
// means that nobody knows what came of the request.
func (c *Client) Send(ctx context.Context, r Request) (said Answer, err error) {
	if len(c.fronts) == 1 {
		return c.fronts[0].send(ctx, r)
	}
	for _, front := range c.inTurn() {
		said, err = front.send(ctx, r)
		var op *net.OpError
		if errors.As(err, &op) && op.Op == "dial" && ctx.Err() == nil {
			front.pass()
			c.moved.Add(1)
			continue
		}
		if err == nil && said.closing {
			front.pass()
			front.close()
		}
		return said, err
	}
	return said, err
}

// inTurn are the fronts, those that are passed over last.
func (c *Client) inTurn() []*front {
	first, now := int(c.turn.Add(1)), time.Now().UnixNano()
	order := make([]*front, 0, 2*len(c.fronts))
	var passed []*front
	for i := range c.fronts {
		if front := c.fronts[(first+i)%len(c.fronts)]; front.passed.Load() > now {
			passed = append(passed, front)
		} else {
			order = append(order, front)
		}
	}
	return append(order, passed...)
}

func (f *front) pass() { f.passed.Store(time.Now().Add(passOver).UnixNano()) }

// Moved is how many requests went to the next front, since one could not be connected to.
func (c *Client) Moved() int64 { return c.moved.Load() }

// Close closes the connections that nobody uses.
func (c *Client) Close() {
	for _, front := range c.fronts {
		front.close()
	}
}
