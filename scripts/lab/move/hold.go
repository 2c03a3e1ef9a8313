package move

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"banyan/scripts/lab/gate"
	"banyan/scripts/lab/up"
)

func (m *Move) hold(ctx context.Context) error {
	routes := m.step.Held()
	until := time.Now().Add(drainTime)
	if slices.Contains(routes, "/v1/orders") {
		if err := m.holdAll(ctx, []string{checkouts}); err != nil {
			return err
		}
		if err := m.idle(ctx, until); err != nil {
			return err
		}
	}
	if err := m.holdAll(ctx, routes); err != nil {
		return err
	}
	if atLeast := time.Now().Add(othersTime); until.Before(atLeast) {
		until = atLeast // checkouts have used the others' time up
	}
	return m.idle(ctx, until)
}

const checkouts = "POST /v1/orders"

func (m *Move) holdAll(ctx context.Context, routes []string) error {
	m.heldUntil = time.Now().Add(holdTime)
	return m.atAll(ctx, func(ctx context.Context, g *gate.Gate) error {
		_, err := g.Hold(ctx, routes, holdTime)
		return err
	})
}

func (m *Move) idle(ctx context.Context, until time.Time) error {
	for {
		var mu sync.Mutex
		underWay := 0
		err := m.atAll(ctx, func(ctx context.Context, g *gate.Gate) error {
			held, err := g.Held(ctx)
			mu.Lock()
			defer mu.Unlock()
			underWay += held.UnderWay()
			return err
		})
		if err != nil {
			return err
		}
		if underWay == 0 {
			return nil
		}
		if time.Now().After(until) {
			return fmt.Errorf("%w: %d after %s", errUnderWay, underWay, drainTime)
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
}

func (m *Move) atAll(ctx context.Context, do func(context.Context, *gate.Gate) error) error {
	all, ctx := errgroup.WithContext(ctx)
	for _, g := range m.gates {
		all.Go(func() error { return do(ctx, g) })
	}
	return all.Wait()
}

func (m *Move) closeIdle(ctx context.Context, name string) error {
	url := m.urlOf(name)
	if url == "" {
		return nil
	}
	return m.atAll(ctx, func(ctx context.Context, g *gate.Gate) error { return g.CloseIdle(ctx, url) })
}

func (m *Move) route(ctx context.Context, to up.Step) error {
	if err := m.control.Become(ctx, to.Number); err != nil {
		return err
	}
	table, err := m.table()
	if err != nil {
		return err
	}
	return m.atAll(ctx, func(ctx context.Context, g *gate.Gate) error { return g.Replace(ctx, table) })
}

func (m *Move) letGo(ctx context.Context) ([]Route, error) {
	var mu sync.Mutex
	byRoute := map[string]*Route{}
	err := m.atAll(ctx, func(ctx context.Context, g *gate.Gate) error {
		held, err := g.LetGo(ctx)
		mu.Lock()
		defer mu.Unlock()
		for _, r := range held.Routes {
			sum := byRoute[r.Route]
			if sum == nil {
				sum = &Route{Route: r.Route}
				byRoute[r.Route] = sum
			}
			sum.Held += r.Held
			sum.Failed += r.Failed
			sum.Longest = max(sum.Longest, float64(r.LongestWait.Microseconds())/1000)
		}
		return err
	})
	var all []Route
	for _, r := range byRoute {
		all = append(all, *r)
	}
	slices.SortFunc(all, func(a, b Route) int { return cmp.Compare(a.Route, b.Route) })
	return all, err
}
