package rolling

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"banyan/scripts/lab/invariants"
	"banyan/scripts/lab/seed"
	"banyan/scripts/lab/shop"
	"banyan/scripts/lab/up"
)

// Options say how long to go on. All fields are needed, except for Out.
type Options struct {
	Customers    int
	Seed         uint64        // of what customers do, and of the order of the restarts
	Quick        bool          // several services at a time, and nothing is killed
	SettleWithin time.Duration // how long the shop gets to come to rest
	Dir          string        // an empty folder for the lab
	Out          io.Writer     // is told the progress; nil is silent
}

const (
	wantedBooks = 30
	copies      = 100_000 // of each, so that nothing is ever sold out
	signingIn   = 4       // side by side: passwords are dear to check
)

// tokenLife is how long a signed token may still be good after the last one was signed with a key: 60 s, and 5 s for
// clocks that are apart.
const tokenLife = 65 * time.Second

// quickTokenCache is for how long the gateways use a signed token in a quick run, which can't wait until it expires.
const quickTokenCache = 2 * time.Second

// run is one run.
type run struct {
	options   Options
	lab       *up.Lab
	random    *rand.Rand
	keys      keys
	fronts    *shop.Client
	book      book
	customers []*customer

	// quiet is held by customers for a visit, and taken by whoever wants to be alone with the shop.
	quiet sync.RWMutex
}

// Run makes a run and judges it. An error means that there was nothing to judge.
func Run(ctx context.Context, options Options) (report *Report, err error) {
	if options.Out == nil {
		options.Out = io.Discard
	}
	r := &run{options: options, random: rand.New(rand.NewPCG(options.Seed, 0)), keys: newKeys()}
	began := time.Now()
	instances := map[string]int{}
	for _, service := range services() {
		instances[service] = 2
	}
	err = up.With(ctx, up.Options{
		Only: up.Services, SeedSize: "small", Dir: options.Dir, RandomPorts: true, Out: options.Out,
		Instances: instances, Env: r.environment(),
	}, func(ctx context.Context, lab *up.Lab) (err error) {
		r.lab = lab
		report, err = r.run(ctx, began)
		return err
	})
	return report, err
}

// services are all of them, in the order of the ladder.
func services() []string { return up.Processes(up.Services, up.LastStep) }

// instancesOf are the processes of a service.
func instancesOf(service string) []string { return []string{service, service + "-2"} }

func (r *run) environment() map[string][]string {
	env := r.keys.environment()
	if r.options.Quick {
		env["gateway"] = append(env["gateway"], "TOKEN_CACHE="+quickTokenCache.String())
	}
	return env
}

func (r *run) run(ctx context.Context, began time.Time) (*Report, error) {
	var urls []string
	for _, gateway := range instancesOf("gateway") {
		urls = append(urls, r.lab.Process(gateway).URL)
	}
	var err error
	// The gateway gives up before a customer does.
	if r.fronts, err = shop.New(shop.Options{Connections: r.options.Customers, Within: 15 * time.Second}, urls...); err != nil {
		return nil, err
	}
	defer r.fronts.Close()
	r.say("%d customers are signing in …", r.options.Customers)
	if err := r.admit(ctx); err != nil {
		return nil, err
	}

	shopping, leave := context.WithCancel(ctx)
	defer leave()
	var customers sync.WaitGroup
	for _, c := range r.customers {
		customers.Go(func() { r.shop(shopping, c) })
	}
	if err := r.phases(ctx); err != nil {
		return nil, err
	}
	r.quiet.Lock() // the visits that go on come to their end
	leave()
	r.quiet.Unlock()
	customers.Wait()
	return r.judge(ctx, began)
}

// admit signs the customers in, and fills the shelves.
func (r *run) admit(ctx context.Context) error {
	phase, began := r.book.begin("customers come", false), time.Now()
	staff, err := shop.Staff(ctx, r.fronts)
	if err != nil {
		return err
	}
	books, err := staff.StockUp(ctx, wantedBooks, copies)
	if err != nil {
		return err
	}
	var group errgroup.Group
	group.SetLimit(signingIn)
	for i := range r.options.Customers {
		c := &customer{
			shop: r.fronts, book: &r.book, books: books,
			random: rand.New(rand.NewPCG(r.options.Seed, uint64(i+1))),
			email:  seed.ReaderEmail(i + 1), cart: map[string]int{}, unsure: true, orders: map[string]string{},
		}
		r.customers = append(r.customers, c)
		group.Go(func() error {
			c.signIn(ctx)
			return nil
		})
	}
	_ = group.Wait()
	phase.Took = time.Since(began)
	if _, failed := r.book.count(); failed > 0 {
		return fmt.Errorf("before anything was restarted: %v", r.book.failures[0])
	}
	return context.Cause(ctx)
}

