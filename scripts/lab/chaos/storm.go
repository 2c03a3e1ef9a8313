package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"banyan/scripts/lab/chaos/fault"
	"banyan/scripts/lab/chaos/points"
	"banyan/scripts/lab/history"
	"banyan/scripts/lab/invariants"
	"banyan/scripts/lab/shop"
	"banyan/scripts/lab/up"
)

// Options say how much trouble to make. All fields are needed, except for Quick, Disks and Out.
type Options struct {
	Side      string // up.Monolith or up.Services
	Step      int    // of the services' side: one that has events
	Checkouts int    // at least so many are made
	Customers int
	Seed      uint64    // of the schedule
	Quick     bool      // fewer and shorter faults
	Disks     *Disks    // only faults of these; nil: all others
	Dir       string    // an empty folder for the lab
	Out       io.Writer // is told the progress; nil is silent
}

// pace is what a run takes its time for.
type pace struct {
	warmUp   time.Duration // nothing is broken, to learn the usual rate
	recovery time.Duration // a fault is followed for so long at most
	backlog  time.Duration
	between  time.Duration // two faults, for points
	points   time.Duration // at the end, for points that were not hit yet
	load     time.Duration // all of it, at most
	rest     time.Duration
}

var (
	fullPace  = pace{8 * time.Second, 3 * time.Minute, 40 * time.Second, 2500 * time.Millisecond, 2 * time.Minute, 40 * time.Minute, time.Minute}
	quickPace = pace{3 * time.Second, time.Minute, 0, time.Second, 20 * time.Second, 4 * time.Minute, time.Minute}
)

// storm is one run.
type storm struct {
	options Options
	pace    pace
	lab     *up.Lab
	net     *fault.Net
	points  *points.Points
	world   *fault.World
	started time.Time // the lab
	began   time.Time // the load

	people  []*shop.Person
	staff   *shop.Person
	books   []string
	history history.History
	meter   meter
	events  *invariants.Shop // nil for a shop that has none
	done    atomic.Int64
	struck  []struck
}

// struck is a fault that was made, and how long the shop felt it.
type struck struct {
	step      fault.Step
	note      string
	recovered time.Duration // until new checkouts are paid at the usual rate; -1: not within the time
	caughtUp  time.Duration // until nothing waits that waited before; -1: not within the time
}

// Run starts a lab with a proxy in every wire, breaks one thing after the other while customers buy, kills processes at
// the points that matter in between, and judges what is left once the shop has come to rest. An error means that
// there was nothing to judge.
func Run(ctx context.Context, options Options) (report *Report, err error) {
	if options.Out == nil {
		options.Out = io.Discard
	}
	s := &storm{options: options, pace: fullPace, net: &fault.Net{}, started: time.Now()}
	if options.Quick || options.Disks != nil {
		s.pace = quickPace
	}
	s.points = points.New(options.Side, options.Step, options.Seed, s.net)
	s.net.Watch = s.points.See
	defer func() { err = errors.Join(err, s.net.Close()) }()
	sweep := []string{"SWEEP_AFTER=2s"}
	err = up.With(ctx, up.Options{
		Only: options.Side, Step: &options.Step, SeedSize: "small", Dir: options.Dir, RandomPorts: true, Out: options.Out, Via: s.net.Via,
		Env: map[string][]string{up.Monolith: sweep, up.Trunk: sweep, "orders": sweep},
	}, func(ctx context.Context, lab *up.Lab) (err error) {
		s.lab, s.points.Lab = lab, lab
		s.world = &fault.World{Lab: lab, Side: options.Side, Net: s.net}
		if options.Disks != nil {
			s.world.Disks = options.Disks.mounted
		}
		report, err = s.run(ctx)
		return err
	})
	return report, err
}

func (s *storm) run(ctx context.Context) (*Report, error) {
	state := s.lab.State()
	client, err := shop.New(shop.Options{Connections: s.options.Customers}, state.SideURL(s.options.Side))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	if err := s.open(ctx, client); err != nil {
		return nil, err
	}
	if err := s.history.Keep(filepath.Join(s.options.Dir, "history.jsonl")); err != nil {
		return nil, err
	}
	where := invariants.Where{
		Side: s.options.Side, Step: state.Step, Database: state.Databases[s.options.Side], Broker: state.NATSURL, OutsideURL: state.OutsideURL,
	}
	if s.options.Side == up.Services {
		if s.events, err = invariants.Open(ctx, where); err != nil {
			return nil, err
		}
		defer s.events.Close()
	}
	s.began = time.Now()
	loading := s.load(ctx)
	if loading = errors.Join(loading, s.history.Close()); loading != nil {
		return nil, loading
	}
	loaded := time.Now()
	s.say("%d faults, %d kills at points; waiting until the shop has come to rest …", len(s.struck), s.points.Total())
	where.Since, where.Planted, where.Readers = s.began, s.world.Planted, fault.PoisonReaders(state.Step)
	judgement, facts, err := s.history.Judge(ctx, where, s.pace.rest)
	if err != nil {
		return nil, err
	}
	return s.report(loaded, judgement, facts), nil
}

// emptying is how many carts are emptied side by side.
const emptying = 4

