package shipping

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCancelling(t *testing.T) {
	t.Parallel()
	s := newShop(t)

	t.Run("keeps the parcel in the house", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		o := s.paid()
		require.NoError(t, s.cancels(o))
		require.Equal(t, Cancelled, s.shipment(o).Status)
	})
	t.Run("what has left is refused", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		o := s.paid()
		s.dispatches(o)
		require.True(t, s.shipped(s.cancels(o)))
		require.Equal(t, Dispatched, s.shipment(o).Status)
	})
}
