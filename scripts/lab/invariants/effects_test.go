package invariants

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// talliedAfter spoils something, counts, and takes it back.
func talliedAfter(t *testing.T, conn *pgx.Conn, side, sql string, outside witness) Tally {
	t.Helper()
	tx, err := conn.Begin(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback(t.Context())) }()
	if sql != "" {
		_, err := conn.PgConn().Exec(t.Context(), `set local session_replication_role = replica;`+(Where{Side: side, Step: last}).inSchemas(sql)).ReadAll()
		require.NoError(t, err)
	}
	tally, err := tally(t.Context(), tx, Where{Side: side, Step: last}, outside, time.Time{}, time.Now())
	require.NoError(t, err)
	return tally
}

func TestEffects(t *testing.T) {
	t.Parallel()
	for _, side := range []string{Monolith, Services} {
		t.Run("of the "+side, func(t *testing.T) {
			t.Parallel()
			conn, outside := wellKept(t, side)
			count := func(sql string, with witness) (lost, doubled map[string]int64) {
				t.Helper()
				tally := talliedAfter(t, conn, side, sql, with)
				lost, doubled = map[string]int64{}, map[string]int64{}
				var anyLost, anyDoubled bool
				for _, e := range tally.Effects {
					if e.Lost > 0 {
						lost[e.Name], anyLost = e.Lost, true
					}
					if e.Doubled > 0 {
						doubled[e.Name], anyDoubled = e.Doubled, true
					}
				}
				require.Equal(t, anyLost, tally.Lost > 0)
				require.Equal(t, anyDoubled, tally.Doubled > 0)
				return lost, doubled
			}

			t.Run("are all there, once, when it is well kept", func(t *testing.T) {
				tally := talliedAfter(t, conn, side, "", outside)
				require.NotZero(t, tally.Orders)
				require.Zero(t, tally.Lost+tally.Doubled, "%v", tally.Effects)
				for _, e := range tally.Effects {
					require.NotZero(t, e.Due, e.Name)
				}
			})
			t.Run("are missed", func(t *testing.T) {
				lost, doubled := count(`delete from shipping.shipments where order_id = `+paid, outside)
				require.Equal(t, map[string]int64{"shipment": 1}, lost)
				require.Empty(t, doubled)
				lost, _ = count("", witness{outside.ledger[1:], outside.mails[2:]})
				require.EqualValues(t, 1, lost["receipt"])
				require.Len(t, lost, 2)
			})
			t.Run("are counted twice", func(t *testing.T) {
				lost, doubled := count("", witness{append(outside.ledger[:len(outside.ledger):len(outside.ledger)],
					outside.ledger[0], Entry{Effect: "charge", Reference: uuid.NewString(), Amount: 100, Currency: "USD"}), outside.mails})
				require.Empty(t, lost)
				require.EqualValues(t, 1, doubled["charge for no order"])
				require.Len(t, doubled, 2)
				again := Mail{"again", outside.mails[0].Subject, outside.mails[0].Body}
				_, doubled = count("", witness{outside.ledger, append(outside.mails[:len(outside.mails):len(outside.mails)], again)})
				require.Equal(t, map[string]int64{"receipt": 1}, doubled)
			})
			t.Run("are nobody's out of time", func(t *testing.T) {
				tx, err := conn.Begin(t.Context())
				require.NoError(t, err)
				defer func() { require.NoError(t, tx.Rollback(t.Context())) }()
				tally, err := tally(t.Context(), tx, Where{Side: side, Step: last}, outside, time.Now(), time.Now())
				require.NoError(t, err)
				require.Zero(t, tally.Orders)
			})
			if side == Services {
				t.Run("are missed between services", func(t *testing.T) {
					lost, _ := count(`update inventory.reservations set status = 'reserved' where order_id = `+paid, outside)
					require.Equal(t, map[string]int64{"end of the reservation": 1}, lost)
					lost, _ = count(`delete from catalog.recent_orders where order_id = `+paid, outside)
					require.Equal(t, map[string]int64{"recent sale": 1}, lost)
				})
			}
		})
	}
}
