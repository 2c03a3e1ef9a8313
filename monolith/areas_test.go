package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAreaOf holds the trunk to the subjects that are documented: after a rollback it publishes what a service has left.
func TestAreaOf(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "docs", "api", "events.yaml"))
	require.NoError(t, err)
	found := regexp.MustCompile(`events\.([a-z]+)\.([a-z]+\.[a-z]+)`).FindAllStringSubmatch(string(page), -1)
	seen := map[string]bool{}
	for _, subject := range found {
		seen[subject[2]] = true
		require.Equal(t, subject[1], areaOf(subject[2]), subject[0])
	}
	for _, about := range []string{"account", "book", "order", "payment", "shipment", "stock"} {
		require.True(t, func() bool {
			for event := range seen {
				if strings.HasPrefix(event, about+".") {
					return true
				}
			}
			return false
		}(), about)
	}
}
