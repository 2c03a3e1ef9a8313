package history

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCards(t *testing.T) {
	t.Parallel()
	all := 0
	for _, card := range cards {
		all += card.share
	}
	require.Equal(t, 100, all)
}
