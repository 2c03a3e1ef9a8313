package points

import (
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/chaos/fault"
	"banyan/scripts/lab/up"
	"banyan/scripts/lab/wire"
)

func TestPoints(t *testing.T) {
	t.Parallel()

	t.Run("have names of their own, and victims that there are", func(t *testing.T) {
		t.Parallel()
		check := func(side string, step int) {
			processes := up.Processes(side, step)
			names := map[string]bool{}
			for _, p := range Of(side, step) {
				require.False(t, names[p.Name()], p.Name())
				names[p.Name()] = true
				require.Contains(t, append(slices.Clone(processes), fault.Postgres, fault.NATS), p.Victim)
				require.Contains(t, processes, p.On.From)
			}
		}
		check(up.Monolith, 0)
		for step := 2; step <= up.LastStep; step++ {
			check(up.Services, step)
		}
	})

	t.Run("come in an order that follows from the seed", func(t *testing.T) {
		t.Parallel()
		order := func(seed uint64) (names []string) {
			for _, p := range New(up.Services, up.LastStep, seed, nil).all {
				names = append(names, p.Name())
			}
			return names
		}
		require.Equal(t, order(1), order(1))
		require.NotEqual(t, order(1), order(2))
	})

	t.Run("get their turn, those first that were hit the least", func(t *testing.T) {
		t.Parallel()
		p := New(up.Services, up.LastStep, 1, nil)
		for i := range p.all {
			require.Equal(t, i, p.next(true))
			p.tried[i], p.hits[i] = 1, 1
		}
		p.hits[3] = 0
		require.Equal(t, 3, p.next(true))
	})

	t.Run("that need the broker are left out while it is away", func(t *testing.T) {
		t.Parallel()
		p := New(up.Services, up.LastStep, 1, nil)
		for range p.all {
			i := p.next(false)
			require.False(t, p.all[i].Events, p.all[i].Name())
			require.NotEqual(t, fault.NATS, p.all[i].On.To)
			p.tried[i]++
		}
	})

	t.Run("fit their moment and no other", func(t *testing.T) {
		t.Parallel()
		cases := map[string]struct {
			on     wire.Way
			moment wire.Moment
		}{
			"a consumer, before its commit: shipping": {wire.Way{From: "shipping", To: fault.Postgres},
				wire.Moment{Kind: wire.Commit, Statements: []string{"insert into shipments", "insert into inbox"}}},
			"a consumer, after its commit, before its acknowledgement: catalog": {wire.Way{From: "catalog", To: fault.NATS},
				wire.Moment{Kind: wire.Ack, Subject: "events.orders.order.paid"}},
			"a relay, after it has published, before the row is marked: orders": {wire.Way{From: "orders", To: fault.NATS},
				wire.Moment{Kind: wire.Published, Subject: "events.orders.order.paid"}},
			"order placed, not reserved: orders": {wire.Way{From: "orders", To: fault.Postgres},
				wire.Moment{Kind: wire.Committed, Statements: []string{"insert into orders (id)"}}},
			"order reserved, not charged: orders": {wire.Way{From: "orders", To: "inventory"},
				wire.Moment{Kind: wire.Response, Method: http.MethodPost, Path: "/internal/v1/reservations", Status: 204}},
			"asked to charge: payments": {wire.Way{From: "orders", To: "payments"},
				wire.Moment{Kind: wire.Request, Phase: wire.After, Method: http.MethodPost, Path: "/internal/v1/charges"}},
			"order charged, not settled: orders": {wire.Way{From: "orders", To: "payments"},
				wire.Moment{Kind: wire.Response, Method: http.MethodPost, Path: "/internal/v1/charges", Status: 200}},
			"after the charge, before its record: payments": {wire.Way{From: "payments", To: fault.Outside},
				wire.Moment{Kind: wire.Response, Method: http.MethodPost, Path: "/charges", Status: 200}},
		}
		all := Of(up.Services, up.LastStep)
		for name, c := range cases {
			i := slices.IndexFunc(all, func(p Point) bool { return p.Name() == name })
			require.GreaterOrEqual(t, i, 0, name)
			require.True(t, all[i].fits(c.on, c.moment), name)
			other := c.moment
			other.Phase = 1 - other.Phase
			require.False(t, all[i].fits(c.on, other), name)
			require.False(t, all[i].fits(wire.Way{From: c.on.From, To: "elsewhere"}, c.moment), name)
			other = c.moment
			other.Kind, other.Statements, other.Subject, other.Path = wire.Delivery, nil, "", ""
			require.False(t, all[i].fits(c.on, other), name)
		}
	})
}
