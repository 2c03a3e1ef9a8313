package differ

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"banyan/scripts/lab/shop"
)

// Options of a run.
type Options struct {
	Sides    [2]Side
	Seed     uint64 // of the first; the others follow it
	Seeds    int
	Requests int // per seed
	Books    Catalogue
	// Equal says that both sides hold the same data. Only then is what they show to everybody compared.
	Equal bool
	// ListsFor is how old a list of books may be. What is remembered from before a write is waited out.
	ListsFor time.Duration
	// StaleFor is how old an answer to everybody may be. The lists that are remembered are compared in the end, after it;
	// zero leaves them out.
	StaleFor time.Duration
	// Settle waits until both sides have come to rest.
	Settle func(context.Context) error
	// Fill makes a book's shelf as full as the contract has it; nil leaves it as it is.
	Fill func(ctx context.Context, side Side, bookID string) error
	Out  io.Writer // progress
}

// Result is what came of it.
type Result struct {
	Seed        uint64        `json:"seed"`
	Seeds       int           `json:"seeds"`
	Sequences   int           `json:"sequences"`
	Requests    int           `json:"requests"` // to each side
	Skipped     int           `json:"skipped"`
	Unsettled   int           `json:"unsettled"` // sequences ended early, with a 202 on one side only
	Seconds     float64       `json:"seconds"`
	Differences []*Difference `json:"differences"`
	// Answers counts what was asked and how it was answered, as in "POST /v1/orders 201".
	Answers map[string]int `json:"answers"`
}

const (
	// The seeds that run side by side have customers of their own, of the first few hundred that every data set has.
	sideBySide = 10
	perSeed    = 50 // customers
	atOnce     = 8  // sequences that ask at the same moment
	mostShrunk = 5  // differences that are made smaller; the rest are usually the same
)

// runner is one run.
type runner struct {
	Options
	began  time.Time
	mu     sync.Mutex
	tokens map[string]func() ([2]string, error) // of customers and staff, by address; made once
	worlds int
	isbn   int64 // twelve digits without the check digit: the next that nobody has
	nonce  string
	lists  lists // of the shared steps
	out    *Result
}

// Run plays all sequences, and returns the differences with the smallest sequence first.
func Run(ctx context.Context, o Options) (*Result, error) {
	began := time.Now()
	r := &runner{
		Options: o,
		began:   began,
		tokens:  map[string]func() ([2]string, error){},
		isbn:    978_000_000_000 + rand.Int64N(900_000_000),
		nonce:   strings.ToLower(fmt.Sprintf("d%x", began.UnixNano()/1e6)),
		out:     &Result{Seed: o.Seed, Seeds: o.Seeds, Differences: []*Difference{}, Answers: map[string]int{}},
	}
	for i := range r.Sides {
		var err error
		if r.Sides[i].client, err = shop.New(shop.Options{Connections: 64, Within: 30 * time.Second}, r.Sides[i].URL); err != nil {
			return nil, err
		}
		defer r.Sides[i].client.Close()
	}
	var odd []*sequence
	for from := 0; from < o.Seeds; from += sideBySide {
		some, err := r.play(ctx, from, min(sideBySide, o.Seeds-from))
		if err != nil {
			return nil, err
		}
		odd = append(odd, some...)
	}
	if o.Equal && o.StaleFor > 0 {
		last, err := r.remembered(ctx)
		if err != nil {
			return nil, err
		}
		odd = append(odd, last...)
	}
	if err := r.shrinkAll(ctx, odd); err != nil {
		return nil, err
	}
	r.out.Seconds = time.Since(began).Seconds()
	return r.out, nil
}

// play plays the sequences of some seeds side by side, and returns those that differ.
func (r *runner) play(ctx context.Context, from, count int) ([]*sequence, error) {
	var all []*sequence
	for i := range count {
		seed := r.Seed + uint64(from+i)
		for number, steps := range Generate(seed, r.Requests, r.Books) {
			all = append(all, r.sequence(seed, number, steps))
		}
	}
	if err := each(ctx, all, r.start); err != nil {
		return nil, err
	}
	if err := r.settle(ctx); err != nil {
		return nil, err
	}
	if err := r.lockstep(ctx, all); err != nil {
		return nil, err
	}
	odd := r.count(all)
	fmt.Fprintf(r.Out, "  %d of %d seeds, %d requests to each side, %d differences, %.0f s\n",
		from+count, r.Seeds, r.out.Requests, len(odd), time.Since(r.began).Seconds())
	return odd, nil
}

