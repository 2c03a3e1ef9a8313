package bench

import (
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/up"
)

func TestDrainOfAMonolith(t *testing.T) {
	t.Parallel()
	f, err := openFlow(t.Context(), &up.State{})
	require.NoError(t, err)
	require.NoError(t, f.drain(t.Context()), "it has no events")
	f.close()
}
