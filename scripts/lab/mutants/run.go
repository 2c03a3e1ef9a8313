package mutants

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"banyan/internal/postgres"
	"banyan/scripts/lab/invariants"
	"banyan/scripts/lab/up"
	"banyan/scripts/lab/wire"
)

// Options say what to run. All fields are needed, except for Out.
type Options struct {
	Mutants   []Mutant
	Checkouts int       // for each
	Seed      uint64    // of the customers and of the troubles
	Dir       string    // an empty folder, for the labs
	Out       io.Writer // is told the progress, by several goroutines at once; nil is silent
}

const (
	sweepAfter = "2s" // what a killed process leaves is taken up soon
	// atOnce is how many labs run side by side: most of their time they wait for what may still come.
	atOnce = 2
)

// Run has the shop as it is go through all the troubles, and each mutant through its own. An error means that there was
// nothing to judge.
func Run(ctx context.Context, o Options) (*Report, error) {
	if o.Out == nil {
		o.Out = io.Discard
	}
	r := &Report{Seed: o.Seed, Checkouts: o.Checkouts, Mutants: make([]MutantReport, len(o.Mutants))}
	for i, m := range o.Mutants {
		p, err := readPatch(m.patch)
		if err != nil {
			return nil, err
		}
		r.Mutants[i].Name, r.Mutants[i].Mistake, r.Mutants[i].Bears = m.Name, p.title(), m.bears
	}
	// The programs of the first lab are the others' to begin with: of them only those are built anew that a patch changes.
	built := make(chan struct{})
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	group.Go(func() error { return r.correct(ctx, o, func() { close(built) }) })
	for i, m := range o.Mutants {
		group.Go(func() error {
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-built:
			}
			if err := r.mutant(ctx, o, m, &r.Mutants[i]); err != nil {
				return fmt.Errorf("%s: %w", m.Name, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return r, nil
}

// correct lets the shop as it is come to rest once, after all loads.
func (r *Report) correct(ctx context.Context, o Options, built func()) error {
	return with(ctx, o, "correct", "", func(ctx context.Context, s *site) (err error) {
		built()
		if err := s.open(ctx, o.Checkouts*len(o.Mutants)); err != nil {
			return err
		}
		loads := make([]load, len(o.Mutants))
		for i, m := range o.Mutants {
			if loads[i], err = s.load(ctx, m, o); err != nil {
				return fmt.Errorf("as it is, under the troubles of %s: %w", m.Name, err)
			}
		}
		s.say("the shop as it is has had all troubles, and comes to rest")
		if r.Correct, err = s.judge(ctx, restWithin); err != nil {
			return err
		}
		s.say("the shop as it is is judged: %d rules broken", len(r.Correct.Broken))
		for i, l := range loads {
			if r.Mutants[i].Correct, err = s.result(ctx, l); err != nil {
				return err
			}
		}
		return nil
	})
}

// mutant runs a lab of its own, since a mistake spoils its data.
func (r *Report) mutant(ctx context.Context, o Options, m Mutant, into *MutantReport) error {
	p, err := readPatch(m.patch)
	if err != nil {
		return err
	}
	root, err := up.Root()
	if err != nil {
		return err
	}
	overlay, err := p.overlay(ctx, root, filepath.Join(o.Dir, m.Name+"-source"))
	if err != nil {
		return err
	}
	if err := copyPrograms(filepath.Join(o.Dir, "correct", "bin"), filepath.Join(o.Dir, m.Name, "bin")); err != nil {
		return err
	}
	return with(ctx, o, m.Name, overlay, func(ctx context.Context, s *site) error {
		if err := s.alter(ctx, m); err != nil {
			return err
		}
		if err := s.open(ctx, o.Checkouts); err != nil {
			return err
		}
		l, err := s.load(ctx, m, o)
		if err != nil {
			return err
		}
		s.say("%s has had its trouble, and may come to rest", m.Name)
		if into.Judged, err = s.judge(ctx, m.rest()); err != nil {
			return err
		}
		s.say("%s is judged: %d rules broken", m.Name, len(into.Judged.Broken))
		into.Naive, err = s.result(ctx, l)
		return err
	})
}

// site is a lab with proxies in its wires.
type site struct {
	lab    *up.Lab
	wires  *wire.Net
	market *market
	judges *invariants.Shop
	say    func(format string, args ...any)
}

// with starts a lab, does something with it, and takes it down.
func with(ctx context.Context, o Options, name, overlay string, do func(context.Context, *site) error) (err error) {
	s := &site{wires: newNet(), say: func(format string, args ...any) { fmt.Fprintf(o.Out, format+"\n", args...) }}
	defer func() { err = errors.Join(err, s.wires.Close()) }()
	began := time.Now()
	return up.With(ctx, up.Options{
		Only: up.Services, SeedSize: "small", Dir: filepath.Join(o.Dir, name), RandomPorts: true,
		Overlay: overlay, Via: s.wires.Via,
		Env: map[string][]string{"orders": {"SWEEP_AFTER=" + sweepAfter}},
	}, func(ctx context.Context, lab *up.Lab) error {
		s.lab = lab
		s.say("the lab of %s is up after %s", name, time.Since(began).Round(100*time.Millisecond))
		defer s.close()
		return do(ctx, s)
	})
}

func (s *site) close() {
	if s.judges != nil {
		s.judges.Close()
	}
	if s.market != nil {
		s.market.client.Close()
	}
}

// alter changes the database, for a mistake that is not in the programs alone.
func (s *site) alter(ctx context.Context, m Mutant) error {
	if m.alter == "" {
		return nil
	}
	script, err := files.ReadFile(m.alter)
	if err != nil {
		return err
	}
	conn, err := postgres.Connect(ctx, s.lab.DatabaseURL(up.Services))
	if err != nil {
		return fmt.Errorf("reach the database: %w", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.PgConn().Exec(ctx, string(script)).ReadAll(); err != nil {
		return fmt.Errorf("%s: %w", m.alter, err)
	}
	return nil
}

func (s *site) open(ctx context.Context, checkouts int) (err error) {
	state := s.lab.State()
	s.judges, err = invariants.Open(ctx, invariants.Where{
		Side: invariants.Services, Step: state.Step, Database: s.lab.DatabaseURL(up.Services), Broker: state.NATSURL,
		OutsideURL: state.OutsideURL, Since: time.Now(),
	})
	if err != nil {
		return err
	}
	// Two copies of one book at each checkout would empty no shelf.
	s.market, err = open(ctx, state.GatewayURL, 2*checkouts)
	return err
}

// load is what customers have done within a time.
type load struct {
	since, until time.Time
	troubles     int
}

func (s *site) load(ctx context.Context, m Mutant, o Options) (l load, err error) {
	l.since = time.Now()
	trouble := begin(ctx, s.lab, s.wires, m.troubles, o.Seed)
	err = s.market.sell(ctx, o.Checkouts, o.Seed)
	var mended error
	l.troubles, mended = trouble.end()
	l.until = time.Now()
	if err = errors.Join(err, mended, s.wires.Unread()); err != nil {
		return l, err
	}
	if len(m.troubles) > 0 && l.troubles == 0 {
		return l, errors.New("none of its troubles happened: make more checkouts")
	}
	return l, nil
}

// judge lets the shop come to rest, if it does, and judges it.
func (s *site) judge(ctx context.Context, within time.Duration) (j Judgement, err error) {
	began := time.Now()
	if j.Left, _, err = s.judges.Settle(ctx, within); err != nil {
		return j, err
	}
	j.Rest = time.Since(began)
	verdicts, err := s.judges.Check(ctx)
	for _, v := range verdicts {
		j.Rules++
		if v.Broken > 0 {
			j.Broken = append(j.Broken, v)
		}
	}
	return j, err
}

func (s *site) result(ctx context.Context, l load) (Result, error) {
	tally, err := s.judges.Effects(ctx, l.since, l.until)
	return Result{Tally: tally, Troubles: l.troubles, Took: l.until.Sub(l.since)}, err
}

func copyPrograms(from, to string) error {
	programs, err := os.ReadDir(from)
	if err != nil {
		return fmt.Errorf("copy the programs: %w", err)
	}
	for _, program := range programs {
		if program.Type()&fs.ModeType != 0 {
			continue
		}
		if err := copyFile(filepath.Join(from, program.Name()), filepath.Join(to, program.Name())); err != nil {
			return fmt.Errorf("copy the programs: %w", err)
		}
	}
	return nil
}
