package climb

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/move"
)

// TestBoundaries holds the killer to what the tool says: a line that is never said would never kill anybody.
func TestBoundaries(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("..", "move", "*.go"))
	require.NoError(t, err)
	var source strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		source.Write(text)
	}
	for command, lines := range boundaries {
		for _, line := range lines {
			require.Contains(t, source.String(), `"`+line, "%s says it", command)
		}
	}
	require.Subset(t, commands, []string{"extract", "rollback", "switch"}, "each has its boundaries")
}

func TestDraw(t *testing.T) {
	t.Parallel()
	draw := func(seed uint64) (all []kill) {
		c := &climb{random: rand.New(rand.NewPCG(seed, 0))}
		for range 200 {
			all = append(all, *c.draw("switch", "orders"))
		}
		return all
	}
	require.Equal(t, draw(1), draw(1), "a seed repeats who is killed")
	require.NotEqual(t, draw(1), draw(2))
	victims := map[string]bool{}
	for _, k := range draw(1) {
		victims[k.victim] = true
		require.Contains(t, boundaries["switch"], k.line)
		require.Less(t, k.after.Milliseconds(), int64(300))
	}
	require.Equal(t, map[string]bool{"tool": true, "trunk": true, "orders": true, "gateway": true, "nats": true}, victims)
}

func TestErr(t *testing.T) {
	t.Parallel()
	require.NoError(t, (&Report{}).Err())
	for want, r := range map[string]Report{
		"not as it should be":     {Judged: "an invariant"},
		"did not work after":      {Lost: []string{"a session"}},
		"3 answers were wrong":    {Customers: Customers{Wrong: 3}},
		"2 requests failed":       {Customers: Customers{Errors: 2}},
		"1 answers were wrong":    {Kill: true, Customers: Customers{Wrong: 1, Errors: 5}},
		"did not work after a ha": {Kill: true, Lost: []string{"a cart"}},
	} {
		require.ErrorContains(t, r.Err(), want)
	}
	require.NoError(t, (&Report{Kill: true, Customers: Customers{Errors: 5}}).Err(), "who kills a gateway may turn customers away")
}

func TestPrint(t *testing.T) {
	t.Parallel()
	var page strings.Builder
	r := Report{
		Seconds: 10, Rate: 60, Step: 3, Customers: Customers{Requests: 600, Errors: 4, P50: 1.25, P99: 20, Longest: 110}, Kill: true,
		Moves: []*move.Record{{Area: "accounts", Stages: []move.Stage{
			{Name: "backfill", Seconds: 3, Rested: 1, Rows: 4000, Memory: 18, Customers: move.Customers{P50: 1, P99: 9}},
			{Name: "verify", Seconds: 100},
		}, Handovers: []move.Handover{{Pause: .1}, {Back: true, Pause: .2}}}},
		Troubles: []Trouble{
			{Command: "switch accounts", Killed: []string{"gateway, 0s after \"holding\""}, Failed: 4, Away: .9, Reasons: []string{"4 times no answer"}},
			{Command: "rollback accounts", Killed: []string{"tool, 7ms after \"let go\""}},
		},
	}
	require.NoError(t, r.Print(&page))
	for _, want := range []string{
		"| accounts | out |", "| accounts | back |", "| accounts | 4000 | 3.0 s | 1.0 s | 2000 | 1.0 ms | 9.0 ms | 18 MiB |",
		"2 handovers in 10 s", "600 requests, 4 failed, 0 answered wrongly", "4 requests failed within 0.9 s: 4 times no answer",
		"tool, 7ms after \"let go\"; no request failed", "passed",
	} {
		require.Contains(t, page.String(), want)
	}
}
