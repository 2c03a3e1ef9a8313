package ladder

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Verify names every kind of damage, in every area and in both directions, and a repair
// undoes it.
func TestPlantedIsFound(t *testing.T) {
	t.Parallel()
	for _, area := range Areas {
		t.Run(area.Name, func(t *testing.T) {
			t.Parallel()
			c, _, _ := cutOverAt(t, area.Name)
			found(t, c, area.wayBack())
			require.NoError(t, c.Rollback(t.Context(), time.Minute))
			require.NoError(t, c.Backfill(t.Context(), 2, func(Progress) error { return nil }))
			_, err := c.CatchUp(t.Context())
			require.NoError(t, err)
			found(t, c, area.wayForth())
		})
	}
}

func found(t *testing.T, c *Copier, w way) {
	t.Helper()
	var planted []Drift
	for _, kind := range Kinds {
		d, err := c.Plant(t.Context(), kind)
		require.NoError(t, err)
		require.Equal(t, w.target(w.plant.to), d.Table)
		planted = append(planted, d)
	}
	require.Equal(t, []string{different, missing, different}, []string{planted[0].Kind, planted[1].Kind, planted[2].Kind})
	report, err := c.Verify(t.Context(), 0)
	require.NoError(t, err)
	require.EqualValues(t, 3, report.Drifted, report.String())
	require.ElementsMatch(t, planted, report.Samples)
	for _, sum := range report.Checksums {
		require.Equal(t, sum.Table != planted[0].Table, sum.Owner.Hash == sum.Other.Hash, sum.Table)
	}
	one, err := c.Verify(t.Context(), 1)
	require.NoError(t, err)
	require.EqualValues(t, 3, one.Drifted)
	require.Len(t, one.Samples, 1)
	require.NoError(t, c.Repair(t.Context(), report.Samples))
	report, err = c.Verify(t.Context(), 0)
	require.NoError(t, err)
	require.Zero(t, report.Drifted, report.String())
	_, err = c.Plant(t.Context(), "rot")
	require.ErrorContains(t, err, "lost update")
}

// A changed row of a settled table is named, too, and repaired.
func TestSettledDriftIsFound(t *testing.T) {
	t.Parallel()
	c, conn, _ := cutOverAt(t, "inventory")
	run(t, conn, shopSQL(`update monolith.deliveries set quantity = 7 where id = #101`))
	report, err := c.Verify(t.Context(), 0)
	require.NoError(t, err)
	require.Len(t, report.Samples, 1)
	require.Equal(t, "monolith.deliveries 01900000-0000-7000-8000-000000000101 is different", report.Samples[0].String())
	require.NoError(t, c.Repair(t.Context(), report.Samples))
	report, err = c.Verify(t.Context(), 0)
	require.NoError(t, err)
	require.Zero(t, report.Drifted)

	// A delivery of a book that inventory has only just heard of is no reason to fail.
	run(t, conn, shopSQL(`
		insert into inventory.stock values (#6, 1);
		insert into inventory.deliveries values (#106, #6, 1, now())`))
	_, err = c.Verify(t.Context(), 0)
	require.NoError(t, err)
	require.Equal(t, []string{"1"}, ask(t, conn, shopSQL(`select count(*)::text from monolith.deliveries where id = #106`)))
}

// What is not copied yet is no drift.
func TestVerifyComesAfterTheBackfill(t *testing.T) {
	t.Parallel()
	c, err := Open(t.Context(), openShop(t), "notifications")
	require.NoError(t, err)
	defer c.Close(t.Context())
	_, err = c.Verify(t.Context(), 0)
	require.ErrorContains(t, err, "has not begun")
	require.NoError(t, c.Note(t.Context()))
	_, err = c.Verify(t.Context(), 0)
	require.ErrorContains(t, err, "run its backfill")
}

// An empty JSON object has the hash 0 in PostgreSQL, as a null. They are told apart.
func TestNullAndEmptyAreNotEqual(t *testing.T) {
	t.Parallel()
	c, conn, _ := cutOverAt(t, "shipping")
	run(t, conn, shopSQL(`
		alter table monolith.shipments alter column address drop not null, disable trigger all;
		update monolith.shipments set address = null where order_id = #24`))
	report, err := c.Verify(t.Context(), 0)
	require.NoError(t, err)
	require.EqualValues(t, 1, report.Drifted)
	require.Equal(t, different, report.Samples[0].Kind)
}
