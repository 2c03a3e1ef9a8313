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

// detour gives processes a proxy's address in place of that of a service they call, once it is on.
type detour struct {
	mu      sync.Mutex
	on      bool
	proxies []*wire.Proxy
	calls   []*call
}

// call is a request from one process to another.
type call struct {
	From, To   string
	What       string
	began, end time.Time
}

// via is asked whenever a process is started.
func (d *detour) via(link up.Link) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.on || link.From == "gateway" || !slices.Contains(fleet, link.To) {
		return link.Address, nil
	}
	proxy, err := wire.Listen(link.Address, wire.HTTP)
	if err != nil {
		return "", err
	}
	d.proxies = append(d.proxies, proxy)
	open := map[int64]*call{} // the request that a connection waits for
	proxy.Watch(func(m wire.Moment) {
		d.mu.Lock()
		defer d.mu.Unlock()
		switch {
		case m.Kind == wire.Request && m.Phase == wire.Before:
			open[m.Conn] = &call{From: link.From, To: link.To, What: m.Method + " " + m.Path, began: time.Now()}
		case m.Kind == wire.Response && m.Phase == wire.After && open[m.Conn] != nil:
			open[m.Conn].end = time.Now()
			d.calls = append(d.calls, open[m.Conn])
			delete(open, m.Conn)
		}
	})
	return proxy.Addr(), nil
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

func (d *detour) close() error {
	d.mu.Lock()
	proxies := d.proxies
	d.mu.Unlock()
	var problems []error
	for _, proxy := range proxies {
		problems = append(problems, proxy.Close())
	}
	return errors.Join(problems...)
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
