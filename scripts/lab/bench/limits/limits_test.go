package limits

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestRunMeasures starts a lab and really measures, shortly, the rows that it is given: ROWS=2,8.
func TestRunMeasures(t *testing.T) {
	rows := os.Getenv("ROWS")
	if rows == "" {
		t.Skip("it takes half a minute of a quiet machine: ROWS=2,8 runs it")
	}
	options := Options{Rounds: 1, Length: 300 * time.Millisecond, Out: t.Output()}
	for _, row := range strings.Split(rows, ",") {
		n, err := strconv.Atoi(row)
		require.NoError(t, err)
		options.Only = append(options.Only, n)
	}
	report, err := Run(t.Context(), options)
	require.NoError(t, err)
	content, err := json.MarshalIndent(report, "", " ")
	require.NoError(t, err)
	t.Log(string(content))
	require.Empty(t, report.Skipped)
	results, err := report.Budgets()
	require.NoError(t, err)
	require.NotEmpty(t, results)
	for key, result := range results {
		require.Positive(t, result.Value, key)
	}
}
