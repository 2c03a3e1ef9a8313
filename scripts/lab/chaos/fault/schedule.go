package fault

import (
	"math/rand/v2"
	"slices"
	"time"

	"banyan/scripts/lab/up"
	"banyan/scripts/lab/wire"
)

// Kind is what is done to the shop.
type Kind string

// All kinds, in the order in which they are told.
const (
	Kill         Kind = "kill -9"
	Stop         Kind = "SIGSTOP, then SIGCONT"
	LongStop     Kind = "SIGSTOP for more than 10 s"
	Immediate    Kind = "PostgreSQL stopped immediately"
	Backend      Kind = "a backend terminated"
	BrokerAway   Kind = "NATS down"
	BrokerGone   Kind = "NATS down, longer than its duplicate window"
	TailLost     Kind = "the tail of NATS's store lost"
	Thrice       Kind = "events three times, shuffled"
	Poison       Kind = "poison events"
	CardsSlow    Kind = "card processor slow"
	CardsFailing Kind = "card processor fails"
	CardsDumb    Kind = "card processor charges, does not answer"
	WireSlow     Kind = "connection slow"
	WireRefused  Kind = "connection refused"
	WireOneWay   Kind = "connection one way only"
	DiskDatabase Kind = "disk full under the database"
	DiskBroker   Kind = "disk full under the broker"
)

// Kinds are those that a side can have, in the order in which they are told.
func Kinds(side string) []Kind {
	all := []Kind{
		Kill, Stop, LongStop, Immediate, Backend, BrokerAway, BrokerGone, TailLost, Thrice, Poison,
		CardsSlow, CardsFailing, CardsDumb, WireSlow, WireRefused, WireOneWay, DiskDatabase, DiskBroker,
	}
	if side == up.Services {
		return all
	}
	return slices.DeleteFunc(all, func(k Kind) bool { return slices.Contains(ofBroker, k) })
}

// ofBroker are the kinds that need a broker, which a monolith has not.
var ofBroker = []Kind{BrokerAway, BrokerGone, TailLost, Thrice, Poison, DiskBroker}

// OfDisk says that a kind needs a disk of its own, and so a lab of its own.
func (k Kind) OfDisk() bool { return k == DiskDatabase || k == DiskBroker }

// Step is one fault of a schedule.
type Step struct {
	Kind   Kind
	Target string        // a process, if it concerns one
	Wire   wire.Way      // if it concerns one
	For    time.Duration // until it is mended; zero: it happens, and that is all
	Seed   uint64        // of what chance decides within it
}

// NATSDown says whether the broker is away while the step lasts.
func (s Step) NATSDown() bool { return s.Kind == BrokerAway || s.Kind == BrokerGone }

// Options say what a schedule is made for.
type Options struct {
	Side      string
	Processes []string // of the side, without the servers
	Wires     []wire.Way
	Seed      uint64
	Quick     bool // fewer and shorter ones
}

// times are how long faults last.
type times struct {
	stop, longStop, away, gone, cards, wire time.Duration
}

// The broker's duplicate window is 2 minutes, and a quick run has not got the time. Nor has it for long stops.
var (
	fullTimes  = times{3 * time.Second, 12 * time.Second, 60 * time.Second, 130 * time.Second, 8 * time.Second, 4 * time.Second}
	quickTimes = times{2 * time.Second, 4 * time.Second, 2 * time.Second, 4 * time.Second, 1500 * time.Millisecond, 1500 * time.Millisecond}
)

// Schedule draws the steps of a run. Each kind that the side can have is among them, and every process is killed
// and stopped, unless the run is a quick one.
func Schedule(o Options) []Step {
	random := rand.New(rand.NewPCG(o.Seed, 0))
	d := fullTimes
	if o.Quick {
		d = quickTimes
	}
	servers := []string{Postgres}
	if o.Side == up.Services {
		servers = append(servers, NATS)
	}
	some := func(all []string, n int) []string { // of all, chosen by chance
		all = slices.Clone(all)
		random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		if o.Quick {
			return all[:min(n, len(all))]
		}
		return all
	}
	var steps []Step
	add := func(kind Kind, target string, lasts time.Duration) {
		steps = append(steps, Step{Kind: kind, Target: target, For: lasts, Seed: random.Uint64()})
	}
	everything := append(slices.Clone(o.Processes), servers...)
	for _, process := range some(everything, 3) {
		add(Kill, process, 0)
	}
	for _, process := range some(everything, 1) {
		add(Stop, process, d.stop)
	}
	add(LongStop, o.Processes[random.IntN(len(o.Processes))], d.longStop)
	if !o.Quick {
		add(LongStop, servers[random.IntN(len(servers))], d.longStop)
		add(Immediate, Postgres, 0)
		add(Backend, Postgres, 0)
	}
	add(Immediate, Postgres, 0)
	add(Backend, Postgres, 0)
	add(CardsSlow, Outside, d.cards)
	add(CardsFailing, Outside, d.cards)
	add(CardsDumb, Outside, d.cards)
	for _, kind := range []Kind{WireSlow, WireRefused, WireOneWay} {
		for _, w := range drawWires(random, o.Wires, o.Quick) {
			steps = append(steps, Step{Kind: kind, Wire: w, For: d.wire, Seed: random.Uint64()})
		}
	}
	if o.Side == up.Services {
		add(BrokerAway, NATS, d.away)
		add(BrokerGone, NATS, d.gone)
		for _, kind := range []Kind{TailLost, Thrice, Poison} {
			add(kind, NATS, 0)
		}
	}
	random.Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
	return steps
}

// drawWires takes one wire to each kind of far end: the database, the broker, the mail, the card processor, and
// between two of the side's processes. Of a quick run, one in all.
func drawWires(random *rand.Rand, all []wire.Way, quick bool) []wire.Way {
	far := map[string][]wire.Way{}
	for _, w := range all {
		switch w.To {
		case Postgres, NATS, Mail, Outside:
			far[w.To] = append(far[w.To], w)
		default:
			far["neighbour"] = append(far["neighbour"], w)
		}
	}
	var drawn []wire.Way
	for _, end := range []string{Postgres, NATS, Mail, Outside, "neighbour"} {
		if wires := far[end]; len(wires) > 0 {
			drawn = append(drawn, wires[random.IntN(len(wires))])
		}
	}
	if quick && len(drawn) > 0 {
		return []wire.Way{drawn[random.IntN(len(drawn))]}
	}
	// The services have many wires between each other: two of them.
	if wires := far["neighbour"]; len(wires) > 1 {
		drawn = append(drawn, wires[random.IntN(len(wires))])
	}
	return drawn
}

// Lasts is how long the steps take at least.
func Lasts(steps []Step) (total time.Duration) {
	for _, s := range steps {
		total += s.For
	}
	return total
}

// DiskSchedule fills each of the disks that a side uses.
func DiskSchedule(side string, seed uint64) []Step {
	steps := []Step{{Kind: DiskDatabase, Target: Postgres, For: 5 * time.Second, Seed: seed}}
	if side == up.Services {
		steps = append(steps, Step{Kind: DiskBroker, Target: NATS, For: 5 * time.Second, Seed: seed})
	}
	return steps
}

// On is what a step breaks.
func (s Step) On() string {
	if s.Wire != (wire.Way{}) {
		return s.Wire.String()
	}
	return s.Target
}

func (s Step) String() string { return string(s.Kind) + ", " + s.On() }
