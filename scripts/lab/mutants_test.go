package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/mutants"
)

func TestMutantsChosen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		of, only         string
		services, ladder int
	}{
		{"", "", len(mutants.All), len(mutants.Ladder)},
		{"services", "", len(mutants.All), 0},
		{"ladder", "", 0, len(mutants.Ladder)},
		{"", "no-inbox", 1, 0},
		{"", "switch-without-hold", 0, 1},
		{"ladder", "switch-without-hold", 0, 1},
	} {
		services, ladder, err := (&mutantsCommand{Of: c.of, Only: c.only}).chosen()
		require.NoError(t, err)
		require.Len(t, services, c.services, c)
		require.Len(t, ladder, c.ladder, c)
	}
	_, _, err := (&mutantsCommand{Of: "services", Only: "switch-without-hold"}).chosen()
	require.ErrorContains(t, err, `there is no mistake "switch-without-hold": choose among publish-outside, `)
}

func TestMutantsVerdict(t *testing.T) {
	t.Parallel()
	caught := &mutants.LadderReport{Mutants: []mutants.LadderMutantReport{{Name: "one", Caught: true}}}
	missed := &mutants.LadderReport{Mutants: []mutants.LadderMutantReport{{Name: "one"}}}
	require.NoError(t, mutantsReport{Ladder: caught}.verdict())
	require.ErrorContains(t, mutantsReport{Ladder: missed}.verdict(), "no test catches one")
	require.ErrorContains(t, mutantsReport{Services: &mutants.Report{Mutants: make([]mutants.MutantReport, 1)}, Ladder: caught}.verdict(),
		"did not come through")
}
