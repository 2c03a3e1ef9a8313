package inventory

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestTaking(t *testing.T) {
	t.Parallel()
	s := newShop(t)

	t.Run("leaves the rest to others", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		bookID := s.bookWith(5)
		require.NoError(t, s.takes(newOrder(map[uuid.UUID]int{bookID: 2})))
		require.Equal(t, 3, s.left(bookID))
	})
	t.Run("the last copy is possible, one more is not", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		bookID := s.bookWith(2)
		require.NoError(t, s.takes(newOrder(map[uuid.UUID]int{bookID: 2})))
		require.True(t, s.soldOut(s.takes(newOrder(map[uuid.UUID]int{bookID: 1}))))
		require.Zero(t, s.left(bookID))
	})
	t.Run("takes all of the books or none", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		many, few := s.bookWith(5), s.bookWith(1)
		require.True(t, s.soldOut(s.takes(newOrder(map[uuid.UUID]int{many: 2, few: 2}))))
		require.Equal(t, 5, s.left(many))
		require.Equal(t, 1, s.left(few))
	})
	t.Run("what is given back can be taken again", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		bookID := s.bookWith(2)
		o := newOrder(map[uuid.UUID]int{bookID: 2})
		require.NoError(t, s.takes(o))
		s.givesBack(o)
		require.Equal(t, 2, s.left(bookID))
		require.NoError(t, s.takes(newOrder(map[uuid.UUID]int{bookID: 2})))
	})
	t.Run("the last ten, by fifty at once, gives exactly ten their copies", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		one, other := s.bookWith(10), s.bookWith(10)
		var sold, refused atomic.Int32
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				switch err := s.takes(newOrder(map[uuid.UUID]int{one: 1, other: 1})); {
				case err == nil:
					sold.Add(1)
				case s.soldOut(err):
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 10, sold.Load())
		require.EqualValues(t, 40, refused.Load())
		require.Zero(t, s.left(one))
		require.Zero(t, s.left(other))
	})
}

// Whatever happens in which order, what was delivered is either there or sold.
func TestStockAddsUp(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	rapid.Check(t, func(r *rapid.T) {
		books := []uuid.UUID{s.newBook(), s.newBook()}
		there := map[uuid.UUID]int{}
		var taken []order
		for _, step := range rapid.SliceOfN(rapid.SampledFrom([]string{"deliver", "take", "give back"}), 1, 12).Draw(r, "steps") {
			switch step {
			case "deliver":
				id, copies := rapid.SampledFrom(books).Draw(r, "book"), rapid.IntRange(1, 5).Draw(r, "copies")
				s.delivers(id, copies)
				there[id] += copies
			case "take":
				o := newOrder(map[uuid.UUID]int{books[0]: rapid.IntRange(1, 3).Draw(r, "first"), books[1]: rapid.IntRange(1, 3).Draw(r, "second")})
				enough := there[o.books[0]] >= o.quantities[0] && there[o.books[1]] >= o.quantities[1]
				err := s.takes(o)
				require.Equal(r, enough, err == nil)
				require.Equal(r, !enough, s.soldOut(err))
				if enough {
					taken = append(taken, o)
					there[o.books[0]] -= o.quantities[0]
					there[o.books[1]] -= o.quantities[1]
				}
			case "give back":
				if len(taken) == 0 {
					continue
				}
				o := taken[len(taken)-1]
				taken = taken[:len(taken)-1]
				s.givesBack(o)
				there[o.books[0]] += o.quantities[0]
				there[o.books[1]] += o.quantities[1]
			}
			for _, id := range books {
				require.Equal(r, there[id], s.left(id))
			}
		}
	})
}
