package orders

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"banyan/internal/fault"
	"banyan/internal/money"
	"banyan/internal/web"
)

// The contract's limits of an order.
const (
	mostTitles   = 100
	mostCopies   = 99
	longestTitle = 300
	longestText  = 200
)

// letters are those that JSON makes long, and others: `<` and U+2028 become six
// bytes, the last letter has four.
var letters = []rune{'<', '&', '\u2028', '"', '\\', 'a', 'é', '語', '𝒳'}

// TestLargestOrder buys as much as the contract allows, in letters that take
// the most room.
func TestLargestOrder(t *testing.T) {
	t.Parallel()
	for card, status := range map[string]int{"tok_visa": 201, "tok_declined": 402} {
		s := newShop(t)
		ada := s.customer()
		for range mostTitles {
			b := s.book(strings.Repeat("<", longestTitle), 99_999_99, mostCopies)
			s.exec(`insert into carts (account_id) values ($1) on conflict do nothing`, ada.id)
			s.exec(`insert into cart_items (account_id, book_id, quantity) values ($1, $2, $3)`, ada.id, b.id, mostCopies)
		}
		key := newKey()
		long := strings.Repeat("<", longestText)
		body, err := json.Marshal(map[string]any{
			"payment":          map[string]string{"token": card},
			"shipping_address": Address{long, long, long, long, "GB"},
		})
		require.NoError(t, err)
		req := ada.request("POST", "/v1/orders", string(body))
		req.Header.Set("Idempotency-Key", key)
		s.answer(req).is(status)
		require.Len(t, ada.orders()[0].Items, mostTitles)
		require.NotEqual(t, Pending, ada.orders()[0].Status)
	}
}

// TestSizes draws orders within the contract's limits, and weighs what is made
// of them on their way: no order may be charged that cannot be written down.
func TestSizes(t *testing.T) {
	t.Parallel()
	const (
		body   = 64 << 10 // of a request, as web.Options has it
		answer = 1 << 20  // that a client of ours reads
	)
	rapid.Check(t, func(t *rapid.T) {
		o, token := drawOrder(t)
		weigh := func(what string, value any, most int) {
			b, err := json.Marshal(value)
			require.NoError(t, err)
			require.LessOrEqual(t, len(b), most, what)
		}
		var missing []short
		for _, i := range o.Items {
			missing = append(missing, short{i.BookID, i.Title, 0, i.Quantity})
		}
		weigh("the charge at the card processor", map[string]any{"reference": o.ID, "amount": o.Total.Amount, "currency": "USD", "token": token}, 16<<10)
		require.LessOrEqual(t, len(answerFor(o.paid()).Body), answer)
		require.LessOrEqual(t, len(web.Problem(fault.From(ErrSoldOut.With("books", missing)))), answer)
		var asked checkoutRequest
		asked.Payment.Token, asked.ShippingAddress = token, o.ShippingAddress
		escaped, err := json.Marshal(asked)
		require.NoError(t, err)
		require.LessOrEqual(t, 6*len(utf16.Encode([]rune(string(escaped)))), body, "a client may escape each letter")
	})
}

// drawOrder is an order within the limits, more often at them.
func drawOrder(t *rapid.T) (o Order, token string) {
	text := func(most int, label string) string {
		n := rapid.OneOf(rapid.Just(most), rapid.IntRange(1, most)).Draw(t, label)
		return strings.Repeat(string(rapid.SampledFrom(letters).Draw(t, "letter")), n)
	}
	cart := Cart{Total: money.USD(0)}
	for range rapid.OneOf(rapid.Just(mostTitles), rapid.IntRange(1, mostTitles)).Draw(t, "titles") {
		cart.Items = append(cart.Items, CartItem{
			BookID: uuid.New(), Title: text(longestTitle, "title"), Quantity: rapid.IntRange(1, mostCopies).Draw(t, "copies"),
			UnitPrice: money.USD(rapid.Int64Range(1, 100_000_000).Draw(t, "price")),
		})
	}
	slices.SortFunc(cart.Items, func(a, b CartItem) int { return strings.Compare(a.BookID.String(), b.BookID.String()) })
	cart = newCart(cart.Items, 1)
	address := Address{text(longestText, "name"), text(longestText, "street"), text(longestText, "city"), text(longestText, "postcode"), "GB"}
	return newOrder(uuid.New(), cart, address, ""), text(longestText, "token")
}
