package orders

import (
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"banyan/internal/fault"
	"banyan/internal/money"
)

func TestQuantity(t *testing.T) {
	t.Parallel()
	for n, fine := range map[int]bool{-1: false, 0: false, 1: true, 99: true, 100: false, 1 << 40: false} {
		if fine {
			require.NoError(t, checkQuantity(n), n)
		} else {
			require.Equal(t, fault.Invalid, fault.KindOf(checkQuantity(n)), n)
		}
	}
}

func TestCart(t *testing.T) {
	t.Parallel()

	t.Run("adds up at the prices of today", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, one, two := s.customer(), s.book("Emma", 1250, 9), s.book("Ivanhoe", 300, 9)
		require.Equal(t, Cart{Items: []CartItem{}, Total: money.USD(0)}, ada.cart(), "nobody needs to make a cart")
		ada.puts(2, one)
		cart := ada.puts(3, two)
		require.Equal(t, []CartItem{
			{BookID: one.id, Title: "Emma", Quantity: 2, UnitPrice: money.USD(1250), LineTotal: money.USD(2500)},
			{BookID: two.id, Title: "Ivanhoe", Quantity: 3, UnitPrice: money.USD(300), LineTotal: money.USD(900)},
		}, cart.Items)
		require.Equal(t, money.USD(3400), cart.Total)

		s.exec(`update books set price = 1000, title = 'Emma, again' where id = $1`, one.id)
		cart = ada.cart()
		require.Equal(t, money.USD(2900), cart.Total)
		require.Equal(t, "Emma, again", cart.Items[0].Title)
		require.Equal(t, money.USD(2900), func() money.Money {
			return ada.pays("tok_visa", newKey()).is(201).order().Total
		}(), "and is bought at them")
	})

	t.Run("holds the last quantity that was asked for", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b := s.customer(), s.book("Emma", 1000, 9)
		ada.puts(2, b)
		ada.puts(7, b)
		require.Equal(t, map[uuid.UUID]int{b.id: 7}, ada.inCart())
	})

	t.Run("loses a line, also one that is not there", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, one, two := s.customer(), s.book("Emma", 1000, 9), s.book("Ivanhoe", 300, 9)
		ada.asks("DELETE", "/v1/cart/items/"+one.id.String(), "").is(200)
		ada.puts(1, one)
		ada.puts(1, two)
		cart := ada.asks("DELETE", "/v1/cart/items/"+one.id.String(), "").is(200).cart()
		require.Len(t, cart.Items, 1)
		require.Equal(t, two.id, cart.Items[0].BookID)
	})

	t.Run("holds no book that there is not, and no strange number of one", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b := s.customer(), s.book("Emma", 1000, 9)
		ada.asks("PUT", "/v1/cart/items/"+uuid.NewString(), `{"quantity":1}`).refused(404, "no-such-book")
		path := "/v1/cart/items/" + b.id.String()
		ada.asks("PUT", path, `{"quantity":0}`).refused(422, "invalid")
		ada.asks("PUT", path, `{"quantity":100}`).refused(422, "invalid")
		ada.asks("PUT", path, `{}`).refused(422, "invalid")
		ada.asks("PUT", path, `{"quantity":"1"}`).refused(400, "malformed")
		ada.asks("PUT", path, `{"quantity":1,"gift":true}`).refused(400, "malformed")
		ada.asks("PUT", "/v1/cart/items/1", `{"quantity":1}`).refused(400, "malformed")
		require.Empty(t, ada.cart().Items)
	})

	t.Run("is its customer's own", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, ben, b := s.customer(), s.customer(), s.book("Emma", 1000, 9)
		ada.puts(2, b)
		require.Empty(t, ben.cart().Items)
		ben.puts(3, b)
		require.Equal(t, map[uuid.UUID]int{b.id: 2}, ada.inCart())
	})
}

func TestFullCart(t *testing.T) {
	t.Parallel()

	// fill puts new titles into the cart past the module, as before there was a limit.
	fill := func(c customer, titles int) (books []book) {
		for range titles {
			books = append(books, c.book("Emma", 1000, 9))
		}
		c.exec(`insert into carts (account_id) values ($1)`, c.id)
		for _, b := range books {
			c.exec(`insert into cart_items (account_id, book_id, quantity) values ($1, $2, 1)`, c.id, b.id)
		}
		return books
	}
	path := func(b book) string { return "/v1/cart/items/" + b.id.String() }

	t.Run("takes no other title, but another quantity, and a title in place of one", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, other := s.customer(), s.book("Ivanhoe", 300, 9)
		books := fill(ada, 99)
		last := s.book("Persuasion", 300, 9)
		require.Len(t, ada.puts(1, last).Items, 100)
		ada.asks("PUT", path(other), `{"quantity":1}`).refused(422, "cart-full")
		require.Equal(t, 7, func() int { ada.puts(7, books[42]); return ada.inCart()[books[42].id] }())
		require.Equal(t, 3, func() int { ada.puts(3, last); return ada.inCart()[last.id] }())
		ada.asks("DELETE", path(books[0]), "").is(200)
		require.Len(t, ada.puts(1, other).Items, 100)
		require.Len(t, ada.pays("tok_visa", newKey()).is(201).order().Items, 100)
		require.Empty(t, ada.cart().Items)
	})

	t.Run("is never passed by requests that come at once", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada := s.customer()
		fill(ada, 90)
		answers := make([]reply, 40)
		var wg sync.WaitGroup
		for i := range answers {
			b := s.book("Ivanhoe", 300, 9)
			wg.Go(func() { answers[i] = ada.asks("PUT", path(b), `{"quantity":1}`) })
		}
		wg.Wait()
		taken := 0
		for _, r := range answers {
			if r.status == 200 {
				taken++
				require.LessOrEqual(t, len(r.cart().Items), 100)
				continue
			}
			r.refused(422, "cart-full")
		}
		require.Equal(t, 10, taken)
		require.Len(t, ada.cart().Items, 100)
	})

	t.Run("that was fuller before changes and shrinks, and is bought when it is small enough", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, other := s.customer(), s.book("Ivanhoe", 300, 9)
		books := fill(ada, 102)
		require.Len(t, ada.puts(9, books[0]).Items, 102)
		ada.asks("PUT", path(other), `{"quantity":1}`).refused(422, "cart-full")

		key := newKey()
		ada.pays("tok_visa", key).refused(422, "cart-full")
		require.Zero(t, s.count(`select count(*) from idempotency_keys`), "the key is free")
		require.Empty(t, ada.orders())

		ada.asks("DELETE", path(books[1]), "").is(200)
		ada.pays("tok_visa", key).refused(422, "cart-full")
		require.Len(t, ada.asks("DELETE", path(books[2]), "").is(200).cart().Items, 100)
		require.Len(t, ada.pays("tok_visa", key).is(201).order().Items, 100)
	})
}
