package money_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/internal/money"
)

func TestMoney(t *testing.T) {
	t.Parallel()
	require.Equal(t, money.USD(3897), money.USD(1299).Times(3))
	require.Equal(t, money.USD(1300), money.USD(1299).Plus(money.USD(1)))
	require.Equal(t, "USD 12.05", money.USD(1205).String())
	require.Equal(t, "USD -0.05", money.USD(-5).String())
	require.PanicsWithValue(t, "money: adding EUR to USD", func() {
		money.USD(1).Plus(money.Money{Amount: 1, Currency: "EUR"})
	})
}