// shop lets a customer come again and again, until ctx ends.
func (r *run) shop(ctx context.Context, c *customer) {
	for shop.Pause(ctx, 100*time.Millisecond+time.Duration(c.random.IntN(400))*time.Millisecond) == nil {
		r.quiet.RLock()
		if ctx.Err() == nil {
			c.visit(context.WithoutCancel(ctx))
		}
		r.quiet.RUnlock()
	}
}

// phases are the run, step by step.
func (r *run) phases(ctx context.Context) error {
	calm, oldTokens := 10*time.Second, tokenLife
	if r.options.Quick {
		calm, oldTokens = 3*time.Second, quickTokenCache+time.Second
	}
	steps := []struct {
		name      string
		forgiving bool
		do        func(context.Context, *Phase) error
	}{
		{"nobody is restarted", false, func(ctx context.Context, _ *Phase) error { return shop.Pause(ctx, calm) }},
		{"every process is restarted", false, r.restartAll},
		{"user tokens: the new key is published", false, r.publishNewKey},
		{"user tokens: the new key signs", false, r.signWithNewKey},
		{"user tokens: the old ones run out", false, func(ctx context.Context, _ *Phase) error { return shop.Pause(ctx, oldTokens) }},
		{"user tokens: the old key goes", false, r.dropOldKey},
		{"service keys: the new ones are known", false, r.introduceCallers},
		{"service keys: the new ones sign", false, r.changeCallers},
		{"service keys: the old ones go", false, r.forgetCallers},
		{"orders is killed while cards are slow", true, r.killOrders},
		{"the card processor stands still", true, r.shareTheWork},
		{"orders stands still for 15 s", true, r.standStill},
		{"nobody is restarted any more", false, func(ctx context.Context, _ *Phase) error { return shop.Pause(ctx, calm) }},
	}
	for _, step := range steps {
		if step.forgiving && r.options.Quick {
			continue
		}
		r.say("%s …", step.name)
		phase, began := r.book.begin(step.name, step.forgiving), time.Now()
		if err := step.do(ctx, phase); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		phase.Took = time.Since(began)
	}
	return nil
}

// judge lets the shop come to rest, and holds it to what it said and to the invariants.
func (r *run) judge(ctx context.Context, began time.Time) (*Report, error) {
	r.say("waiting until the shop has come to rest …")
	phase, resting := r.book.begin("afterwards, everybody looks at all of their orders", false), time.Now()
	state := r.lab.State()
	judges, err := invariants.Open(ctx, invariants.Where{
		Side: up.Services, Step: state.Step, Database: state.Databases[up.Services], Broker: state.NATSURL,
		OutsideURL: state.OutsideURL, Since: began,
	})
	if err != nil {
		return nil, err
	}
	defer judges.Close()
	left, _, err := judges.Settle(ctx, r.options.SettleWithin)
	if err != nil {
		return nil, err
	}
	report := &Report{Seed: r.options.Seed, Customers: r.options.Customers, Quick: r.options.Quick, Rest: time.Since(resting), Left: left}
	for _, c := range r.customers {
		report.Orders += len(c.orders)
		c.remember(ctx)
	}
	phase.Took = time.Since(resting)
	if report.Invariants, err = judges.Check(ctx); err != nil {
		return nil, err
	}
	if report.Deadlocks, err = deadlocks(filepath.Join(r.options.Dir, "postgres", "postgres.log")); err != nil {
		return nil, err
	}
	report.Phases, report.Failures = r.book.phases, r.book.failures
	report.Moved, report.Untouched = r.fronts.Moved(), untouched(report.Phases)
	return report, nil
}

// untouched are the processes that were never restarted: a run that leaves any alone has shown too little.
func untouched(phases []*Phase) (names []string) {
	touched := map[string]bool{}
	for _, p := range phases {
		for _, restart := range p.Restarts {
			touched[restart.Process] = true
		}
	}
	for _, service := range services() {
		for _, instance := range instancesOf(service) {
			if !touched[instance] {
				names = append(names, instance)
			}
		}
	}
	return names
}

func (r *run) say(format string, args ...any) { fmt.Fprintf(r.options.Out, format+"\n", args...) }