// count adds sequences that are over to the result, and returns those that differ.
func (r *runner) count(all []*sequence) (odd []*sequence) {
	for _, s := range all {
		r.out.Sequences++
		r.out.Requests += s.asked
		r.out.Skipped += s.skipped
		for _, heard := range s.heard {
			r.out.Answers[heard]++
		}
		if s.unsettled {
			r.out.Unsettled++
		}
		if s.found != nil {
			odd = append(odd, s)
		}
	}
	return odd
}

// remembered compares the lists that a shop makes for everybody and remembers for a while.
func (r *runner) remembered(ctx context.Context) ([]*sequence, error) {
	fmt.Fprintf(r.Out, "  waiting %s, until nothing that is remembered is older than the last sale\n", r.StaleFor)
	if err := sleep(ctx, r.StaleFor); err != nil {
		return nil, err
	}
	paths := []string{
		"/v1/books/bestsellers", "/v1/books", "/v1/books?sort=price&limit=100", "/v1/books?sort=newest&limit=100", "/v1/books?q=the",
	}
	for _, subject := range r.Books.Subjects {
		query := "?subject=" + url.QueryEscape(subject)
		paths = append(paths, "/v1/books/bestsellers"+query, "/v1/books"+query)
	}
	var all []*sequence
	for i, path := range paths {
		step := Step{Method: http.MethodGet, Path: path, Shared: true}
		all = append(all, newSequence(r.Seed, -1-i, &world{}, []Step{step}, r.Sides))
	}
	if err := r.lockstep(ctx, all); err != nil {
		return nil, err
	}
	return r.count(all), nil
}

// lockstep takes all sequences through their steps, one each at a time. First those ask that look at what everybody
// shares, while nobody writes; then the rest. After writes, both sides come to rest. A sequence that is to see a list
// which a shop may remember from before a write stays behind until that is over.
func (r *runner) lockstep(ctx context.Context, all []*sequence) error {
	for {
		looking, others, behind := r.ready(all)
		if len(looking)+len(others)+len(behind) == 0 {
			return nil
		}
		if len(looking)+len(others) == 0 {
			if err := sleep(ctx, slices.Min(behind)); err != nil {
				return err
			}
		}
		for _, some := range [][]*sequence{looking, others} {
			if err := each(ctx, some, func(ctx context.Context, s *sequence) error { return s.step(ctx) }); err != nil {
				return err
			}
		}
		for _, s := range slices.Concat(looking, others) {
			r.lists.note(s.steps[s.next-1], true)
		}
		if slices.ContainsFunc(others, func(s *sequence) bool { return s.steps[s.next-1].writes() }) {
			if err := r.settle(ctx); err != nil {
				return err
			}
		}
	}
}

// ready says which sequences can take their next step, and for how long the others stay behind.
func (r *runner) ready(all []*sequence) (looking, others []*sequence, behind []time.Duration) {
	for _, s := range all {
		for !r.Equal && !s.over() && s.steps[s.next].Shared {
			s.next, s.skipped = s.next+1, s.skipped+1
		}
		if s.over() {
			continue
		}
		if remembered := r.remembers(s); remembered > 0 {
			behind = append(behind, remembered)
		} else if s.steps[s.next].Shared {
			looking = append(looking, s)
		} else {
			others = append(others, s)
		}
	}
	return looking, others, behind
}

func (r *runner) settle(ctx context.Context) error {
	if err := r.Settle(ctx); err != nil {
		return fmt.Errorf("wait for both sides to come to rest: %w", err)
	}
	return nil
}

// each does something for each sequence, some at once.
func each(ctx context.Context, some []*sequence, do func(context.Context, *sequence) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, s := range some {
		group.Go(func() error { return do(ctx, s) })
	}
	return group.Wait()
}