// open signs everybody in and fills the shelves. Of one book there is little, so that it is sold out at times.
func (s *storm) open(ctx context.Context, client *shop.Client) (err error) {
	s.say("%d customers are signing in …", s.options.Customers)
	if s.people, err = shop.Readers(ctx, client, s.options.Customers); err != nil {
		return err
	}
	if s.staff, err = shop.Staff(ctx, client); err != nil {
		return err
	}
	if s.books, err = history.PopularBooks(ctx, s.people[0]); err != nil {
		return err
	}
	for i, id := range s.books {
		copies := 2 * s.options.Checkouts
		if i == len(s.books)-1 {
			copies = max(1, s.options.Checkouts/20)
		}
		if err := s.staff.Deliver(ctx, id, copies); err != nil {
			return err
		}
	}
	return shop.Each(ctx, len(s.people), emptying, func(ctx context.Context, i int) error { return s.people[i].EmptyCart(ctx) })
}

// load lets customers buy while things break, until all faults have been made, all points been hit and enough been bought.
func (s *storm) load(ctx context.Context) error {
	steps := s.schedule()
	group, ctx := errgroup.WithContext(ctx)
	closed := make(chan struct{})
	// As many checkouts as are wanted in about the time that the faults take, so that each fault meets the same crowd.
	lasts := fault.Lasts(steps) + time.Duration(len(steps))*(s.pace.between+2*time.Second) + s.pace.warmUp + s.pace.points/4
	rate := min(25, max(12, float64(s.options.Checkouts)/lasts.Seconds()))
	think := time.Duration(float64(s.options.Customers) / rate * float64(time.Second))
	s.say("%d faults in about %s, %.0f checkouts a second", len(steps), lasts.Round(time.Second), rate)
	for i, p := range s.people {
		shopper := &shopper{
			Customer: &history.Customer{Person: p, Patience: shop.Patience, History: &s.history},
			staff:    s.staff, books: s.books, think: think, meter: &s.meter, closed: closed, done: &s.done,
			random: history.RandomOf(s.options.Seed, i),
		}
		group.Go(func() error { return shopper.goShopping(ctx) })
	}
	group.Go(func() error {
		defer close(closed)
		return s.strikeAll(ctx, steps)
	})
	return group.Wait()
}

func (s *storm) schedule() []fault.Step {
	if s.options.Disks != nil {
		return s.options.Disks.schedule(s.options.Side, s.options.Seed)
	}
	return fault.Schedule(fault.Options{
		Side: s.options.Side, Processes: up.Processes(s.options.Side, s.lab.State().Step), Wires: s.net.Ways(), Seed: s.options.Seed, Quick: s.options.Quick,
	})
}

func (s *storm) strikeAll(ctx context.Context, steps []fault.Step) error {
	if err := shop.Pause(ctx, s.pace.warmUp/2); err != nil { // the first visits are spread over some time
		return err
	}
	began := time.Now()
	if err := shop.Pause(ctx, s.pace.warmUp); err != nil {
		return err
	}
	s.meter.setUsual(began)
	s.say("usually %.1f paid checkouts a second", s.meter.usual)
	deadline := s.began.Add(s.pace.load)
	for n, step := range steps {
		if time.Now().After(deadline) {
			s.say("no time is left for %d faults", len(steps)-n)
			return nil
		}
		if err := s.strike(ctx, step); err != nil {
			return fmt.Errorf("%s: %w", step, err)
		}
		if s.options.Disks == nil {
			if err := s.points.Work(ctx, time.Now().Add(s.pace.between), true); err != nil {
				return err
			}
		}
	}
	if s.options.Disks != nil {
		return nil
	}
	s.say("all faults were made; %d points are to be hit yet, %d checkouts to be made", s.points.Missed(), s.left())
	for end := time.Now().Add(s.pace.points); time.Now().Before(deadline); {
		missed := s.points.Missed() > 0 && time.Now().Before(end)
		if !missed && s.left() == 0 {
			return nil
		}
		if err := s.points.Work(ctx, time.Now().Add(time.Second), true); err != nil {
			return err
		}
		if !missed { // only checkouts are missing, and those come faster while nobody is killed
			if err := shop.Pause(ctx, 2*s.pace.between); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *storm) left() int { return max(0, s.options.Checkouts-int(s.done.Load())) }

// strike makes one fault, and follows the shop until it is as before.
func (s *storm) strike(ctx context.Context, step fault.Step) error {
	broke := time.Now()
	made, err := s.world.Do(ctx, step, func(ctx context.Context, lasts time.Duration) error {
		const quiet = 5 * time.Second // before it ends, so that its end is felt alone
		until := time.Now().Add(lasts)
		if step.NATSDown() && lasts > 2*quiet {
			if err := s.points.Work(ctx, until.Add(-quiet), false); err != nil {
				return err
			}
		}
		return shop.Pause(ctx, time.Until(until))
	})
	if err != nil {
		return err
	}
	was := struck{step: step, note: made.Note, recovered: -1, caughtUp: -1}
	took, yes, err := s.meter.await(ctx, broke, made.Ended, s.pace.recovery)
	if err != nil {
		return err
	}
	if yes {
		was.recovered = took
	}
	if s.events != nil {
		if took, yes, err = caughtUp(ctx, s.events, made.Ended, s.pace.backlog); err != nil {
			return err
		}
		if yes {
			was.caughtUp = took
		}
	}
	s.struck = append(s.struck, was)
	s.say("%s %s: %s%s; %d checkouts so far", time.Since(s.began).Round(time.Second), step, was.felt(), suffix(was.note), s.done.Load())
	return nil
}

func (s *storm) say(format string, args ...any) { fmt.Fprintf(s.options.Out, format+"\n", args...) }
