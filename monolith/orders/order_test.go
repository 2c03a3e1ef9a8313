package orders

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"banyan/internal/fault"
	"banyan/internal/money"
	"banyan/internal/postgres"
)

func TestAddress(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*Address)
		field  string
	}{
		"is complete":                         {func(*Address) {}, ""},
		"may use any script":                  {func(a *Address) { a.Name = "Ада Лавлейс" }, ""},
		"needs a name":                        {func(a *Address) { a.Name = "" }, "shipping_address.name"},
		"needs a street":                      {func(a *Address) { a.Street = "" }, "shipping_address.street"},
		"has no line breaks":                  {func(a *Address) { a.Street = "a\nb" }, "shipping_address.street"},
		"has no space around a city":          {func(a *Address) { a.City = " London" }, "shipping_address.city"},
		"may have a postcode of 200":          {func(a *Address) { a.Postcode = strings.Repeat("1", 200) }, ""},
		"has no postcode of 201":              {func(a *Address) { a.Postcode = strings.Repeat("1", 201) }, "shipping_address.postcode"},
		"needs a country":                     {func(a *Address) { a.Country = "" }, "shipping_address.country"},
		"writes its country in capitals":      {func(a *Address) { a.Country = "gb" }, "shipping_address.country"},
		"writes its country in two of them":   {func(a *Address) { a.Country = "GBR" }, "shipping_address.country"},
		"writes its country in plain ones":    {func(a *Address) { a.Country = "Ä" }, "shipping_address.country"},
		"has letters for a country, no digit": {func(a *Address) { a.Country = "G1" }, "shipping_address.country"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var c fault.Checks
			a := home
			test.change(&a)
			a.check(&c)
			if test.field == "" {
				require.NoError(t, c.Err())
				return
			}
			require.Len(t, c, 1)
			require.Equal(t, test.field, c[0].Name)
		})
	}
}

// TestTransition tries each way from each state: three of them are open.
func TestTransition(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	b := s.book("Emma", 1000, 99)
	open := map[string]string{Pending: "paid cancelled", Paid: "shipped cancelled"}
	for _, is := range []string{Pending, Paid, Shipped, Cancelled} {
		for _, from := range []string{Pending, Paid} {
			for to := range strings.FieldsSeq(open[from]) {
				ada := s.customer()
				id := ada.hasOrder(b, is)
				var change pgx.Batch
				reason := ""
				if to == Cancelled {
					reason = Customer
				}
				s.queueTransition(&change, id, from, to, reason)
				err := postgres.Exec(t.Context(), s.pool, &change)
				if is == from {
					require.NoError(t, err, "%s to %s", from, to)
					require.Equal(t, to, ada.order(id).Status)
					continue
				}
				require.True(t, moved(err), "%s, and not %s: %v", is, from, err)
				require.Equal(t, is, ada.order(id).Status)
			}
		}
	}
}

// hasOrder writes an order in this state, as if it had got there.
func (c customer) hasOrder(b book, status string) uuid.UUID {
	c.t.Helper()
	o := newOrder(c.id, newCart([]CartItem{{BookID: b.id, Title: b.title, Quantity: 1, UnitPrice: money.USD(1000)}}, 1), home, "")
	var insert pgx.Batch
	c.queueInsertOrder(&insert, o)
	require.NoError(c.t, postgres.Exec(c.t.Context(), c.shop.pool, &insert))
	reason := ""
	if status == Cancelled {
		reason = Customer
	}
	c.exec(`update orders set status = $2, cancel_reason = nullif($3, '') where id = $1`, o.ID, status, reason)
	return o.ID
}

// TestAnswer holds what a checkout answers against what its order has become.
func TestAnswer(t *testing.T) {
	t.Parallel()
	o := newOrder(uuid.New(), newCart([]CartItem{{BookID: uuid.New(), Title: "Emma", Quantity: 2, UnitPrice: money.USD(500)}}, 1), home, "")
	shipped := o.paid()
	shipped.Status = Shipped
	for name, test := range map[string]struct {
		order  Order
		status int
		says   string
	}{
		"pending":                   {o, http.StatusAccepted, `"status":"pending"`},
		"paid":                      {o.paid(), http.StatusCreated, `"status":"paid"`},
		"shipped":                   {shipped, http.StatusCreated, `"status":"shipped"`},
		"declined":                  {o.cancelled(Declined), http.StatusPaymentRequired, `"order_id":"` + o.ID.String()},
		"cancelled by its customer": {o.paid().cancelled(Customer), http.StatusCreated, `"cancel_reason":"customer"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer := answerFor(test.order)
			require.Equal(t, test.status, answer.Status)
			require.Contains(t, string(answer.Body), test.says)
			if answer.Status >= 300 {
				require.Empty(t, answer.Location)
				require.Equal(t, "application/problem+json", answer.ContentType)
				return
			}
			require.Equal(t, "/v1/orders/"+o.ID.String(), answer.Location)
			require.Equal(t, "application/json", answer.ContentType)
		})
	}
	require.Equal(t, Pending, o.Status, "what an order becomes is another order")
}

func TestOrders(t *testing.T) {
	t.Parallel()

	t.Run("are listed page by page, newest first, with all their lines", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, one, two := s.customer(), s.book("Emma", 1000, 99), s.book("Ivanhoe", 300, 99)
		var placed []uuid.UUID
		for range 5 {
			ada.puts(1, one)
			ada.puts(2, two)
			placed = append([]uuid.UUID{ada.pays("tok_visa", newKey()).is(201).order().ID}, placed...)
		}
		// Two of one moment are told apart by their ids.
		s.exec(`update orders set placed_at = '2026-01-02T03:04:05.678901Z' where id = any($1)`, placed[1:3])
		s.exec(`update orders set placed_at = '2026-01-01T00:00:00Z' where id = any($1)`, placed[3:])

		var seen []uuid.UUID
		path := "/v1/orders?limit=2"
		for path != "" {
			var page struct {
				Items      []Order `json:"items"`
				NextCursor *string `json:"next_cursor"`
			}
			require.NoError(t, json.Unmarshal([]byte(ada.asks("GET", path, "").is(200).body), &page))
			for _, o := range page.Items {
				seen = append(seen, o.ID)
				require.Len(t, o.Items, 2)
				require.Equal(t, money.USD(1600), o.Total)
				require.Equal(t, time.UTC, o.PlacedAt.Location())
			}
			path = ""
			if page.NextCursor != nil {
				require.Len(t, page.Items, 2)
				path = "/v1/orders?limit=2&cursor=" + *page.NextCursor
			}
		}
		require.Equal(t, placed, seen)
	})

	t.Run("are their customer's own", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, eve, b := s.customer(), s.customer(), s.book("Emma", 1000, 9)
		ada.puts(1, b)
		id := ada.pays("tok_visa", newKey()).is(201).order().ID
		require.Empty(t, eve.orders())
		eve.asks("GET", "/v1/orders/"+id.String(), "").refused(404, "no-such-order")
		eve.cancels(id).refused(404, "no-such-order")
		ada.became(id, Paid, "")
	})

	t.Run("keep the titles and prices of their day", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b := s.customer(), s.book("Emma", 1000, 9)
		ada.puts(2, b)
		o := ada.pays("tok_visa", newKey()).is(201).order()
		s.exec(`update books set title = 'Another', price = 1 where id = $1`, b.id)
		require.Equal(t, o, ada.order(o.ID))
		require.Equal(t, []Item{{b.id, "Emma", 2, money.USD(1000)}}, o.Items)
	})
}
