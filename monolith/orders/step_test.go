package orders

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"banyan/internal/fault"
	"banyan/internal/postgres"
)

// eachStep runs a test at each step from one on at which another neighbour of a
// checkout is far.
func eachStep(t *testing.T, from int, test func(t *testing.T, s farShop)) {
	t.Helper()
	for step := from; step <= shippingIsFar; step++ {
		t.Run(fmt.Sprintf("step %d", step), func(t *testing.T) {
			t.Parallel()
			test(t, newFarShop(t, step))
		})
	}
}

func TestCheckoutWithFarStock(t *testing.T) {
	t.Parallel()

	t.Run("writes what it has to, near and far", func(t *testing.T) {
		t.Parallel()
		eachStep(t, stockIsFar, func(t *testing.T, s farShop) {
			ada, b := s.customer(), s.book("Emma", 1000, 5)
			id := ada.bought(2, b)
			ada.became(id, Paid, "")
			require.Equal(t, 3, s.copies(b))
			require.Equal(t, "captured", s.payment(id))
			require.Equal(t, "preparing", s.parcel(id))
			require.Equal(t, []string{"order_paid"}, s.mails(id))
			require.Zero(t, s.count(`select count(*) from orders where card_token is not null`))

			ada.puts(1, b)
			declined := ada.pays("tok_declined", newKey()).refused(402, "declined").OrderID
			require.Equal(t, "declined", s.payment(declined))
			require.Equal(t, 3, s.copies(b))
			require.Empty(t, s.mails(declined), "the answer has told already")

			s.ships(id)
			ada.became(id, Shipped, "")
			ada.cancels(id).refused(409, "order-shipped")
		})
	})

	t.Run("sold out names the books and leaves no order and no payment", func(t *testing.T) {
		t.Parallel()
		eachStep(t, stockIsFar, func(t *testing.T, s farShop) {
			ada, plenty, few := s.customer(), s.book("Emma", 1000, 9), s.book("Ivanhoe", 300, 2)
			ada.puts(1, plenty)
			full := ada.puts(3, few)
			key := newKey()
			first := ada.pays("tok_visa", key)
			require.Equal(t, []short{{few.id, "Ivanhoe", 2, 3}}, first.refused(409, "sold-out").Books)
			first.same(ada.pays("tok_visa", key))
			require.Empty(t, ada.orders())
			require.Equal(t, full, ada.cart())
			require.Equal(t, 9, s.copies(plenty))
			require.Empty(t, s.outbox())
			if s.step < paymentsAreFar {
				require.Zero(t, s.count(`select count(*) from payments`))
			}
			ada.puts(2, few)
			ada.pays("tok_visa", newKey()).is(201) // what there is can be bought
		})
	})

	t.Run("that inventory refuses is cancelled, and nothing is charged", func(t *testing.T) {
		t.Parallel()
		eachStep(t, stockIsFar, func(t *testing.T, s farShop) {
			ada, b := s.customer(), s.book("Emma", 1000, 5)
			for _, no := range []error{errNo, errNever, errTooMuch, errAgainst} {
				ada.puts(2, b)
				s.shelf.goes(func(_ context.Context, deliver func() error) error {
					_ = deliver()
					return no
				})
				id := ada.pays("tok_visa", newKey()).refused(409, "refused").OrderID
				ada.became(id, Cancelled, Refused)
				require.Equal(t, 5, s.copies(b), "what was reserved all the same is given back")
				require.NotEqual(t, "captured", s.payment(id))
			}
		})
	})

	t.Run("that inventory refuses the sweeper gives back what an attempt before has charged", func(t *testing.T) {
		t.Parallel()
		eachStep(t, stockIsFar, func(t *testing.T, s farShop) {
			ada, b := s.customer(), s.book("Emma", 1000, 5)
			ada.puts(2, b)
			s.cashier.goes(crashes)
			s.shop.cashier.goes(crashes)
			ada.pays("tok_visa", newKey()).is(500)
			s.shelf.goes(refuses)
			s.sweeps()
			id := ada.orders()[0].ID
			ada.became(id, Cancelled, Refused)
			require.Equal(t, "refunded", s.payment(id))
		})
	})

	// The sweeper and the request lock the order before they lock its payment.
	t.Run("sold out and the sweeper's outcome wait for each other in one direction", func(t *testing.T) {
		t.Parallel()
		s := newFarShop(t, stockIsFar)
		ada, b := s.customer(), s.book("Emma", 1000, 1)
		ada.puts(2, b)
		asked, decide := make(chan struct{}), make(chan struct{})
		s.shelf.goes(func(_ context.Context, deliver func() error) error {
			err := deliver()
			close(asked)
			<-decide
			return err
		})
		answer := ada.paying("tok_visa", newKey())
		<-asked
		o := ada.orders()[0].cancelled(SoldOut)
		require.NoError(t, pgx.BeginFunc(t.Context(), s.pool, func(tx pgx.Tx) error {
			var first, rest pgx.Batch
			s.queueTransition(&first, o.ID, Pending, Cancelled, SoldOut)
			require.NoError(t, postgres.Exec(t.Context(), tx, &first))
			close(decide)
			s.waiting() // the request, for this transaction
			s.queueUnpaid(&rest, o)
			s.tell(t.Context(), &rest, o, false)
			return postgres.Exec(t.Context(), tx, &rest)
		}))
		(<-answer).refused(409, "sold-out")
		ada.became(o.ID, Cancelled, SoldOut)
		require.Zero(t, s.count(`select count(*) from payments`))
	})
}

