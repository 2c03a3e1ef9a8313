package contract_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCart(t *testing.T) {
	t.Parallel()
	s := staff(t)
	ada := customer(t)

	require.Equal(t, cart{Items: []cartLine{}, Total: usd(0)}, ada.cart(), "a new cart is empty")

	cheap := s.adds(newBook().with("price.amount", 250))
	dear := s.adds(newBook().with("price.amount", 1999))
	line := func(b book, quantity int) cartLine {
		return cartLine{b.ID, b.Title, quantity, b.Price, usd(b.Price.Amount * int64(quantity))}
	}
	holds := func(total int64, lines ...cartLine) cart {
		slices.SortFunc(lines, func(a, b cartLine) int { return strings.Compare(a.BookID, b.BookID) })
		return cart{append([]cartLine{}, lines...), usd(total)}
	}

	// One story, because accounts are dear.
	require.Equal(t, holds(500, line(cheap, 2)), ada.puts(2, cheap), "what was put into it is in it")
	require.Equal(t, holds(2499, line(cheap, 2), line(dear, 1)), ada.puts(1, dear), "beside what was there")
	require.Equal(t, holds(3749, line(cheap, 7), line(dear, 1)), ada.puts(7, cheap), "a line is changed, not added to")
	require.Equal(t, ada.cart(), holds(3749, line(cheap, 7), line(dear, 1)))
	require.Equal(t, holds(3749+98*1999, line(cheap, 7), line(dear, 99)), ada.puts(99, dear), "copies are not asked for here")
	ada.puts(1, dear)

	dear.Price = usd(1500)
	s.patch("/v1/books/"+dear.ID, object{"price": object{"amount": 1500}}).is(http.StatusOK)
	eventually(t, "the cart shows the new price", func() bool { return ada.cart().Total == usd(3250) })
	require.Equal(t, holds(3250, line(cheap, 7), line(dear, 1)), ada.cart())

	refusals := map[string]struct {
		body   any
		status int
		code   string
		field  string
	}{
		"no copies":          {object{"quantity": 0}, 422, "invalid", "quantity"},
		"a hundred copies":   {object{"quantity": 100}, 422, "invalid", "quantity"},
		"fewer than none":    {object{"quantity": -1}, 422, "invalid", "quantity"},
		"no quantity":        {object{}, 422, "invalid", "quantity"},
		"null":               {object{"quantity": nil}, 422, "invalid", "quantity"},
		"one and a half":     {object{"quantity": 1.5}, 400, "malformed", "quantity"},
		"copies in words":    {object{"quantity": "2"}, 400, "malformed", "quantity"},
		"a price of its own": {object{"quantity": 1, "unit_price": 1}, 400, "malformed", "unit_price"},
		"two bodies":         {raw(`{"quantity": 1}{"quantity": 2}`), 400, "malformed", "body"},
	}
	for name, c := range refusals {
		ada.put("/v1/cart/items/"+cheap.ID, c.body).blames(c.status, c.code, c.field)
		require.Equal(t, holds(3250, line(cheap, 7), line(dear, 1)), ada.cart(), "%s changes nothing", name)
	}

	ben := customer(t)
	require.Empty(t, ben.cart().Items, "a cart is one's own")
	ben.puts(1, cheap)
	require.Len(t, ada.cart().Items, 2)

	takes := func(b book) cart { return into[cart](ada.delete("/v1/cart/items/" + b.ID).is(http.StatusOK)) }
	require.Equal(t, holds(1500, line(dear, 1)), takes(cheap), "what is taken out is out")
	require.Equal(t, holds(1500, line(dear, 1)), takes(cheap), "and may be taken out again")
	require.Equal(t, holds(0), takes(dear))
	require.Equal(t, holds(0), into[cart](ada.delete("/v1/cart/items/"+unknownID()).is(http.StatusOK)), "so may what nobody knows")
	require.Len(t, ben.cart().Items, 1)
}

func TestFullCart(t *testing.T) {
	t.Parallel()
	const most, over = 100, 15
	ada, ben := customer(t), customer(t)
	books := make([]book, most+over)
	for i := range books {
		books[i] = bookWith(t, 1)
	}
	item := func(b book) string { return "/v1/cart/items/" + b.ID }

	// The cart knows the last book: it knows the others soon.
	ben.puts(1, books[len(books)-1])
	for _, b := range books {
		eventually(t, "the cart knows the new book", func() bool {
			return ben.put(item(b), object{"quantity": 1}).status != http.StatusNotFound
		})
	}
	require.Len(t, ben.cart().Items, most)

	var outside []book
	replies := atOnce(t, len(books), func(i int) (r reply, err error) {
		for range 10 { // a shop on a slow machine may tell some of so many to come back
			r, err = ada.try(http.MethodPut, item(books[i]), object{"quantity": 1})
			if err != nil || r.status != http.StatusServiceUnavailable {
				break
			}
			time.Sleep(time.Second) // its Retry-After
		}
		return r, err
	})
	for i, r := range replies {
		if r.status == http.StatusOK {
			require.LessOrEqual(t, len(into[cart](r).Items), most)
			continue
		}
		r.refused(http.StatusUnprocessableEntity, "cart-full")
		outside = append(outside, books[i])
	}
	require.Len(t, outside, over, "parallel requests can't pass the limit")
	full := ada.cart()
	require.Len(t, full.Items, most)

	line := full.Items[most/2].BookID
	ada.put("/v1/cart/items/"+line, object{"quantity": 2}).is(http.StatusOK)
	require.Equal(t, full, into[cart](ada.put("/v1/cart/items/"+line, object{"quantity": 1}).is(http.StatusOK)),
		"a full cart may change quantities")
	ada.put(item(outside[0]), object{"quantity": 100}).blames(http.StatusUnprocessableEntity, "invalid", "quantity")
	ada.put(item(outside[0]), object{"quantity": 1}).refused(http.StatusUnprocessableEntity, "cart-full")
	require.Len(t, into[cart](ada.delete("/v1/cart/items/"+line).is(http.StatusOK)).Items, most-1)
	require.Len(t, ada.puts(1, outside[0]).Items, most, "and take one title for another")

	o := ada.buys()
	require.Len(t, o.Items, most, "a full cart can be bought")
	require.Empty(t, ada.cart().Items)
}
