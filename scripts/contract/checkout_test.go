package contract_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCheckout(t *testing.T) {
	t.Parallel()

	t.Run("paid by card buys the cart, and everything follows", func(t *testing.T) {
		t.Parallel()
		v := anybody(t)
		email := newEmail()
		v.post("/v1/accounts", registration(email)).is(http.StatusCreated)
		v.token = v.signIn(email, password).Token
		one, two := stocked(t, newBook().with("price.amount", 1250), 10), stocked(t, newBook().with("price.amount", 300), 10)
		v.puts(2, one)
		v.puts(3, two)

		before := time.Now().Add(-time.Minute) // clocks differ
		o := v.settles(v.pays("tok_visa", freshKey()))

		lines := []orderLine{{one.ID, one.Title, 2, usd(1250)}, {two.ID, two.Title, 3, usd(300)}}
		slices.SortFunc(lines, func(a, b orderLine) int { return strings.Compare(a.BookID, b.BookID) })
		require.Equal(t, lines, o.Items)
		require.Equal(t, usd(3400), o.Total)
		require.Equal(t, home, o.ShippingAddress)
		require.Nil(t, o.CancelReason)
		require.True(t, o.PlacedAt.After(before) && o.PlacedAt.Before(before.Add(5*time.Minute)), "placed just now")

		require.Equal(t, cart{Items: []cartLine{}, Total: usd(0)}, v.cart(), "what is bought leaves the cart")
		require.Equal(t, 8, copiesOf(t, one))
		require.Equal(t, 7, copiesOf(t, two))
		require.Equal(t, usd(3400), v.payment(o.ID, "captured").Amount)
		require.Nil(t, v.shipment(o.ID, "preparing").TrackingNumber)
		for _, n := range v.mailed("welcome", "order_paid") {
			require.Equal(t, email, n.To)
			require.NotNil(t, n.SentAt)
		}
		require.Equal(t, []order{o}, v.orders())
	})

	t.Run("with a declined card gives the stock back and keeps the cart", func(t *testing.T) {
		t.Parallel()
		ada, b := customer(t), bookWith(t, 5)
		full := ada.puts(2, b)

		id := ada.pays("tok_declined", freshKey()).refused(http.StatusPaymentRequired, "declined").OrderID
		o := ada.order(id)
		require.Equal(t, "cancelled", o.Status)
		require.Equal(t, new("declined"), o.CancelReason)
		require.Equal(t, full, ada.cart())
		comesTo(t, b, 5)
		ada.payment(id, "declined")
		require.Empty(t, items[shipment](ada, "/v1/shipments?order_id="+id))

		// The same cart, and another card.
		require.NotEqual(t, id, ada.buys().ID)
		require.Equal(t, 3, copiesOf(t, b))
		ada.mailed("welcome", "order_paid") // a decline is told at once, not by mail
	})

	t.Run("that is refused ends at once, gives the stock back and keeps the cart", func(t *testing.T) {
		t.Parallel()
		ada, b, key := customer(t), bookWith(t, 5), freshKey()
		full := ada.puts(2, b)

		first := ada.pays("tok_refused", key)
		id := first.refused(http.StatusConflict, "refused").OrderID
		o := ada.order(id)
		require.Equal(t, "cancelled", o.Status)
		require.Equal(t, new("refused"), o.CancelReason)
		require.Equal(t, full, ada.cart())
		comesTo(t, b, 5)
		ada.payment(id, "declined")
		require.Equal(t, first.body, ada.pays("tok_refused", key).body, "the answer is kept")

		require.NotEqual(t, id, ada.buys().ID, "nothing is pending")
		ada.mailed("welcome", "order_paid") // a refusal is told at once, not by mail
	})

	t.Run("that is refused after it was charged gives the money back", func(t *testing.T) {
		t.Parallel()
		ada, b := customer(t), bookWith(t, 5)
		ada.puts(2, b)
		id := ada.pays("tok_unsure", freshKey()).refused(http.StatusConflict, "refused").OrderID
		require.Equal(t, new("refused"), ada.order(id).CancelReason)
		comesTo(t, b, 5)
		ada.payment(id, "refunded")
	})

	for _, card := range []string{"tok_slow", "tok_timeout", "tok_flaky"} {
		t.Run("with "+card+" ends paid, and charges once", func(t *testing.T) {
			t.Parallel()
			ada, b := customer(t), bookWith(t, 5)
			ada.puts(1, b)
			o := ada.settles(ada.pays(card, freshKey()))
			ada.payment(o.ID, "captured")
			ada.shipment(o.ID, "preparing")
			require.Empty(t, ada.cart().Items)
			require.Equal(t, 4, copiesOf(t, b))
			require.Len(t, ada.orders(), 1)
		})
	}

	t.Run("of more than there is names the books and leaves no order", func(t *testing.T) {
		t.Parallel()
		ada := customer(t)
		plenty, few, none := bookWith(t, 9), bookWith(t, 2), bookWith(t, 1)
		ben := customer(t)
		ben.puts(1, none)
		ben.buys()

		ada.puts(1, plenty)
		ada.puts(3, few)
		full := ada.puts(2, none)
		p := ada.pays("tok_visa", freshKey()).refused(http.StatusConflict, "sold-out")

		want := []shortage{{few.ID, few.Title, 2, 3}, {none.ID, none.Title, 0, 2}}
		slices.SortFunc(want, func(a, b shortage) int { return strings.Compare(a.BookID, b.BookID) })
		require.Equal(t, want, p.Books)
		require.Empty(t, ada.orders())
		require.Empty(t, items[payment](ada, "/v1/payments"))
		require.Equal(t, full, ada.cart())
		comesTo(t, plenty, 9)
		comesTo(t, few, 2)
	})

	t.Run("of an empty cart is refused", func(t *testing.T) {
		t.Parallel()
		ada := customer(t)
		ada.pays("tok_visa", freshKey()).refused(http.StatusUnprocessableEntity, "cart-empty")
		require.Empty(t, ada.orders())
	})
}

