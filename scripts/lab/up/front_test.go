package up

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFronts(t *testing.T) {
	t.Parallel()
	lab := &State{MonolithURL: "http://127.0.0.1:18080", GatewayURL: "http://127.0.0.1:18090"}
	for at, serves := range map[string]bool{
		"http://127.0.0.1:18080":  true,
		"http://127.0.0.1:18090/": true,
		"http://localhost:18090":  true,
		"http://127.0.0.1:8090":   false,
		"http://127.0.0.1":        false,
		"18090":                   false,
	} {
		require.Equal(t, serves, lab.Serves(at), at)
	}

	for at, beside := range map[string][]string{
		"http://127.0.0.1:8080":       {"http://127.0.0.1:8100"},
		"http://localhost:8090/":      {"http://127.0.0.1:8100", "http://127.0.0.1:8110"},
		"http://shop.example:18080":   {"http://shop.example:18090", "http://shop.example:18100", "http://shop.example:18088"},
		"https://shop.example":        nil,
		"http://[::1]:8080/somewhere": {"http://[::1]:8100"},
	} {
		found, err := OutsideBeside(at)
		require.NoError(t, err)
		require.Equal(t, beside, found, at)
	}
	_, err := OutsideBeside("8090")
	require.ErrorContains(t, err, "has to look like")
}
