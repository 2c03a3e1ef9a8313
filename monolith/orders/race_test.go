package orders

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// atOnce runs do n times side by side.
func atOnce[T any](n int, do func(int) T) []T {
	all := make([]T, n)
	start := make(chan struct{})
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			<-start
			all[i] = do(i)
		})
	}
	close(start)
	group.Wait()
	return all
}

func TestRaces(t *testing.T) {
	t.Parallel()

	t.Run("fifty requests with one key make one order", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b, key := s.customer(), s.book("Emma", 1000, 9), newKey()
		ada.puts(1, b)
		var answered []reply
		for _, r := range atOnce(50, func(int) reply { return ada.pays("tok_visa", key) }) {
			if r.status == 409 {
				r.refused(409, "key-in-use")
				continue
			}
			answered = append(answered, r.is(201))
		}
		require.NotEmpty(t, answered)
		for _, r := range answered {
			answered[0].same(r)
		}
		require.Len(t, ada.orders(), 1)
		require.Equal(t, 8, s.copies(b))
	})

	t.Run("twenty keys of one customer make one pending order", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b := s.customer(), s.book("Emma", 1000, 9)
		ada.puts(1, b)
		s.cashier.goes(losesAnswers)
		pending := 0
		for _, r := range atOnce(20, func(int) reply { return ada.pays("tok_visa", newKey()) }) {
			if r.status == 202 {
				pending++
				continue
			}
			r.refused(409, "order-pending")
		}
		require.Equal(t, 1, pending)
		require.Len(t, ada.orders(), 1)
		s.cashier.goes(nil)
		s.sweeps()
		require.Equal(t, 8, s.copies(b))
	})

	t.Run("twenty customers share five copies", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		one, two := s.book("Emma", 1000, 5), s.book("Ivanhoe", 300, 99)
		replies := atOnce(20, func(n int) reply {
			c := s.customer()
			c.puts(1, []book{one, two}[n%2])
			c.puts(1, []book{two, one}[n%2])
			return c.pays("tok_visa", newKey())
		})
		paid := 0
		for _, r := range replies {
			if r.status == 201 {
				paid++
				continue
			}
			r.refused(409, "sold-out")
		}
		require.Equal(t, 5, paid)
		require.Zero(t, s.copies(one))
		require.Equal(t, 94, s.copies(two))
	})

	t.Run("a cart that never rests is bought in one of its states", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b := s.customer(), s.book("Emma", 1000, 999)
		ada.puts(1, b)
		atOnce(4, func(n int) int {
			for i := range 10 {
				if n == 0 {
					if r := ada.pays("tok_visa", newKey()); r.status != 422 && r.status != 503 {
						r.is(201)
					}
				} else {
					ada.puts(1+(n*i)%9, b)
				}
			}
			return 0
		})
		sold := s.count(`select coalesce(sum(quantity), 0) from order_items`)
		require.Positive(t, sold)
		require.Equal(t, 999-sold, s.copies(b))
		require.Zero(t, s.count(`select count(*) from orders o
			where total <> (select sum(quantity * unit_price) from order_items where order_id = o.id)`))
	})
}
