package fault

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/up"
	"banyan/scripts/lab/wire"
)

// fleet is what a schedule is made for on the services' side.
func fleet(seed uint64, quick bool) Options {
	services := up.Processes(up.Services, up.LastStep)
	o := Options{Side: up.Services, Processes: services, Seed: seed, Quick: quick}
	for _, name := range services {
		if name != "gateway" {
			o.Wires = append(o.Wires, wire.Way{From: name, To: Postgres}, wire.Way{From: name, To: NATS}, wire.Way{From: "gateway", To: name})
		}
	}
	o.Wires = append(o.Wires, wire.Way{From: "orders", To: "inventory"}, wire.Way{From: "payments", To: Outside}, wire.Way{From: "notifications", To: Mail})
	return o
}

func alone(seed uint64) Options {
	return Options{
		Side: up.Monolith, Processes: []string{up.Monolith}, Seed: seed,
		Wires: []wire.Way{{From: up.Monolith, To: Postgres}, {From: up.Monolith, To: Outside}, {From: up.Monolith, To: Mail}},
	}
}

func kinds(steps []Step) map[Kind]int {
	n := map[Kind]int{}
	for _, s := range steps {
		n[s.Kind]++
	}
	return n
}

func TestSchedule(t *testing.T) {
	t.Parallel()

	t.Run("is the same for the same seed, and another for another", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, Schedule(fleet(1, false)), Schedule(fleet(1, false)))
		require.NotEqual(t, Schedule(fleet(1, false)), Schedule(fleet(2, false)))
	})

	t.Run("has every kind that a side can have", func(t *testing.T) {
		t.Parallel()
		for seed := range uint64(20) {
			for _, o := range []Options{fleet(seed, false), fleet(seed, true), alone(seed)} {
				there := kinds(Schedule(o))
				for _, kind := range Kinds(o.Side) {
					if !kind.OfDisk() {
						require.NotZero(t, there[kind], "%s of %s, seed %d", kind, o.Side, seed)
					}
				}
			}
		}
	})

	t.Run("has nothing for a broker where there is none", func(t *testing.T) {
		t.Parallel()
		for _, s := range Schedule(alone(3)) {
			require.NotContains(t, ofBroker, s.Kind)
			require.NotEqual(t, NATS, s.Target)
		}
	})

	t.Run("kills and stops every process", func(t *testing.T) {
		t.Parallel()
		o := fleet(4, false)
		killed, stopped := map[string]int{}, map[string]int{}
		for _, s := range Schedule(o) {
			switch s.Kind {
			case Kill:
				killed[s.Target]++
			case Stop:
				stopped[s.Target]++
			}
		}
		for _, process := range append(slices.Clone(o.Processes), Postgres, NATS) {
			require.Equal(t, 1, killed[process], process)
			require.Equal(t, 1, stopped[process], process)
		}
	})

	t.Run("keeps the broker away for longer than it knows duplicates", func(t *testing.T) {
		t.Parallel()
		for _, s := range Schedule(fleet(5, false)) {
			switch s.Kind {
			case BrokerAway:
				require.Equal(t, time.Minute, s.For)
			case BrokerGone:
				require.Greater(t, s.For, 2*time.Minute)
			case LongStop:
				require.Greater(t, s.For, 10*time.Second)
			}
		}
	})

	t.Run("breaks wires to the database, the broker, the mail, the card processor and between services", func(t *testing.T) {
		t.Parallel()
		far := map[Kind]map[string]bool{WireSlow: {}, WireRefused: {}, WireOneWay: {}}
		for _, s := range Schedule(fleet(6, false)) {
			if far[s.Kind] != nil {
				far[s.Kind][s.Wire.To] = true
			}
		}
		for kind, ends := range far {
			for _, end := range []string{Postgres, NATS, Mail, Outside} {
				require.True(t, ends[end], "%s to %s", kind, end)
			}
			require.Greater(t, len(ends), 4, "%s between services", kind)
		}
	})
}
