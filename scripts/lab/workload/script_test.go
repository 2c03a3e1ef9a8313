package workload

import (
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/seed"
)

// seeded is the small data set, made once for all tests.
var seeded = sync.OnceValue(func() *seed.Data { return seed.Generate(seed.Small) })

// known is what the browsers know of it.
var known = sync.OnceValue(func() *Catalogue { return NewCatalogue(seeded()) })

func visits(s *script, n int) []visit {
	all := make([]visit, n)
	for i := range all {
		all[i] = s.next()
	}
	return all
}

func TestScript(t *testing.T) {
	t.Parallel()
	const seed, n = 1, 500
	mix := Mixes[1]
	first := visits(newScript(known(), mix, seed, 1, 0), n)

	t.Run("is the same for the same browser, round and mix, so for both sides", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, first, visits(newScript(known(), mix, seed, 1, 0), n))
	})

	others := map[string]*script{
		"browser": newScript(known(), mix, seed, 1, 1),
		"round":   newScript(known(), mix, seed, 2, 0),
		"mix":     newScript(known(), Mixes[2], seed, 1, 0),
		"seed":    newScript(known(), mix, seed+1, 1, 0),
	}
	for what, other := range others {
		t.Run("is another one for another "+what, func(t *testing.T) {
			t.Parallel()
			require.NotEqual(t, first, visits(other, n))
		})
	}

	t.Run("promotes different books, and what sold best most often", func(t *testing.T) {
		t.Parallel()
		popular := 0
		for _, v := range first {
			promoted := slices.Clone(v.books[:])
			slices.Sort(promoted)
			require.Len(t, slices.Compact(promoted), len(v.books))
			if v.books[0] < len(known().books)/10 {
				popular++
			}
		}
		// The curve gives 52 % to the first tenth.
		require.InDelta(t, 0.52, float64(popular)/n, 0.08)
	})
}

func TestShop(t *testing.T) {
	t.Parallel()

	t.Run("knows every book, the bestsellers first", func(t *testing.T) {
		t.Parallel()
		sold := map[string]int{}
		for _, order := range seeded().Orders {
			for _, item := range order.Items {
				sold[item.BookID.String()] += item.Quantity
			}
		}
		books := known().books
		require.Len(t, books, len(seeded().Books))
		require.True(t, slices.IsSortedFunc(books, func(a, b seed.Book) int {
			return sold[b.ID.String()] - sold[a.ID.String()]
		}))
	})

	t.Run("searches for words of plain letters only", func(t *testing.T) {
		t.Parallel()
		words := slices.Concat(known().titleWords, known().authorWords)
		require.NotEmpty(t, words)
		for _, word := range words {
			require.Regexp(t, `^[a-z]{4,}$`, word)
		}
	})

	t.Run("signs in customers who have ordered, and no more than there are", func(t *testing.T) {
		t.Parallel()
		readers, err := known().takeReaders(500)
		require.NoError(t, err)
		for _, r := range readers {
			require.NotEmpty(t, r.order)
		}
		_, err = known().takeReaders(1_000_000)
		require.ErrorContains(t, err, "larger seed size")
	})
}

func TestDemand(t *testing.T) {
	t.Parallel()
	needed := demand(1000, 60*5000)
	sum := 0
	for rank, copies := range needed {
		require.Positive(t, copies)
		if rank > 0 {
			require.LessOrEqual(t, copies, needed[rank-1], "a book that sells less needs more")
		}
		sum += copies
	}
	require.GreaterOrEqual(t, sum, 60*5000, "a copy per checkout at the least")
}
