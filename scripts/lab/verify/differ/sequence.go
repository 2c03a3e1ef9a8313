package differ

import (
	"context"
	"fmt"
	"net/http"

	"golang.org/x/sync/errgroup"

	"banyan/scripts/lab/shop"
)

// Difference is a step to which the sides gave answers that differ, and how it came to that.
type Difference struct {
	Seed     uint64   `json:"seed"`
	Sequence int      `json:"sequence"`
	Steps    []string `json:"steps"` // the last one differs
	What     []string `json:"what"`
	Answers  []string `json:"answers"` // of the first side and of the second
	// Settled says that it shows in a sequence on its own, too; if not, Steps is the sequence as it was.
	Settled bool `json:"settled"`
}

// sequence plays steps to both sides.
type sequence struct {
	seed    uint64
	number  int
	world   *world
	steps   []Step
	names   *names
	players [2]*player
	fill    func(ctx context.Context, side Side, bookID string) error // nil: shelves stay as they are

	next    int
	lists   lists // of books that only the sequence has
	asked   int   // requests to each side
	heard   []string
	skipped int // because the data were not equal to begin with
	found   *Difference
	// unsettled says that one side answered 202 and the other refused. Both may; what follows cannot be compared.
	unsettled bool
}

func newSequence(seed uint64, number int, w *world, steps []Step, sides [2]Side) *sequence {
	return &sequence{
		seed: seed, number: number, world: w, steps: steps, names: newNames(),
		players: [2]*player{newPlayer(sides[0]), newPlayer(sides[1])},
	}
}

func (s *sequence) over() bool { return s.found != nil || s.unsettled || s.next == len(s.steps) }

// step asks both sides the next thing at the same time.
func (s *sequence) step(ctx context.Context) error {
	step := s.steps[s.next]
	s.next++
	said, err := s.ask(ctx, step)
	if err != nil {
		return fmt.Errorf("seed %d, sequence %d: %w", s.seed, s.number, err)
	}
	s.lists.note(step, false)
	s.heard = append(s.heard, step.kind()+fmt.Sprint(" ", said[0].Status))
	pending := func(i int) bool { return said[i].Status == http.StatusAccepted }
	if step.checkout() && pending(0) != pending(1) && !later(step, said[0], said[1]) {
		s.unsettled = true
		return nil
	}
	if what := s.names.compare(step, said[0], said[1]); len(what) > 0 {
		s.found = &Difference{Seed: s.seed, Sequence: s.number, What: what}
		for _, step := range s.steps[:s.next] {
			s.found.Steps = append(s.found.Steps, step.String())
		}
		for _, a := range said {
			s.found.Answers = append(s.found.Answers, textOf(a))
		}
	}
	return nil
}

func (s *sequence) ask(ctx context.Context, step Step) (said [2]shop.Answer, err error) {
	s.asked += 1 + len(step.Before)
	asking, ctx := errgroup.WithContext(ctx)
	for i, p := range s.players {
		asking.Go(func() (err error) {
			if err := s.prepare(ctx, p, step); err != nil {
				return err
			}
			said[i], err = p.ask(ctx, s.world, step)
			return err
		})
	}
	return said, asking.Wait()
}

// prepare does what a step wants done before it, whatever comes of it.
func (s *sequence) prepare(ctx context.Context, p *player, step Step) error {
	if step.Fill != "" && s.fill != nil {
		if err := s.fill(ctx, p.side, s.world.fill(step.Fill, p.answered)); err != nil {
			return err
		}
	}
	for _, path := range step.Before {
		earlier := step
		earlier.Path = path
		if _, err := p.ask(ctx, s.world, earlier); err != nil {
			return err
		}
	}
	return nil
}
