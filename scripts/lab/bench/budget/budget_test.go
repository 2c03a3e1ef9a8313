package budget

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryLineOfTheTableIsComplete(t *testing.T) {
	seen := map[string]bool{}
	row := 1
	for _, line := range Table {
		require.NotEmpty(t, line.What, line.Key())
		require.False(t, seen[line.Key()], "%s stands there twice", line.Key())
		seen[line.Key()] = true
		require.Contains(t, []int{row, row + 1}, line.Row, "rows stand in order, and none is left out")
		row = line.Row
		require.True(t, *line.Judge(line.Budget).Met, "%s: exactly the budget is enough", line.Key())
		if line.Stretch != nil {
			require.True(t, *line.Judge(*line.Stretch).Met, "%s: the stretch is better than the budget", line.Key())
			require.False(t, *line.Judge(line.Budget).StretchMet, "%s: the budget is less than the stretch", line.Key())
		}
	}
	require.Equal(t, 14, row)
}

func TestAValueIsHeldAgainstItsRule(t *testing.T) {
	for _, test := range []struct {
		key          string
		value        float64
		met, stretch bool
	}{
		{"1", 0.399, false, false},
		{"1", 0.5, true, false},
		{"1", 0.66, true, true},
		{"6 cpu", 4.6, false, false},
		{"6 cpu", 3.0, true, false},
		{"6 cpu", 2.8, true, true},
		{"5", 0.89, false, false},
		{"5", 1.09, true, false},
		{"5", 1.11, false, false},
		{"8", 2, true, false},
		{"8", 3, false, false},
		{"14 lost", 0, true, false},
		{"14 lost", 1, false, false},
	} {
		results := Results{}
		require.NoError(t, results.Add(test.key, test.value))
		got := results[test.key]
		require.Equal(t, test.met, *got.Met, "%s: %v", test.key, test.value)
		require.Equal(t, test.stretch, got.StretchMet != nil && *got.StretchMet, "%s: %v", test.key, test.value)
	}
}

func TestAValueThatIsNotKnownExactly(t *testing.T) {
	for name, test := range map[string]struct {
		key              string
		value, low, high float64
		verdict          string
	}{
		"is met when all of its range is":                {"4 browsing", 0.50, 0.45, 0.55, "met"},
		"is missed when none of its range meets it":      {"4 browsing", 0.35, 0.32, 0.39, "MISSED"},
		"is open when the budget lies in its range":      {"4 browsing", 0.41, 0.39, 0.43, "too close to call"},
		"is open also when the value itself is below":    {"4 browsing", 0.39, 0.37, 0.41, "too close to call"},
		"reaches the stretch with all of its range":      {"4 browsing", 0.70, 0.65, 0.75, "met, stretch too"},
		"is met, no more, with the stretch in its range": {"4 browsing", 0.60, 0.57, 0.63, "met"},
		"may be about right with all of its range":       {"5", 1.02, 0.95, 1.08, "met"},
		"may be about right with a part of it":           {"5", 1.02, 0.95, 1.18, "too close to call"},
	} {
		t.Run(name, func(t *testing.T) {
			results := Results{}
			require.NoError(t, results.AddBetween(test.key, test.value, test.low, test.high))
			require.Equal(t, test.verdict, results[test.key].Verdict())
			require.Equal(t, test.verdict == "MISSED", len(results.Missed()) == 1)
		})
	}
	results := Results{}
	require.NoError(t, results.AddUnjudged("4 browsing", 0.9))
	require.Equal(t, "too few rounds to call", results["4 browsing"].Verdict())
	require.ErrorContains(t, results.AddBetween("4 browsing", 1, 1, math.Inf(1)), "no measurement")
}

func TestWhatWasNotMeasuredIsNotJudged(t *testing.T) {
	results := Results{}
	require.ErrorContains(t, results.Add("4", 1), `no budget "4"`)
	require.ErrorContains(t, results.Add("15", 1), "the last row is 14")
	require.ErrorContains(t, results.Add("1", math.NaN()), "no measurement")
	require.ErrorContains(t, results.Add("7", math.Inf(1)), "no measurement")
	require.Empty(t, results)
}

func TestResultsAsJSON(t *testing.T) {
	results := Results{}
	require.NoError(t, results.Add("1", 0.62))
	require.NoError(t, results.Add("4 ordering", 0.25))
	got, err := json.Marshal(results)
	require.NoError(t, err)
	require.JSONEq(t, `{
		"1": {"value": 0.62, "budget": 0.4, "stretch": 0.65, "rule": "at least", "met": true, "stretch_met": false},
		"4 ordering": {"value": 0.25, "budget": 0.28, "stretch": 0.4, "rule": "at least", "met": false, "stretch_met": false}
	}`, string(got))
}

func TestLinesStandInTheTablesOrder(t *testing.T) {
	results := Results{}
	for _, key := range []string{"10", "4 shopping", "2", "4 browsing"} {
		require.NoError(t, results.Add(key, 0.39))
	}
	require.Equal(t, []string{"2", "4 browsing", "4 shopping", "10"}, keys(results.Lines()))
	require.Equal(t, []string{"2", "4 browsing", "10"}, keys(results.Missed()))
}

func keys(lines []Line) []string {
	var found []string
	for _, line := range lines {
		found = append(found, line.Key())
	}
	return found
}
