package orders

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"banyan/internal/money"
)

func TestCheckout(t *testing.T) {
	t.Parallel()

	t.Run("paid buys the cart, and everything follows", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, one, two := s.customer(), s.book("Emma", 1250, 10), s.book("Ivanhoe", 300, 10)
		ada.puts(2, one)
		ada.puts(3, two)
		r := ada.pays("tok_visa", newKey()).is(201)
		o := r.order()
		require.Equal(t, "/v1/orders/"+o.ID.String(), r.header.Get("Location"))
		require.Equal(t, Paid, o.Status)
		require.Equal(t, []Item{{one.id, "Emma", 2, money.USD(1250)}, {two.id, "Ivanhoe", 3, money.USD(300)}}, o.Items)
		require.Equal(t, money.USD(3400), o.Total)
		require.Equal(t, home, o.ShippingAddress)
		require.WithinDuration(t, time.Now(), o.PlacedAt, time.Minute)
		require.Equal(t, []Order{o}, ada.orders())

		require.Empty(t, ada.cart().Items)
		require.Equal(t, 8, s.copies(one))
		require.Equal(t, 7, s.copies(two))
		require.Equal(t, "captured", s.payment(o.ID))
		require.Equal(t, "preparing", s.parcel(o.ID))
		require.Equal(t, []string{"order_paid"}, s.mails(o.ID))
		require.Zero(t, s.cardsKept())
	})

	t.Run("declined card gives the stock back and leaves the cart", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b := s.customer(), s.book("Emma", 1000, 5)
		full := ada.puts(2, b)
		id := ada.pays("tok_declined", newKey()).refused(402, "declined").OrderID
		ada.became(id, Cancelled, Declined)
		require.Equal(t, full, ada.cart())
		require.Equal(t, 5, s.copies(b))
		require.Equal(t, "declined", s.payment(id))
		require.Empty(t, s.parcel(id))
		require.Empty(t, s.mails(id), "the answer has told already")
		require.Zero(t, s.cardsKept())

		ada.pays("tok_visa", newKey()).is(201) // the same cart, and another card
		require.Equal(t, 3, s.copies(b))
	})

	t.Run("that is refused is cancelled, gives the stock back and leaves the cart", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b, key := s.customer(), s.book("Emma", 1000, 5), newKey()
		full := ada.puts(2, b)
		s.cashier.goes(refuses)
		first := ada.pays("tok_visa", key)
		id := first.refused(409, "refused").OrderID
		ada.became(id, Cancelled, Refused)
		require.Equal(t, full, ada.cart())
		require.Equal(t, 5, s.copies(b))
		require.Empty(t, s.mails(id), "the answer has told already")
		require.Zero(t, s.cardsKept())
		first.same(ada.pays("tok_visa", key))

		s.cashier.goes(nil)
		ada.pays("tok_visa", newKey()).is(201) // nothing is pending
		require.Equal(t, 3, s.copies(b))
	})

	t.Run("that is refused after a 202 is cancelled, and its customer is told by mail", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b, key := s.customer(), s.book("Emma", 1000, 5), newKey()
		ada.puts(2, b)
		s.cashier.goes(losesAnswers)
		first := ada.pays("tok_visa", key).is(202)
		s.cashier.goes(refuses)
		s.sweeps()
		id := first.order().ID
		ada.became(id, Cancelled, Refused)
		require.Equal(t, 5, s.copies(b))
		require.Equal(t, "refunded", s.payment(id), "the charge that nobody heard of is given back")
		require.Equal(t, []string{"order_cancelled"}, s.mails(id))
		first.same(ada.pays("tok_visa", key))
	})

	t.Run("sold out names the books and leaves no order", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada := s.customer()
		plenty, few, none := s.book("Emma", 1000, 9), s.book("Ivanhoe", 300, 2), s.book("Kim", 500, 0)
		ada.puts(1, plenty)
		ada.puts(3, few)
		full := ada.puts(2, none)
		p := ada.pays("tok_visa", newKey()).refused(409, "sold-out")
		require.Equal(t, []short{{few.id, "Ivanhoe", 2, 3}, {none.id, "Kim", 0, 2}}, p.Books)
		require.Empty(t, ada.orders())
		require.Equal(t, full, ada.cart())
		require.Equal(t, 9, s.copies(plenty))
		require.Equal(t, 2, s.copies(few))
		require.Zero(t, s.count(`select count(*) from orders`))
		require.Zero(t, s.count(`select count(*) from order_items`))

		ada.asks("DELETE", "/v1/cart/items/"+none.id.String(), "").is(200)
		ada.puts(2, few)
		ada.pays("tok_visa", newKey()).is(201) // what there is can be bought
	})

	t.Run("of an empty cart is refused", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada := s.customer()
		ada.pays("tok_visa", newKey()).refused(422, "cart-empty")
		require.Empty(t, ada.orders())
	})

	t.Run("waits while another order is pending", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b := s.customer(), s.book("Emma", 1000, 9)
		ada.puts(1, b)
		s.cashier.goes(losesRequests)
		first := ada.pays("tok_visa", newKey()).is(202).order()
		s.cashier.goes(nil)
		key := newKey()
		r := ada.pays("tok_visa", key)
		r.refused(409, "order-pending")
		require.Equal(t, "1", r.header.Get("Retry-After"))

		s.sweeps()
		ada.became(first.ID, Paid, "")
		ada.puts(1, b)
		ada.pays("tok_visa", key).is(201) // the refusal was not kept
	})

	t.Run("waits while another order is pending, also one that has the last copies", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b := s.customer(), s.book("Emma", 1000, 1)
		ada.puts(1, b)
		s.cashier.goes(losesRequests)
		ada.pays("tok_visa", newKey()).is(202)
		ada.pays("tok_visa", newKey()).refused(409, "order-pending")
	})

	t.Run("buys the cart as it is when the order is placed", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b := s.customer(), s.book("Emma", 1000, 9)
		ada.puts(1, b)
		// Somebody holds the cart's row while the checkout, which has read the cart, wants it.
		tx, err := s.pool.Begin(t.Context())
		require.NoError(t, err)
		_, err = tx.Exec(t.Context(), `update carts set version = version + 1 where account_id = $1`, ada.id)
		require.NoError(t, err)
		_, err = tx.Exec(t.Context(), `update cart_items set quantity = 5 where account_id = $1`, ada.id)
		require.NoError(t, err)
		done := ada.paying("tok_visa", newKey())
		s.waiting()
		require.NoError(t, tx.Commit(t.Context()))
		require.Equal(t, 5, (<-done).is(201).order().Items[0].Quantity)
		require.Equal(t, 4, s.copies(b))
		require.Len(t, ada.orders(), 1)
	})

	t.Run("leaves what was added while the card was charged", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada := s.customer()
		same, more, less, other := s.book("Emma", 1000, 9), s.book("Ivanhoe", 300, 9), s.book("Kim", 500, 9), s.book("Persuasion", 700, 9)
		ada.puts(2, same)
		ada.puts(2, more)
		ada.puts(2, less)
		s.cashier.goes(meanwhile(func() {
			ada.puts(5, more)
			ada.puts(1, less)
			ada.puts(1, other)
		}))
		o := ada.pays("tok_visa", newKey()).is(201).order()
		require.Len(t, o.Items, 3)
		require.Equal(t, map[uuid.UUID]int{more.id: 3, other.id: 1}, ada.inCart())
	})

	t.Run("of unknown outcome is 202, and the sweeper finishes it", func(t *testing.T) {
		t.Parallel()
		for card, want := range map[string]struct{ status, reason, payment, mail string }{
			"tok_visa":     {Paid, "", "captured", "order_paid"},
			"tok_declined": {Cancelled, Declined, "declined", "order_cancelled"},
		} {
			s := newShop(t)
			ada, b, key := s.customer(), s.book("Emma", 1000, 5), newKey()
			ada.puts(2, b)
			s.cashier.goes(losesAnswers)
			first := ada.pays(card, key).is(202)
			o := first.order()
			require.Equal(t, "/v1/orders/"+o.ID.String(), first.header.Get("Location"))
			require.Equal(t, Pending, o.Status)
			ada.became(o.ID, Pending, "")
			require.Len(t, ada.cart().Items, 1)
			ada.cancels(o.ID).refused(409, "order-pending")

			s.sweeps()
			ada.became(o.ID, Pending, "") // still nobody answers
			s.cashier.goes(nil)
			s.sweeps()
			ada.became(o.ID, want.status, want.reason)
			require.Equal(t, want.payment, s.payment(o.ID))
			require.Equal(t, []string{want.mail}, s.mails(o.ID))
			require.Zero(t, s.cardsKept())
			if want.status == Paid {
				require.Empty(t, ada.cart().Items)
				require.Equal(t, 3, s.copies(b))
			} else {
				require.Len(t, ada.cart().Items, 1)
				require.Equal(t, 5, s.copies(b))
			}
			first.same(ada.pays(card, key)) // the answer is what was, not what is
		}
	})

	t.Run("answers within three seconds, whoever is away", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b := s.customer(), s.book("Emma", 1000, 5)
		ada.puts(2, b)
		s.cashier.goes(hangs)
		began := time.Now()
		ada.pays("tok_visa", newKey()).is(202)
		require.Less(t, time.Since(began), 3*time.Second)
		require.Greater(t, time.Since(began), 2*time.Second, "but not without patience")
	})

	t.Run("goes on when its client has gone", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b, key := s.customer(), s.book("Emma", 1000, 5), newKey()
		ada.puts(1, b)
		ctx, goAway := context.WithCancel(t.Context())
		s.cashier.goes(meanwhile(goAway))
		first := s.answer(ada.checkout("tok_visa", key).WithContext(ctx)) // which nobody reads
		require.Error(t, ctx.Err())
		require.Len(t, ada.orders(), 1)
		require.Equal(t, Paid, ada.orders()[0].Status)
		first.same(ada.pays("tok_visa", key).is(201))
	})

	t.Run("names everything that is wrong with a request", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada := s.customer()
		for body, status := range map[string]int{
			`{`: 400, `{"payment":{"token":1}}`: 400, `{"gift":true}`: 400, `{}`: 422,
		} {
			req := ada.request(http.MethodPost, "/v1/orders", body)
			req.Header.Set("Idempotency-Key", newKey())
			s.answer(req).is(status)
		}
		s.answer(ada.request(http.MethodPost, "/v1/orders", `{}`)).refused(400, "key-missing")
	})
}
