package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/bench"
)

func TestBenchOptions(t *testing.T) {
	t.Parallel()

	t.Run("are those of a full run, unless it is to be quick", func(t *testing.T) {
		t.Parallel()
		full, err := (&benchCommand{Browsers: 16}).options()
		require.NoError(t, err)
		require.Equal(t, bench.Full().Length, full.Length)
		quick, err := (&benchCommand{Browsers: 16, Quick: true}).options()
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
		require.Equal(t, 100, got.Browsers)
		require.GreaterOrEqual(t, got.Customers, 100, "a customer for each browser")
		require.True(t, got.WithLogins)
	})

	t.Run("refuse a mix that is none before anything is started", func(t *testing.T) {
		t.Parallel()
		_, err := command(t, "bench", "--mix", "reading")
		require.ErrorContains(t, err, "it is one of browsing, shopping, ordering")
	})
}
