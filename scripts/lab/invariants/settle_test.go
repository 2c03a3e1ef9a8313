package invariants

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/seed"
)

// asShop is the shop in the database of a connection. In a test there is no broker, and nothing is asked of it.
func asShop(t *testing.T, side string, conn *pgx.Conn) *Shop {
	t.Helper()
	// A shop without events connects to a database only; the tables are those of the side.
	shop, err := Open(t.Context(), Where{Side: Monolith, Database: conn.Config().ConnString()})
	require.NoError(t, err)
	t.Cleanup(shop.Close)
	shop.where.Side, shop.where.Step = side, last
	return shop
}

func TestSettle(t *testing.T) {
	t.Parallel()
	for _, side := range []string{Monolith, Services} {
		t.Run("the "+side, func(t *testing.T) {
			t.Parallel()
			conn, _ := wellKept(t, side)
			shop := asShop(t, side, conn)
			left, _, err := shop.Settle(t.Context(), 0)
			require.NoError(t, err)
			require.Empty(t, left, "a shop that was just seeded is at rest")

			change := func(statement string) {
				_, err := conn.Exec(t.Context(), (Where{Side: side, Step: last}).inSchemas(statement))
				require.NoError(t, err)
			}
			change(`update orders.orders set status = 'pending', cancel_reason = null where id = ` + declined)
			left, _, err = shop.Settle(t.Context(), 0)
			require.NoError(t, err)
			require.Equal(t, []string{"an order is pending"}, left)

			go func() {
				time.Sleep(50 * time.Millisecond)
				_, _ = conn.Exec(t.Context(), (Where{Side: side, Step: last}).inSchemas(`update orders.orders set status = 'paid' where status = 'pending'`))
			}()
			left, _, err = shop.Settle(t.Context(), 10*time.Second)
			require.NoError(t, err)
			require.Empty(t, left, "it waits")
		})
	}

	t.Run("services with an event in an outbox are not at rest", func(t *testing.T) {
		t.Parallel()
		conn, _ := wellKept(t, Services)
		_, err := conn.Exec(t.Context(), `insert into shipping.outbox (id, type, data, trace) values (gen_random_uuid(), 'a.b', '{}', '')`)
		require.NoError(t, err)
		left, _, err := asShop(t, Services, conn).Settle(t.Context(), 0)
		require.NoError(t, err)
		require.Equal(t, []string{"an event of shipping is not published"}, left)
	})
}

func TestContents(t *testing.T) {
	t.Parallel()
	var holds []Contents
	for _, side := range []string{Monolith, Services} {
		conn, _ := wellKept(t, side)
		c, err := asShop(t, side, conn).Contents(t.Context(), seed.Until)
		require.NoError(t, err)
		holds = append(holds, c)
		_, err = conn.Exec(t.Context(), (Where{Side: side, Step: last}).inSchemas(`update catalog.books set price = price + 1 where id = `+aBook))
		require.NoError(t, err)
		other, err := asShop(t, side, conn).Contents(t.Context(), seed.Until)
		require.NoError(t, err)
		require.NotEqual(t, c, other, "a cent on one book is another shop")
	}
	require.Equal(t, holds[0], holds[1], "both sides of the same seed hold the same")
	require.NotEmpty(t, holds[0].Books)
}

func TestPrint(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	require.NoError(t, Print(&out, []Verdict{
		{Rule: "water is wet", Checked: 7},
		{Rule: "the sky is blue", Checked: 9, Broken: 3, Offenders: []string{"Tuesday", "Friday"}},
	}))
	require.Regexp(t, `ok +water is wet +7 looked at`, out.String())
	require.Regexp(t, `BROKEN +the sky is blue +3 of 9\n +Tuesday\n +Friday\n +and 1 more`, out.String())
}
