package docs_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/climb"
)

// costs are the columns of the report over the steps that a step's page has.
var costs = []string{
	"step", "browsing ÷ 0", "shopping ÷ 0", "ordering ÷ 0", "processes", "SQL/checkout", "hops/checkout", "MiB at idle", "start-up s",
	"Go lines", "SQL lines",
}

// TestCosts compares what the pages of the steps say of their costs with the report, or writes it there.
func TestCosts(t *testing.T) {
	rows := reportedCosts(t)
	paths, err := filepath.Glob("steps/[0-9]*.md")
	require.NoError(t, err)
	require.Len(t, paths, len(rows))
	const begin, end = "<!-- cost, from the report of the benchmark: UPDATE_GOLDEN=1 go test ./docs -->\n", "<!-- end -->"
	for step, path := range paths {
		table := row(costs) + "|" + strings.Repeat("---|", len(costs)) + "\n"
		for _, r := range rows[max(step-1, 0) : step+1] {
			table += row(r)
		}
		page, err := os.ReadFile(path)
		require.NoError(t, err)
		before, rest, found := strings.Cut(string(page), begin)
		require.True(t, found, path)
		is, after, found := strings.Cut(rest, end)
		require.True(t, found, path)
		if os.Getenv("UPDATE_GOLDEN") != "" {
			is = table
			require.NoError(t, os.WriteFile(path, []byte(before+begin+is+end+after), 0o644))
		}
		require.Equal(t, table, is, path)
	}
}

// reportedCosts are those columns of the report, a row a step.
func reportedCosts(t *testing.T) (rows [][]string) {
	t.Helper()
	report, err := os.ReadFile("benchmarks/ladder/report.md")
	require.NoError(t, err)
	_, curve, found := strings.Cut(string(report), "## The curve")
	require.True(t, found)
	var names []string
	for line := range strings.Lines(curve) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case len(cells) < len(costs):
			if len(rows) > 0 {
				return rows
			}
		case names == nil:
			names = cells
			for i, name := range names { // each ratio stands beside its mix
				if strings.HasPrefix(name, "÷") {
					mix, _, _ := strings.Cut(names[i-1], "/")
					names[i] = mix + " ÷ 0"
				}
			}
		case !strings.HasPrefix(cells[0], "-"):
			var r []string
			for _, name := range costs {
				at := slices.Index(names, name)
				require.GreaterOrEqual(t, at, 0, name)
				r = append(r, cells[at])
			}
			rows = append(rows, r)
		}
	}
	return rows
}

// TestClimb compares what extraction.md says of a climb with the climb's report, or writes it there. A climb in which
// anything failed is not shown.
func TestClimb(t *testing.T) {
	content, err := os.ReadFile("climb.json")
	require.NoError(t, err)
	var report climb.Report
	require.NoError(t, json.Unmarshal(content, &report))
	require.NoError(t, report.Err())
	var table bytes.Buffer
	require.NoError(t, report.Print(&table))
	is, passed := strings.CutSuffix(table.String(), "passed\n")
	require.True(t, passed)
	want := fmt.Sprintf("%s\nThe climb of %s, with seed %d.\n", is, report.At.Format("2006-01-02"), report.Seed)

	const path, begin, end = "extraction.md", "<!-- climb: written from docs/climb.json -->\n", "<!-- end -->"
	page, err := os.ReadFile(path)
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(page), begin)
	require.True(t, found)
	is, after, found := strings.Cut(rest, end)
	require.True(t, found)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		is = want
		require.NoError(t, os.WriteFile(path, []byte(before+begin+is+end+after), 0o644))
	}
	require.Equal(t, want, is)
}

func row(cells []string) string { return "| " + strings.Join(cells, " | ") + " |\n" }

// quote is a fenced block whose info string names the file that it is from.
var quote = regexp.MustCompile("(?ms)^```(?:sql|go) (\\S+)\n(.*?)^```$")

// TestQuotes looks for each quoted block in its file.
func TestQuotes(t *testing.T) {
	t.Parallel()
	found := 0
	for path, text := range pages(t) {
		for _, match := range quote.FindAllStringSubmatch(text, -1) {
			found++
			source, err := os.ReadFile(filepath.Join("..", match[1]))
			require.NoError(t, err, path)
			require.Contains(t, string(source), match[2], "%s quotes %s", path, match[1])
		}
	}
	require.Positive(t, found)
}

// link is a relative link of Markdown, without what follows #.
var link = regexp.MustCompile(`\]\(([^)#:\s]+)(?:#[^)]*)?\)`)

// TestLinks looks for the file of each relative link.
func TestLinks(t *testing.T) {
	t.Parallel()
	found := 0
	for path, text := range pages(t) {
		for _, match := range link.FindAllStringSubmatch(text, -1) {
			found++
			_, err := os.Stat(filepath.Join(filepath.Dir(path), match[1]))
			require.NoError(t, err, "%s links to %s", path, match[1])
		}
	}
	require.Positive(t, found)
}

// pages are the texts of all pages in docs, and of the two that lead there.
func pages(t *testing.T) map[string]string {
	t.Helper()
	paths := []string{"../README.md", "../scripts/README.md"}
	require.NoError(t, filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".md" {
			paths = append(paths, path)
		}
		return err
	}))
	texts := map[string]string{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		texts[path] = string(text)
	}
	return texts
}
