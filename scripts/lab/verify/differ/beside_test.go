package differ

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBeside(t *testing.T) {
	t.Parallel()
	a := strings.Split("monolith|200|{|id "+idA+"|b|c|d|e|f|price 5|}", "|")
	b := strings.Split("services|200|{|id "+idB+"|b|c|d|e|f|price 6|}", "|")
	var out strings.Builder
	beside(&out, strings.Join(a, "\n"), strings.Join(b, "\n"))
	require.Contains(t, out.String(), "… 4 equal lines", "an id is each side's own")
	require.Regexp(t, `(?m)^ +price 5 +\| price 6$`, out.String())
	require.Regexp(t, `(?m)^ +monolith +services$`, out.String())
	require.NotContains(t, out.String(), idA)

	t.Run("a line that one side lacks does not shift the rest", func(t *testing.T) {
		t.Parallel()
		var out strings.Builder
		beside(&out, "monolith\n200\nprice 5,\nmissing\nthe end", "services\n200\nprice 5\nthe end")
		require.Equal(t, 1, strings.Count(out.String(), "|"))
		require.Regexp(t, `(?m)^ +missing +\|$`, out.String())
	})
}
