package mutants

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/invariants"
)

func TestReport(t *testing.T) {
	t.Parallel()
	broken := Judgement{Rules: 22, Broken: []invariants.Verdict{{Rule: "a rule", Checked: 9, Broken: 2}}}
	well := func() *Report {
		fine := Result{Tally: invariants.Tally{Orders: 100}}
		return &Report{Correct: Judgement{Rules: 22}, Mutants: []MutantReport{
			{Name: "one", Naive: Result{Tally: invariants.Tally{Orders: 200, Lost: 3, Doubled: 1}, Took: time.Second}, Correct: fine, Judged: broken},
		}}
	}

	t.Run("is good if the mistake is caught, and nothing else found", func(t *testing.T) {
		r := well()
		require.True(t, r.Clean())
		require.Empty(t, r.Unexpected())
		var text strings.Builder
		require.NoError(t, r.Print(&text))
		require.Regexp(t, `one +0 +200 +150 +50 +0 +100 +0 +0`, text.String())
		require.Contains(t, text.String(), "breaks: a rule (2 of 9)")
	})
	t.Run("misses a mistake that no rule objects to, whatever was lost", func(t *testing.T) {
		r := well()
		r.Mutants[0].Judged = Judgement{Rules: 22, Left: []string{"an order is pending"}}
		require.Equal(t, []string{"one"}, r.Unexpected())
	})
	t.Run("expects nothing at all of a mistake that the shop bears", func(t *testing.T) {
		r := well()
		r.Mutants[0].Bears = true
		require.Equal(t, []string{"one"}, r.Unexpected())
		r.Mutants[0].Judged = Judgement{Rules: 22}
		require.Equal(t, []string{"one"}, r.Unexpected(), "something is lost")
		r.Mutants[0].Naive = r.Mutants[0].Correct
		require.Empty(t, r.Unexpected())
	})
	t.Run("is not clean if the shop as it is", func(t *testing.T) {
		for name, spoil := range map[string]func(*Report){
			"breaks a rule":       func(r *Report) { r.Correct = broken },
			"never comes to rest": func(r *Report) { r.Correct.Left = []string{"an order is pending"} },
			"loses something":     func(r *Report) { r.Mutants[0].Correct.Lost = 1 },
			"doubles something":   func(r *Report) { r.Mutants[0].Correct.Doubled = 1 },
			"sold nothing":        func(r *Report) { r.Mutants[0].Correct.Orders = 0 },
		} {
			t.Run(name, func(t *testing.T) {
				r := well()
				spoil(r)
				require.False(t, r.Clean())
			})
		}
	})
}
