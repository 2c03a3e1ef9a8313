package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGeneratorsThatDifferOnlyInNoiseAgree(t *testing.T) {
	ours := series{{500, 1, 0.9, 2, 4, 0}, {499, 1.1, 0.9, 2.2, 6, 0}}
	theirs := series{{500, 1.05, 1, 2.1, 5, 0}, {500, 1, 0.9, 2, 4, 0}}
	require.Empty(t, differences(ours, theirs))
}

func TestGeneratorsThatDoNotAgreeAreFound(t *testing.T) {
	steady := series{{500, 1, 0.9, 2, 4, 0}, {500, 1, 0.9, 2, 4, 0}}
	slower := series{{400, 1, 0.9, 2, 4, 0}, {400, 1, 0.9, 2, 4, 0}}
	require.Contains(t, differences(steady, slower)[0], "requests/s: 500 and 400 are 1e+02 apart")
	hidden := series{{500, 1, 0.9, 2, 40, 0}, {500, 1, 0.9, 2, 41, 0}}
	require.Contains(t, differences(steady, hidden)[0], "p99")
	failing := series{{500, 1, 0.9, 2, 4, 3}, {500, 1, 0.9, 2, 4, 0}}
	require.Equal(t, []string{"3 requests of a round failed"}, differences(steady, failing))
}

func TestVegetasReport(t *testing.T) {
	got, err := parseVegeta([]byte(`{"latencies":{"mean":1500000,"50th":1000000,"95th":2000000,"99th":4000000,"max":9},
		"requests":1000,"rate":500.1,"throughput":499.5,"success":0.998,"status_codes":{"200":998,"500":2}}`))
	require.NoError(t, err)
	require.InDelta(t, 2, got.errors, 1e-6)
	got.errors = 0
	require.Equal(t, sample{499.5, 1.5, 1, 2, 4, 0}, got)
	_, err = parseVegeta([]byte(`{}`))
	require.ErrorContains(t, err, "no requests")
	_, err = parseVegeta([]byte(`nothing`))
	require.Error(t, err)
}

func TestOnABusyMachineNothingIsSaid(t *testing.T) {
	steady := series{{rate: 500}, {rate: 495}, {rate: 505}}
	busy := series{{rate: 145}, {rate: 172}, {rate: 190}}
	require.NoError(t, restless(steady, steady))
	require.ErrorContains(t, restless(steady, busy), "too busy")
}
