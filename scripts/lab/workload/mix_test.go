package workload

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMix(t *testing.T) {
	t.Parallel()

	for _, mix := range Mixes {
		t.Run(mix.Name+" has shares that add up", func(t *testing.T) {
			t.Parallel()
			sum := 0
			for _, share := range mix.Shares {
				sum += share
			}
			require.Equal(t, Whole, sum)
		})
		t.Run(mix.Name+" is drawn by its shares", func(t *testing.T) {
			t.Parallel()
			const draws = 200_000
			random := rand.New(rand.NewPCG(1, 2))
			var drawn [Interactions]int
			for range draws {
				drawn[mix.draw(random)]++
			}
			// Pearson's chi-square: of fair draws, one run in ten thousand exceeds this with 13 degrees of freedom.
			const limit = 42.0
			chi := 0.0
			for i, share := range mix.Shares {
				expected := float64(draws) * float64(share) / Whole
				off := float64(drawn[i]) - expected
				chi += off * off / expected
			}
			require.Less(t, chi, limit)
		})
	}

	t.Run("one that is none is refused with the names of those there are", func(t *testing.T) {
		t.Parallel()
		_, err := FindMix("reading")
		require.EqualError(t, err, `there is no mix "reading": it is one of browsing, shopping, ordering`)
	})
}
