package rolling

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"banyan/internal/postgres"
	"banyan/scripts/lab/shop"
	"banyan/scripts/lab/up"
)

const (
	slowCard   = 2 * time.Second  // what the card processor takes for a slow card
	stillFor   = 15 * time.Second // longer than the 10 s after which PostgreSQL ends a silent relay's session
	mostRounds = 5                // of the shared work
)

// killOrders kills an instance of orders while every customer is in the middle of a checkout, and sees that the other
// one finishes what it has left, before it is back.
func (r *run) killOrders(ctx context.Context, phase *Phase) error {
	r.quiet.Lock()
	defer r.quiet.Unlock()
	settled := r.watchSweepers()
	orders := r.everybodyBuys(ctx, shop.CardSlow, 0, func() error {
		if err := shop.Pause(ctx, slowCard/2); err != nil {
			return err
		}
		r.lab.Process("orders").Kill9()
		return nil
	})
	bought, err := orders()
	if err != nil {
		return err
	}
	by := settled()
	r.book.say(phase, "%d checkouts, %d times without an answer; the sweeper of orders-2 has finished %d of them", bought, phase.Unanswered, by["orders-2"])
	if by["orders-2"] == 0 {
		r.book.fail(phase, "kill orders", errors.New("it left nothing behind to be finished, so nothing was shown"))
	}
	return r.lab.Process("orders").Restart(ctx)
}

// shareTheWork lets the card processor stand still while everybody buys, so that every order is left to the sweepers,
// and counts which of them finishes how many.
func (r *run) shareTheWork(ctx context.Context, phase *Phase) error {
	r.quiet.Lock()
	defer r.quiet.Unlock()
	outside := r.lab.Process("outside")
	var by map[string]int
	for range mostRounds {
		settled := r.watchSweepers()
		if err := outside.Pause(); err != nil {
			return err
		}
		orders := r.everybodyBuys(ctx, shop.CardGood, 300*time.Millisecond, func() error {
			return shop.Pause(ctx, time.Duration(len(r.customers))*300*time.Millisecond+3*time.Second)
		})
		if err := outside.Continue(); err != nil {
			return err
		}
		bought, err := orders()
		if err != nil {
			return err
		}
		by = settled()
		r.book.say(phase, "%d checkouts were left pending; orders has finished %d of them, orders-2 %d", bought, by["orders"], by["orders-2"])
		if by["orders"] > 0 && by["orders-2"] > 0 {
			return nil
		}
	}
	r.book.fail(phase, "share the work", fmt.Errorf("one of the two has never finished an order in %d rounds", mostRounds))
	return nil
}

// everybodyBuys lets every customer check out, one a moment after the other, and does something meanwhile. It returns
// what waits for the outcome: how many orders were bought.
func (r *run) everybodyBuys(ctx context.Context, card string, apart time.Duration, meanwhile func() error) func() (int, error) {
	var buying sync.WaitGroup
	var mu sync.Mutex
	bought := 0
	for i, c := range r.customers {
		buying.Go(func() {
			c.lookIntoCart(ctx)
			c.putIntoCart(ctx)
			if shop.Pause(ctx, time.Duration(i)*apart) != nil {
				return
			}
			if o := c.buy(ctx, card); o != nil && o.Status == shop.Paid {
				mu.Lock()
				bought++
				mu.Unlock()
			}
		})
	}
	err := meanwhile()
	return func() (int, error) {
		buying.Wait()
		if err == nil && bought != len(r.customers) {
			r.book.fail(r.book.now(), "everybody buys", fmt.Errorf("%d of %d have got their order", bought, len(r.customers)))
		}
		return bought, err
	}
}

// watchSweepers returns what counts the orders that each instance's sweeper has finished from now on.
func (r *run) watchSweepers() func() map[string]int {
	from := map[string]int64{}
	for _, instance := range instancesOf("orders") {
		from[instance] = size(r.lab.Process(instance).Log)
	}
	return func() map[string]int {
		by := map[string]int{}
		for instance, offset := range from {
			content, err := os.ReadFile(r.lab.Process(instance).Log)
			if err == nil {
				by[instance] = strings.Count(string(content[offset:]), `"msg":"order settled"`)
			}
		}
		return by
	}
}

// standStill stops the instance of orders whose relay publishes, and one of notifications, for longer than their sessions
// may be silent, while customers go on. Then they go on as well, and find that others have taken over.
func (r *run) standStill(ctx context.Context, phase *Phase) error {
	mailer := r.lab.Process("notifications")
	if err := mailer.Pause(); err != nil {
		return err
	}
	// Which of the two holds the lock can't be seen from outside; that the lock changes hands can.
	for _, name := range instancesOf("orders") {
		before, err := r.relay(ctx)
		if err != nil {
			return err
		}
		orders := r.lab.Process(name)
		if err := orders.Pause(); err != nil {
			return err
		}
		began, after := time.Now(), time.Duration(0)
		for time.Since(began) < stillFor {
			if err := shop.Pause(ctx, 100*time.Millisecond); err != nil {
				return err
			}
			if now, err := r.relay(ctx); err != nil {
				return err
			} else if after == 0 && now != 0 && now != before {
				after = time.Since(began)
			}
		}
		if err := orders.Continue(); err != nil {
			return err
		}
		if after == 0 {
			r.book.say(phase, "%s stood still for %s; it was not the one that publishes", name, stillFor)
			continue
		}
		r.book.say(phase, "%s stood still for %s, the other relay took over after %s", name, stillFor, after.Round(100*time.Millisecond))
		if err := mailer.Continue(); err != nil {
			return err
		}
		return shop.Pause(ctx, 5*time.Second)
	}
	r.book.fail(phase, "stand still", errors.New("no relay took over from the other"))
	return mailer.Continue()
}

// relay is the server's process that serves the session of the relay of orders that publishes; 0 if there is none just now.
func (r *run) relay(ctx context.Context) (pid int, err error) {
	conn, err := postgres.Connect(ctx, r.lab.DatabaseURL(up.Services))
	if err != nil {
		return 0, fmt.Errorf("look who publishes: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	err = conn.QueryRow(ctx, `
		select coalesce(max(l.pid), 0)
		from pg_locks l join pg_stat_activity a on a.pid = l.pid
		where l.locktype = 'advisory' and l.granted and a.application_name = 'orders relay'`).Scan(&pid)
	return pid, err
}
