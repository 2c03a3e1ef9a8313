package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestProof holds "How we know" to what there is: it names every experiment, .ci/weekly runs each of them, and what
// the page says of .ci/run is what .ci/run does.
func TestProof(t *testing.T) {
	t.Parallel()
	page, run, weekly := read(t, "../README.md"), read(t, "../../.ci/run"), read(t, "../../.ci/weekly")+read(t, "../../.ci/parts.sh")
	tools := []string{
		"up", "down", "steps", "buy", "migrate", "prepare", "deadletters", "republish", "extract", "status", "pause", "resume", "switch",
		"rollback", "cancel", "finalize", "verifydata", "drift", "report",
	}
	for i := range reflect.TypeFor[commands]().NumField() {
		field := reflect.TypeFor[commands]().Field(i)
		command := strings.ToLower(field.Name)
		if _, is := field.Tag.Lookup("cmd"); !is || slices.Contains(tools, command) {
			continue
		}
		require.Contains(t, page, "`lab "+command, "the page names lab %s", command)
		require.Contains(t, weekly, "./scripts/lab "+command, "the weekly run has lab %s", command)
	}
	for row, inRun := range map[string]string{
		"300 checkouts":           "crash --checkouts 300",
		"4 seeds of 250 requests": "--seeds 4 --requests 250",
		"120 checkouts each":      "mutants --checkouts 120",
		"accounts and inventory":  "climb --quick",
	} {
		require.Contains(t, page, row)
		require.Contains(t, run, inRun)
	}
	require.Contains(t, page, "| 40 of 500 |")
	require.Contains(t, weekly, "--seeds 40 --requests 500")

	for _, link := range regexp.MustCompile(`\]\(([^)#]+)`).FindAllStringSubmatch(page, -1) {
		_, err := os.Stat(filepath.Join("..", link[1]))
		require.NoError(t, err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(content)
}
