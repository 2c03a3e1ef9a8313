package differ

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// mostReplays bounds how often a sequence is played to make it smaller.
const mostReplays = 80

// shrinkAll makes the sequences smaller and sorts them, the smallest first.
func (r *runner) shrinkAll(ctx context.Context, odd []*sequence) error {
	for i, s := range odd {
		if s.number < 0 {
			s.found.Settled = true // of one request
		} else if i < mostShrunk {
			fmt.Fprintf(r.Out, "  making sequence %d of seed %d smaller\n", s.number, s.seed)
			if err := r.shrink(ctx, s); err != nil {
				return err
			}
		}
		r.out.Differences = append(r.out.Differences, s.found)
	}
	slices.SortStableFunc(r.out.Differences, func(a, b *Difference) int {
		if a.Settled != b.Settled {
			return map[bool]int{true: -1, false: 1}[a.Settled]
		}
		return cmp.Compare(len(a.Steps), len(b.Steps))
	})
	return nil
}

// shrink leaves out steps, half of them at first and single ones in the end, as long as the rest still
// shows a difference on books and carts of its own.
func (r *runner) shrink(ctx context.Context, s *sequence) error {
	steps, replays := s.steps[:s.next], 0
	differs := func(candidate []Step) (bool, error) {
		replays++
		again := r.sequence(s.seed, s.number, candidate)
		if err := r.start(ctx, again); err != nil {
			return false, err
		}
		if err := r.settle(ctx); err != nil {
			return false, err
		}
		if err := r.lockstep(ctx, []*sequence{again}); err != nil || again.found == nil {
			return false, err
		}
		again.found.Settled = true
		s.found, steps = again.found, again.steps[:again.next]
		return true, nil
	}
	if again, err := differs(steps); err != nil || !again {
		return err
	}
	for size := len(steps) / 2; size > 0; size /= 2 {
		for from := 0; from < len(steps) && replays < mostReplays; {
			end := min(from+size, len(steps)-1) // the last step is the one that differs, and stays
			if from >= end {
				break
			}
			fewer := slices.Delete(slices.Clone(steps), from, end)
			smaller, err := differs(fewer)
			if err != nil {
				return err
			}
			if !smaller {
				from += size
			}
		}
	}
	return nil
}
