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

// TestRunMeasures starts a lab and really measures, shortly; ROWS=6,7 chooses other rows.
func TestRunMeasures(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes half a minute")
	}
	options := Options{Rounds: 1, Length: 300 * time.Millisecond, Only: []int{2, 8}, Out: t.Output()}
	if rows := os.Getenv("ROWS"); rows != "" {
		options.Only = nil
		for _, row := range strings.Split(rows, ",") {
			n, err := strconv.Atoi(row)
			require.NoError(t, err)
			options.Only = append(options.Only, n)
		}
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