func TestCheckoutInput(t *testing.T) {
	t.Parallel()
	ada, b := customer(t), bookWith(t, 5)
	ada.puts(1, b)
	fine := checkout("tok_visa")
	long := strings.Repeat("x", 201)

	refusals := map[string]struct {
		body   object
		status int
		code   string
		field  string
	}{
		"no payment":                  {fine.without("payment"), 422, "invalid", "payment.token"},
		"no card token":               {fine.without("payment.token"), 422, "invalid", "payment.token"},
		"an empty card token":         {fine.with("payment.token", ""), 422, "invalid", "payment.token"},
		"no name":                     {fine.without("shipping_address.name"), 422, "invalid", "shipping_address.name"},
		"an empty street":             {fine.with("shipping_address.street", ""), 422, "invalid", "shipping_address.street"},
		"a null city":                 {fine.with("shipping_address.city", nil), 422, "invalid", "shipping_address.city"},
		"a postcode of 201":           {fine.with("shipping_address.postcode", long), 422, "invalid", "shipping_address.postcode"},
		"a street with U+0000":        {fine.with("shipping_address.street", "a\x00b"), 422, "invalid", "shipping_address.street"},
		"a country in small letters":  {fine.with("shipping_address.country", "gb"), 422, "invalid", "shipping_address.country"},
		"a country of three letters":  {fine.with("shipping_address.country", "GBR"), 422, "invalid", "shipping_address.country"},
		"a postcode that is a number": {fine.with("shipping_address.postcode", 12345), 400, "malformed", "shipping_address.postcode"},
		"an address in one line":      {fine.with("shipping_address", "12 St James's Square"), 400, "malformed", "shipping_address"},
		"a card number":               {fine.with("card", "4111 1111 1111 1111"), 400, "malformed", "card"},
	}
	for name, c := range refusals {
		t.Run("with "+name+" is refused", func(t *testing.T) {
			t.Parallel()
			ada.in(t).post("/v1/orders", c.body, freshKey()).blames(c.status, c.code, c.field)
		})
	}

	t.Run("without a key is refused", func(t *testing.T) {
		t.Parallel()
		ada.in(t).post("/v1/orders", fine).refused(http.StatusBadRequest, "key-missing")
	})

	t.Run("leaves everything as it was when refused", func(t *testing.T) {
		t.Parallel()
		require.Empty(t, ada.in(t).orders())
		require.Len(t, ada.in(t).cart().Items, 1)
		require.Equal(t, 5, copiesOf(t, b))
	})
}

func TestPendingOrder(t *testing.T) {
	t.Parallel()
	ada, bought, later := customer(t), bookWith(t, 9), bookWith(t, 9)
	ada.puts(2, bought)

	slow := make(chan reply, 1)
	failed := make(chan error, 1)
	go func() {
		r, err := ada.try(http.MethodPost, "/v1/orders", checkout("tok_slow"), freshKey())
		failed <- err
		slow <- r
	}()
	var pending order
	eventually(t, "the slow order is pending", func() bool {
		for _, o := range ada.orders() {
			pending = o
		}
		return pending.Status == "pending"
	})

	// The card takes 2 s. What has to happen before it answers comes first.
	ada.puts(5, bought)
	ada.pays("tok_visa", freshKey()).refused(http.StatusConflict, "order-pending")
	ada.cancels(pending.ID).refused(http.StatusConflict, "order-pending")
	ada.puts(1, later)

	require.NoError(t, <-failed)
	o := ada.settles(<-slow)
	require.Equal(t, pending.ID, o.ID)
	require.Equal(t, 2, o.Items[0].Quantity)
	left := map[string]int{}
	for _, line := range ada.cart().Items {
		left[line.BookID] = line.Quantity
	}
	require.Equal(t, map[string]int{bought.ID: 3, later.ID: 1}, left, "what was added meanwhile stays in the cart")
	require.Len(t, ada.orders(), 1)
	ada.buys() // and nothing is in the way of the next
}