func TestSweeperWithFarStock(t *testing.T) {
	t.Parallel()

	t.Run("finishes what a crash left", func(t *testing.T) {
		t.Parallel()
		eachStep(t, stockIsFar, func(t *testing.T, s farShop) {
			ada, b := s.customer(), s.book("Emma", 1000, 5)
			ada.puts(2, b)
			s.shelf.goes(crashes)
			ada.pays("tok_visa", newKey()).is(500)
			s.shelf.goes(nil)
			s.sweeps()
			id := ada.orders()[0].ID
			ada.became(id, Paid, "")
			require.Equal(t, "captured", s.payment(id))
			require.Equal(t, 3, s.copies(b))
			require.Empty(t, ada.cart().Items)
		})
	})

	t.Run("cancels an order that turns out to be sold out, and says so by mail", func(t *testing.T) {
		t.Parallel()
		eachStep(t, stockIsFar, func(t *testing.T, s farShop) {
			ada, b, key := s.customer(), s.book("Emma", 1000, 5), newKey()
			ada.puts(2, b)
			s.shelf.goes(losesRequests)
			first := ada.pays("tok_visa", key).is(202)
			s.shelf.goes(nil)
			s.shelf.arrive(b.id, -4)
			s.sweeps()
			id := first.order().ID
			ada.became(id, Cancelled, SoldOut)
			require.Equal(t, []string{"order_cancelled"}, s.mails(id))
			require.Equal(t, 1, s.copies(b))
			if s.step < paymentsAreFar {
				require.Empty(t, s.payment(id), "the near payment goes")
			} else {
				require.Equal(t, "refused", s.payment(id), "nobody was charged, and nobody will be")
			}
			require.Len(t, ada.cart().Items, 1)
			first.same(ada.pays("tok_visa", key))
		})
	})

	t.Run("does not cancel, nor tell of, an order that was deleted", func(t *testing.T) {
		t.Parallel()
		eachStep(t, stockIsFar, func(t *testing.T, s farShop) {
			ada, b := s.customer(), s.book("Emma", 1000, 1)
			ada.puts(2, b)
			// The sweeper has heard that it is sold out, and the request is quicker.
			swept, asked, answered := make(chan struct{}), make(chan struct{}), make(chan struct{})
			calls := 0
			s.shelf.goes(func(_ context.Context, deliver func() error) error {
				err := deliver()
				s.shelf.mu.Lock()
				calls++
				request := calls == 1
				s.shelf.mu.Unlock()
				if request {
					go func() {
						defer close(swept)
						s.sweeps()
					}()
					<-asked
					return err
				}
				close(asked)
				<-answered
				return err
			})
			ada.pays("tok_visa", newKey()).refused(409, "sold-out")
			close(answered)
			<-swept
			require.Empty(t, ada.orders())
			require.Empty(t, s.outbox())
		})
	})

	t.Run("keeps an order of which its customer was told 202 while the request slept", func(t *testing.T) {
		t.Parallel()
		eachStep(t, stockIsFar, func(t *testing.T, s farShop) {
			ada, b, key := s.customer(), s.book("Emma", 1000, 1), newKey()
			ada.puts(2, b)
			var told reply
			s.shelf.goes(meanwhile(func() {
				s.leasesEnd()
				told = ada.pays("tok_visa", key).is(202)
			}))
			told.same(ada.pays("tok_visa", key))
			s.sweeps()
			id := told.order().ID
			ada.became(id, Cancelled, SoldOut)
			require.Equal(t, []string{"order_cancelled"}, s.mails(id))
			told.same(ada.pays("tok_visa", key))
		})
	})

	t.Run("survives neighbours that hear everything twice", func(t *testing.T) {
		t.Parallel()
		eachStep(t, stockIsFar, func(t *testing.T, s farShop) {
			ada, b := s.customer(), s.book("Emma", 1000, 5)
			s.shelf.goes(sendsTwice)
			s.cashier.goes(sendsTwice)
			s.shop.cashier.goes(sendsTwice)
			s.depot.goes(sendsTwice)
			id := ada.bought(2, b)
			require.Equal(t, 3, s.copies(b))
			ada.cancels(id).is(200)
			require.Equal(t, 5, s.copies(b))
			require.Equal(t, "refunded", s.payment(id))
			require.Equal(t, "cancelled", s.parcel(id))
		})
	})
}

