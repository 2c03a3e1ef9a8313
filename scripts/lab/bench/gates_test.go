package bench

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/up"
	"banyan/scripts/lab/workload"
	"banyan/scripts/lab/workload/fakeshop"
)

// aRun measures two fake shops in earnest, as far as that goes without a lab: the services' may be spoiled.
func aRun(t *testing.T, spoil http.HandlerFunc) *Report {
	t.Helper()
	beside := func(step int, name string, at *fakeshop.Shop) *side {
		return &side{step: step, name: name, home: name, url: at.URL, lab: &lab{}, people: signedIn(t, at, 1)}
	}
	o := Quick()
	o.Mixes, o.Length, o.Rounds, o.Browsers, o.Customers = []workload.Mix{workload.Mixes[2]}, 200*time.Millisecond, 2, 1, 1
	o.MostRounds, o.Within = 0, 0
	o.Open, o.OpenLength, o.OpenConnections = []float64{0.2}, 200*time.Millisecond, 1
	o.Sweep, o.SweepLength = []int{1}, 100*time.Millisecond
	require.NoError(t, o.Validate())
	r := &runner{options: o, began: time.Now(), sides: []*side{
		beside(0, up.Monolith, fakeshop.New(t, seeded(), nil)), beside(8, up.Services, fakeshop.New(t, seeded(), spoil)),
	}}
	report := newReport("small", o, r.sides)
	require.NoError(t, r.measureAll(t.Context(), report))
	report.judge()
	return report
}

func TestGates(t *testing.T) {
	// One after the other: they measure, and those beside them would be in the way.
	t.Run("let two good sides pass, and compare them", func(t *testing.T) {
		r := aRun(t, nil)
		for _, side := range r.sides() {
			got := r.Sides[side].Mixes["ordering"]
			require.Zero(t, got.Wrong+got.Errors, r.Reasons)
			require.Len(t, got.Rounds, 2)
			require.Len(t, got.Sweep, 1)
			require.Len(t, got.Open, 1)
			require.Positive(t, got.Open[0].P999)
			require.Positive(t, got.Received)
			require.Positive(t, got.Interactions["Buy Confirm"].P99)
		}
		require.Equal(t, r.Sides[up.Monolith].Mixes["ordering"].Open[0].Rate, r.Sides[up.Services].Mixes["ordering"].Open[0].Rate)
		if r.Valid { // else this machine was too busy, which the report says
			require.Positive(t, r.Ratios["ordering"])
			require.NotNil(t, r.find(up.Services, up.Monolith, "ordering").Latencies)
			require.Contains(t, r.Budgets, "4 ordering")
		}
	})

	bad := map[string]struct {
		spoil http.HandlerFunc
		says  string
	}{
		"answers with another book": {fakeshop.Only("GET /v1/books/", fakeshop.Body(`{"id":"0","title":"The Moon"}`)), "answered wrongly"},
		"answers with nothing":      {fakeshop.Only("GET /v1/books?", fakeshop.Body(`[]`)), "no JSON object"},
		"errs": {fakeshop.Only("GET /v1/accounts/me", func(w http.ResponseWriter, _ *http.Request) {
			fakeshop.Refuse(w, http.StatusInternalServerError, "internal")
		}), "failed"},
		"sheds load": {fakeshop.Only("POST /v1/orders", func(w http.ResponseWriter, _ *http.Request) {
			fakeshop.Refuse(w, http.StatusServiceUnavailable, "unavailable")
		}), "503 unavailable"},
	}
	for name, c := range bad {
		t.Run("stop a side that "+name, func(t *testing.T) {
			r := aRun(t, c.spoil)
			require.False(t, r.Valid)
			reasons := slices.DeleteFunc(r.Reasons, func(reason string) bool { return !strings.HasPrefix(reason, "services, ordering: ") })
			require.Contains(t, strings.Join(reasons, "\n"), c.says)
			require.Empty(t, r.Ratios)
			require.Empty(t, r.Comparisons)
			require.NotContains(t, r.Budgets, "4 ordering")
		})
	}
}
