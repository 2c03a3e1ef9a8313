package mutants

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const failed = `=== RUN   TestOne
=== PAUSE TestOne
=== CONT  TestOne
    one_test.go:70: 
        	Error Trace:	/somewhere/one_test.go:70
        	Error:      	Not equal: 
        	            	expected: []string{"22: yes"}
        	            	actual  : []string{}
        	            	
        	            	Diff:
        	            	--- Expected
        	            	+++ Actual
        	Test:       	TestOne
        	Messages:   	who has cancelled gets the money back
    one_test.go:80: 
        	Error:      	another one
--- FAIL: TestOne (0.25s)
FAIL
`

func TestOutcome(t *testing.T) {
	t.Parallel()
	t.Run("of a failure is the first assertion that failed", func(t *testing.T) {
		t.Parallel()
		o, err := outcomeOf("TestOne", failed)
		require.NoError(t, err)
		require.Equal(t, Outcome{
			At:   "one_test.go:70",
			Says: "Not equal:\nexpected: []string{\"22: yes\"}\nactual  : []string{}\nwho has cancelled gets the money back",
		}, o)
	})
	t.Run("without an assertion is all that was printed", func(t *testing.T) {
		t.Parallel()
		o, err := outcomeOf("TestOne", "=== RUN   TestOne\n    one_test.go:7: no luck\n--- FAIL: TestOne (0.00s)\nFAIL\n")
		require.NoError(t, err)
		require.Equal(t, "one_test.go:7", o.At)
		require.Contains(t, o.Says, "no luck")
	})
	t.Run("may be good", func(t *testing.T) {
		t.Parallel()
		o, err := outcomeOf("TestOne", "=== RUN   TestOne\n--- PASS: TestOne (0.00s)\nPASS\n")
		require.NoError(t, err)
		require.Equal(t, Outcome{Passed: true}, o)
	})
	t.Run("is none if the test was not run, or did not come to its end", func(t *testing.T) {
		t.Parallel()
		for _, said := range []string{
			"testing: warning: no tests to run\nPASS\n",
			"=== RUN   TestOneMore\n--- PASS: TestOneMore (0.00s)\nPASS\n",
			"=== RUN   TestOne\n--- SKIP: TestOne (0.00s)\nPASS\n",
			"=== RUN   TestOne\npanic: test timed out after 5m0s\n",
			"=== RUN   TestOne\n--- FAIL: TestOne (0.00s)\npanic: nil map\n",
			"",
		} {
			_, err := outcomeOf("TestOne", said)
			require.ErrorContains(t, err, "come to no end", said)
		}
	})
}

func TestLadderReport(t *testing.T) {
	t.Parallel()
	r := &LadderReport{Mutants: []LadderMutantReport{
		{
			Name: "one", Mistake: "A mistake", Loses: "an order", Test: "TestOne", Caught: true,
			Naive:   Outcome{At: "one_test.go:70", Says: "expected:\n1\nactual: 0 " + strings.Repeat("x", 300), Took: 2 * time.Second},
			Correct: Outcome{Passed: true, Took: time.Second},
		},
		{Name: "two", Mistake: "Another one", Test: "TestTwo", Naive: Outcome{Passed: true}, Correct: Outcome{Passed: true}},
	}}
	require.Equal(t, []string{"two"}, r.Missed())
	var text strings.Builder
	require.NoError(t, r.Print(&text))
	require.Contains(t, text.String(), "| A mistake | an order | `TestOne` | passes after 1.0 s | fails after 2.0 s |")
	require.Contains(t, text.String(), "one is caught at one_test.go:70:\n  expected: 1 actual: 0 x")
	require.Contains(t, text.String(), "x …\n")
	require.Contains(t, text.String(), "two is NOT caught for the reason that is expected.\n  As it is the test passes after 0.0 s. ")
}

// A mistake counts as caught only if its test fails, and for the reason that is expected.
func TestRunLadder(t *testing.T) {
	t.Parallel()
	resurrects := Ladder[3]
	require.Equal(t, "backfill-resurrects", resurrects.Name)
	unmoved, otherwise := resurrects, resurrects
	unmoved.test, otherwise.says = "TestOneCopier", "something else"
	for want, m := range map[bool]LadderMutant{true: resurrects, false: unmoved} {
		r, err := RunLadder(t.Context(), LadderOptions{Mutants: []LadderMutant{m}, Dir: t.TempDir()})
		require.NoError(t, err)
		require.Equal(t, want, r.Mutants[0].Caught)
		require.True(t, r.Mutants[0].Correct.Passed)
		require.Equal(t, want, !r.Mutants[0].Naive.Passed)
	}
	r, err := RunLadder(t.Context(), LadderOptions{Mutants: []LadderMutant{otherwise}, Dir: t.TempDir()})
	require.NoError(t, err)
	require.Equal(t, []string{"backfill-resurrects"}, r.Missed(), "it fails for another reason")

	absent := resurrects
	absent.test = "TestNothing"
	_, err = RunLadder(t.Context(), LadderOptions{Mutants: []LadderMutant{absent}, Dir: t.TempDir()})
	require.ErrorContains(t, err, "TestNothing, as it is: the test has come to no end, or is not there")
}
