package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/bench"
	"banyan/scripts/lab/up"
)

func TestBenchOptions(t *testing.T) {
	t.Parallel()

	t.Run("are those of the two ends, unless it is to be quick or full", func(t *testing.T) {
		t.Parallel()
		usual, err := (&benchCommand{}).options()
		require.NoError(t, err)
		require.Equal(t, bench.Standard().Length, usual.Length)
		require.NotEmpty(t, usual.Sweep)
		full, err := (&benchCommand{Full: true}).options()
		require.NoError(t, err)
		require.Equal(t, []int{0, 1, 8}, full.Steps)
		require.True(t, full.Pages)
		quick, err := (&benchCommand{Quick: true}).options()
		require.NoError(t, err)
		require.Equal(t, bench.Quick().Length, quick.Length)
		require.Len(t, quick.Mixes, 3)
	})

	t.Run("can be changed one by one", func(t *testing.T) {
		t.Parallel()
		got, err := (&benchCommand{Quick: true, Mix: []string{"ordering"}, Seconds: 0.5, Rounds: 7, Browsers: 100, WithLogins: true}).options()
		require.NoError(t, err)
		require.Equal(t, []string{"ordering"}, []string{got.Mixes[0].Name})
		require.Equal(t, 500*time.Millisecond, got.Length)
		require.Equal(t, 7, got.Rounds)
		require.Zero(t, got.MostRounds, "these rounds and no more")
		require.Equal(t, 100, got.Browsers)
		require.GreaterOrEqual(t, got.Customers, 100, "a customer for each browser")
		require.True(t, got.WithLogins)

		got, err = (&benchCommand{Steps: []int{8, 0}, Sweep: []int{2, 600}, Think: time.Second}).options()
		require.NoError(t, err)
		require.Equal(t, []int{8, 0}, got.Steps)
		require.Zero(t, got.Browsers, "the sweep chooses")
		require.Equal(t, []int{2, 600}, got.Sweep)
		require.GreaterOrEqual(t, got.Customers, 600)
		require.Equal(t, time.Second, got.Think)
	})

	t.Run("decide whether a running lab will do", func(t *testing.T) {
		t.Parallel()
		both := &up.State{SeedSize: "small", MonolithURL: "http://m", GatewayURL: "http://g"}
		for name, c := range map[string]struct {
			command benchCommand
			says    string
		}{
			"a quick look":                 {benchCommand{Quick: true}, ""},
			"its own steps and size":       {benchCommand{Steps: []int{0, 8}, SeedSize: "small"}, ""},
			"a full report":                {benchCommand{Full: true}, "fresh data"},
			"a full report of these steps": {benchCommand{Full: true, Steps: []int{0, 8}}, "fresh data"},
			"the façade":                   {benchCommand{Quick: true, Steps: []int{0, 1, 8}}, "it does not have step 1"},
			"more data than the lab has":   {benchCommand{Quick: true, SeedSize: "medium"}, "of size small and not medium"},
		} {
			options, err := c.command.options()
			require.NoError(t, err, name)
			why := c.command.unfit(both, options)
			require.Equal(t, c.says == "", why == "", name)
			require.Contains(t, why, c.says, name)
		}
		half := &up.State{SeedSize: "small", MonolithURL: "http://m"}
		require.Contains(t, (&benchCommand{}).unfit(half, bench.Options{Steps: []int{0, 8}}), "it does not have step 8")
	})

	t.Run("refuse a step that cannot be run, in the ladder's words, before anything is started", func(t *testing.T) {
		t.Parallel()
		_, err := command(t, "bench", "--steps", "0,9")
		require.ErrorContains(t, err, "there is no step 9")
	})

	t.Run("refuse a mix that is none before anything is started", func(t *testing.T) {
		t.Parallel()
		_, err := command(t, "bench", "--mix", "reading")
		require.ErrorContains(t, err, "it is one of browsing, shopping, ordering")
	})
}
