package money_test

import (
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"banyan/internal/money"
	"banyan/internal/testdb"
)

// Amounts are written to a bigint column and read from it as Money.
func TestColumn(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t, fstest.MapFS{"bootstrap.sql": {Data: []byte("select 1")}}).Superuser()
	_, err := pool.Exec(t.Context(), `create table prices (cents bigint)`)
	require.NoError(t, err)
	insert := func(price money.Money) error {
		_, err := pool.Exec(t.Context(), `insert into prices (cents) values ($1)`, price)
		return err
	}

	for _, price := range []money.Money{money.USD(1299), money.USD(0), money.USD(-5), money.USD(1 << 62)} {
		require.NoError(t, insert(price))
		var cents int64
		var read money.Money
		require.NoError(t, pool.QueryRow(t.Context(), `select cents, cents from prices where cents = $1`, price).Scan(&cents, &read))
		require.Equal(t, price.Amount, cents)
		require.Equal(t, price, read)
	}

	rows, err := pool.Query(t.Context(), `select cents as price from prices where cents between 0 and 10000 order by cents`)
	require.NoError(t, err)
	type priced struct{ Price money.Money }
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[priced])
	require.NoError(t, err)
	require.Equal(t, []priced{{money.USD(0)}, {money.USD(1299)}}, all)

	var sum money.Money
	require.NoError(t, pool.QueryRow(t.Context(), `select sum(cents)::bigint from prices where cents < 10000`).Scan(&sum))
	require.Equal(t, money.USD(1294), sum)

	require.ErrorContains(t, insert(money.Money{Amount: 5, Currency: "EUR"}), "EUR")
	require.ErrorContains(t, insert(money.Money{}), "US cents")
	require.ErrorContains(t, pool.QueryRow(t.Context(), `select null::bigint`).Scan(&sum), "null")
	require.Equal(t, money.USD(1294), sum, "what could not be read changes nothing")
}
