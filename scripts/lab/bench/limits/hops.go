package limits

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"banyan/scripts/lab/shop"
	"banyan/scripts/lab/up"
	"banyan/scripts/lab/wire"
)

// detour puts proxies before the services that others call, once it is on.
type detour struct {
	wire.Net
	mu    sync.Mutex
	on    bool
	open  map[asking]*call
	calls []*call
}

// asking is a connection, and open holds the request that it waits for.
type asking struct {
	way  wire.Way
	conn int64
}

// call is a request from one process to another.
type call struct {
	From, To   string
	What       string
	began, end time.Time
}

func newDetour() *detour {
	d := &detour{open: map[asking]*call{}}
	d.Only = func(w wire.Way) bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.on && w.From != "gateway" && slices.Contains(fleet, w.To)
	}
	d.Watch = d.see
	return d
}

func (d *detour) see(w wire.Way, m wire.Moment) {
	d.mu.Lock()
	defer d.mu.Unlock()
	on := asking{w, m.Conn}
	switch {
	case m.Kind == wire.Request && m.Phase == wire.Before:
		d.open[on] = &call{From: w.From, To: w.To, What: m.Method + " " + m.Path, began: time.Now()}
	case m.Kind == wire.Response && m.Phase == wire.After && d.open[on] != nil:
		d.open[on].end = time.Now()
		d.calls = append(d.calls, d.open[on])
		delete(d.open, on)
	}
}

// turn switches the detour; processes notice when they are started.
func (d *detour) turn(on bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.on = on
}

// take returns the calls since the last time.
func (d *detour) take() []*call {
	d.mu.Lock()
	defer d.mu.Unlock()
	calls := d.calls
	d.calls = nil
	return calls
}

// countHops buys a book while a proxy stands before each call from service to service, and counts those that the answer
// waited for.
func countHops(ctx context.Context, w *world) (_ []Figure, err error) {
	lab := w.lab
	w.detour.turn(true)
	defer func() { // the processes that are measured later take no detour
		w.detour.turn(false)
		for _, service := range fleet {
			err = errors.Join(err, restart(context.WithoutCancel(ctx), lab, service))
		}
	}()
	for _, service := range fleet {
		if err := restart(ctx, lab, service); err != nil {
			return nil, err
		}
	}
	client, err := shop.New(shop.Options{}, lab.GatewayURL())
	if err != nil {
		return nil, err
	}
	defer client.Close()
	buyer, err := shop.Register(ctx, client, "hops@banyan.example", "a long password for hops", "A Reader")
	if err != nil {
		return nil, err
	}
	var longest []*call
	for range 5 { // the first may fetch keys
		if _, err := buyer.Put(ctx, w.data.Books[0].ID.String(), 1); err != nil {
			return nil, err
		}
		time.Sleep(300 * time.Millisecond) // what fills the cart, or follows an order, is over
		w.detour.take()
		began := time.Now()
		said, err := buyer.CheckOut(ctx, uuid.NewString(), shop.CardGood)
		if err != nil {
			return nil, err
		}
		if said.Status != http.StatusCreated {
			return nil, fmt.Errorf("the checkout was %w", said.Err())
		}
		longest = criticalPath(w.detour.take(), "orders", began, time.Now())
	}
	var names []string
	for _, c := range longest {
		names = append(names, c.From+" → "+c.To+": "+c.What)
	}
	return []Figure{{Key: "8", Value: float64(len(longest)), Notes: append([]string{
		"counted on the wire, of the last of five checkouts; the gateway's own call of orders is not counted"}, names...)}}, nil
}

func restart(ctx context.Context, lab *up.Lab, service string) error {
	process := lab.Process(service)
	if err := process.Stop(ctx); err != nil {
		return err
	}
	return process.Restart(ctx)
}

// criticalPath is the longest chain of calls of one caller, each begun after the one before had ended, with the
// calls that each of those waited for in turn.
func criticalPath(calls []*call, caller string, from, to time.Time) []*call {
	var own []*call
	for _, c := range calls {
		if c.From == caller && !c.began.Before(from) && !c.end.After(to) {
			own = append(own, c)
		}
	}
	slices.SortFunc(own, func(a, b *call) int { return a.end.Compare(b.end) })
	best := make([][]*call, len(own)) // the longest chain that ends with each
	var longest []*call
	for i, c := range own {
		var before []*call
		for j := range i {
			if !own[j].end.After(c.began) && len(best[j]) >= max(len(before), 1) { // of equals the one that was waited for last
				before = best[j]
			}
		}
		best[i] = slices.Concat(before, []*call{c}, criticalPath(calls, c.To, c.began, c.end))
		if len(best[i]) > len(longest) {
			longest = best[i]
		}
	}
	return longest
}