func TestCancelWithFarShipping(t *testing.T) {
	t.Parallel()

	t.Run("lets shipping decide, which may know more", func(t *testing.T) {
		t.Parallel()
		s := newFarShop(t, shippingIsFar)
		ada, b := s.customer(), s.book("Emma", 1000, 5)
		id := ada.bought(2, b)
		s.listen()
		require.True(t, s.depot.dispatch(id))
		ada.cancels(id).refused(409, "order-shipped")
		ada.became(id, Paid, "") // until the event comes
		require.Zero(t, s.count(`select count(*) from orders where cancel_requested_at is not null`), "the wish is forgotten")
		s.sweeps()
		ada.became(id, Paid, "")
		require.Equal(t, "captured", s.payment(id))
	})

	for name, trouble := range map[string]*fault.Error{
		"cannot be reached":      errLost,
		"does not know us":       fault.New(fault.Unauthenticated, "", "Who are you?"),
		"does not admit us":      fault.New(fault.Forbidden, "", "Not you."),
		"has no such address":    fault.New(fault.NotFound, "", "There is nothing at this address."),
		"finds itself at a loss": fault.New(fault.Internal, "", "Something went wrong on our side."),
	} {
		t.Run("is 503 if shipping "+name+", and the sweeper carries it out", func(t *testing.T) {
			t.Parallel()
			s := newFarShop(t, shippingIsFar)
			ada, b := s.customer(), s.book("Emma", 1000, 5)
			id := ada.bought(2, b)
			s.depot.goes(func(context.Context, func() error) error { return trouble })
			r := ada.cancels(id)
			r.refused(http.StatusServiceUnavailable, "shipping-away")
			require.NotEmpty(t, r.header.Get("Retry-After"))
			ada.became(id, Paid, "")
			s.sweeps()
			ada.became(id, Paid, "")
			s.depot.goes(nil)
			s.sweeps()
			ada.became(id, Cancelled, Customer)
			require.Equal(t, 5, s.copies(b))
			require.Equal(t, "refunded", s.payment(id))
			require.Equal(t, []string{"order_paid", "order_cancelled"}, s.mails(id))
		})
	}

	t.Run("whose answer was lost is carried out by the sweeper", func(t *testing.T) {
		t.Parallel()
		s := newFarShop(t, shippingIsFar)
		ada, b := s.customer(), s.book("Emma", 1000, 5)
		id := ada.bought(2, b)
		s.depot.goes(crashes)
		ada.cancels(id).is(500)
		require.Equal(t, "cancelled", s.parcel(id), "this parcel will never leave")
		s.depot.goes(nil)
		s.sweeps()
		ada.became(id, Cancelled, Customer)
		require.Equal(t, "refunded", s.payment(id))
	})

	t.Run("that the sweeper finds too late is forgotten", func(t *testing.T) {
		t.Parallel()
		s := newFarShop(t, shippingIsFar)
		ada, b := s.customer(), s.book("Emma", 1000, 5)
		id := ada.bought(2, b)
		s.listen()
		s.depot.goes(losesRequests)
		ada.cancels(id).is(503)
		s.depot.goes(nil)
		require.True(t, s.depot.dispatch(id))
		s.sweeps()
		ada.became(id, Paid, "")
		require.Zero(t, s.count(`select count(*) from orders where cancel_requested_at is not null`))
	})
}
