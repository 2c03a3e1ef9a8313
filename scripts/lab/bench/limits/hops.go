package limits

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"banyan/scripts/lab/bench/drive"
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
	shop, err := newBuyer(ctx, lab.GatewayURL())
	if err != nil {
		return nil, err
	}
	var longest []*call
	for range 5 { // the first may fetch keys
		if err := shop.fill(ctx, w.data.Books[0].ID); err != nil {
			return nil, err
		}
		time.Sleep(300 * time.Millisecond) // what fills the cart, or follows an order, is over
		w.detour.take()
		began := time.Now()
		if err := shop.checkOut(ctx); err != nil {
			return nil, err
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

// buyer is a signed-in customer.
type buyer struct {
	base  string
	token string
}

func (b *buyer) send(ctx context.Context, method, path, body string, want int, headers ...string) error {
	if b.token != "" {
		headers = append(headers, "Authorization: Bearer "+b.token)
	}
	r, err := drive.New(method, b.base, path, []byte(body), want, headers...)
	if err != nil {
		return err
	}
	result, err := drive.Closed(ctx, drive.Load{Base: b.base, Clients: 1, Count: 1, Request: func(int) drive.Request { return r }})
	if err == nil {
		err = result.Good()
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

const credentials = `{"email":"hops@banyan.example","password":"a long password for hops"}`

// newBuyer registers and signs in.
func newBuyer(ctx context.Context, base string) (*buyer, error) {
	b := &buyer{base: base}
	registration := credentials[:len(credentials)-1] + `,"name":"A Reader"}`
	if err := b.send(ctx, http.MethodPost, "/v1/accounts", registration, http.StatusCreated); err != nil {
		return nil, err
	}
	var err error
	b.token, err = signIn(ctx, base, credentials)
	return b, err
}

func (b *buyer) fill(ctx context.Context, book uuid.UUID) error {
	return b.send(ctx, http.MethodPut, "/v1/cart/items/"+book.String(), `{"quantity":1}`, http.StatusOK)
}

func (b *buyer) checkOut(ctx context.Context) error {
	return b.send(ctx, http.MethodPost, "/v1/orders", purchase, http.StatusCreated, "Idempotency-Key: "+uuid.NewString())
}

// signIn returns a session's token.
func signIn(ctx context.Context, base, credentials string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/v1/sessions", strings.NewReader(credentials))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	var session struct {
		Token string `json:"token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&session); err != nil || session.Token == "" {
		return "", fmt.Errorf("sign in: %s, and no token: %v", response.Status, err)
	}
	return session.Token, nil
}
