package payments

import (
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func TestPaying(t *testing.T) {
	t.Parallel()
	s := newShop(t)

	t.Run("with a good card is captured", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		o := s.newOrder("tok_visa")
		require.True(t, s.pays(o))
		require.Equal(t, Captured, s.status(o))
		charged, _ := s.bank.ledger(o.id)
		require.Equal(t, 1, charged)
	})
	t.Run("with a bad card is declined", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		o := s.newOrder("tok_declined")
		require.False(t, s.pays(o))
		require.Equal(t, Declined, s.status(o))
	})
	t.Run("keeps no card once it is settled", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		for _, card := range []string{"tok_visa", "tok_declined"} {
			o := s.newOrder(card)
			s.pays(o)
			require.Zero(t, s.count(`select count(card_token) from payments where order_id = $1`, o.id))
		}
	})
}

func TestPayments(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	first := s.newOrder("tok_visa")
	s.pays(first)
	second := first
	second.id = uuid.Must(uuid.NewV7())
	s.place(second)
	s.pays(second)

	t.Run("are listed newest first, page by page", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		page := s.listed(first.accountID, "limit=1")
		require.Equal(t, second.id, page.Items[0].OrderID)
		require.NotNil(t, page.NextCursor)
		page = s.listed(first.accountID, "limit=1&cursor="+*page.NextCursor)
		require.Equal(t, first.id, page.Items[0].OrderID)
		require.Nil(t, page.NextCursor)
	})
	t.Run("are shown with what the customer may know", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		id := s.listed(first.accountID, "order_id="+first.id.String()).Items[0].ID
		res := s.ask("GET", "/v1/payments?order_id="+first.id.String(), first.accountID.String(), "")
		require.JSONEq(t, fmt.Sprintf(`{"next_cursor":null,"items":[
			{"id":%q,"order_id":%q,"status":"captured","amount":{"amount":2598,"currency":"USD"}}]}`, id, first.id), res.Body.String())
	})
	t.Run("are nobody else's business", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		require.Empty(t, s.listed(uuid.New(), "").Items)
		require.Empty(t, s.listed(uuid.New(), "order_id="+first.id.String()).Items)
		require.Equal(t, 401, s.ask("GET", "/v1/payments", "", "").Code)
	})
	for query, status := range map[string]int{"limit=0": 422, "limit=x": 400, "order_id=x": 400, "cursor=x": 400} {
		t.Run("with "+query+" are refused", func(t *testing.T) {
			t.Parallel()
			s := s.in(t)
			require.Equal(t, status, s.ask("GET", "/v1/payments?"+query, first.accountID.String(), "").Code)
		})
	}
}
