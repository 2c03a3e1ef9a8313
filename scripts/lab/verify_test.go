package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/invariants"
	"banyan/scripts/lab/verify"
	"banyan/scripts/lab/verify/differ"
)

func TestJudgement(t *testing.T) {
	t.Parallel()
	green := func() judgement {
		return judgement{
			Contract:     []verify.Verdict{{Target: "monolith", Passed: true}},
			Differential: &differ.Result{Sequences: 200, Unsettled: 1},
			Invariants:   map[string][]invariants.Verdict{"services": {{Rule: "water is wet", Checked: 9}}},
		}
	}
	cases := map[string]struct {
		spoil func(j *judgement)
		says  string // empty: it is green
	}{
		"nothing was found":          {func(*judgement) {}, ""},
		"nothing was compared":       {func(j *judgement) { j.Differential = nil }, ""},
		"a difference":               {func(j *judgement) { j.Differential.Differences = []*differ.Difference{{}} }, "not the same shop: 1 differences"},
		"too little that could be":   {func(j *judgement) { j.Differential.Unsettled = 50 }, "50 of 200 sequences ended early"},
		"a broken contract":          {func(j *judgement) { j.Contract[0].Passed = false }, "the contract is broken at monolith"},
		"a rule that does not hold":  {func(j *judgement) { j.Invariants["services"][0].Broken = 1 }, "not so at the services: water is wet"},
		"a rule that looked at none": {func(j *judgement) { j.Invariants["services"][0].Checked = 0 }, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := green()
			c.spoil(&j)
			if c.says == "" {
				require.NoError(t, j.err())
			} else {
				require.ErrorContains(t, j.err(), c.says)
			}
		})
	}
}
