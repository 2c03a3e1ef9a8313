package rolling

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDeadlocks(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "postgres.log")
	none, err := deadlocks(log)
	require.NoError(t, err, "a server elsewhere")
	require.Empty(t, none)

	require.NoError(t, os.WriteFile(log, []byte(`2026-11-28 [7] LOG:  checkpoint starting: time
2026-11-28 [8] ERROR:  deadlock detected
2026-11-28 [8] DETAIL:  Process 8 waits for ShareLock on transaction 12; blocked by process 9.
	Process 8: insert into availability
2026-11-28 [8] STATEMENT:  insert into availability
2026-11-28 [9] ERROR:  duplicate key value violates unique constraint "inbox_pkey"
2026-11-28 [9] DETAIL:  Key exists.
`), 0o600))
	lines, err := deadlocks(log)
	require.NoError(t, err)
	require.Len(t, lines, 4)
	require.Contains(t, lines[0], "deadlock detected")
	require.Contains(t, lines[3], "STATEMENT")
	require.ErrorContains(t, (&Report{Deadlocks: lines}).Err(), "deadlock detected")
}
