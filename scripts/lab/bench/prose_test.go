package bench

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/up"
	"banyan/scripts/lab/workload"
)

// committed is the report that the pages in docs/benchmarks speak of.
const committed = "two-cores"

func written(t *testing.T, name string) string {
	t.Helper()
	root, err := up.Root()
	require.NoError(t, err)
	content, err := os.ReadFile(filepath.Join(root, "docs", "benchmarks", name))
	require.NoError(t, err)
	return string(content)
}

// committedReport is the last of the report's raw lines.
func committedReport(t *testing.T) *Report {
	t.Helper()
	packed := written(t, committed+"/raw.jsonl.gz")
	unpacked, err := gzip.NewReader(strings.NewReader(packed))
	require.NoError(t, err)
	lines := bufio.NewReader(unpacked)
	var last []byte
	for {
		line, err := lines.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			last = line
		}
		if err != nil {
			break
		}
	}
	whole := reportLine{Report: &Report{}}
	require.NoError(t, json.Unmarshal(last, &whole))
	require.Equal(t, "report", whole.Line)
	return whole.Report
}

// budgetsShown are the values and budgets in the report's table, by key: those of the limits are not in the raw lines of
// every report.
func budgetsShown(t *testing.T) map[string][2]float64 {
	t.Helper()
	shown := map[string][2]float64{}
	row := regexp.MustCompile(`(?m)^\| (\d+(?: [a-z0-9-]+)?) \| [^|]+ \| [^|]+ \| ([\d.]+)[^|]* \| (?:at least|at most|about) ([\d.]+)`)
	for _, found := range row.FindAllStringSubmatch(written(t, committed+"/report.md"), -1) {
		value, err := strconv.ParseFloat(found[2], 64)
		require.NoError(t, err)
		limit, err := strconv.ParseFloat(found[3], 64)
		require.NoError(t, err)
		shown[found[1]] = [2]float64{value, limit}
	}
	require.Greater(t, len(shown), 10)
	return shown
}

// part is a figure from which the report's limits were made.
func part(t *testing.T, name string) float64 {
	t.Helper()
	found := regexp.MustCompile(regexp.QuoteMeta(name) + `: ([\d.e+]+)`).FindStringSubmatch(written(t, committed+"/report.md"))
	require.NotNil(t, found, name)
	value, err := strconv.ParseFloat(found[1], 64)
	require.NoError(t, err)
	return value
}

// A figure in prose is one of the report that it speaks of. When another report takes its place, the sentences that this
// test misses have to be written again, and what they decide has to be decided again.
func TestProseHasTheReportsFigures(t *testing.T) {
	t.Parallel()
	report, budgets := committedReport(t), budgetsShown(t)
	cpu := func(side, mix string) float64 { return 1000 * report.result(side, mix).CPUTotal } // µs per request
	ratio := func(side, to, mix string) float64 { return report.find(side, to, mix).Throughput }
	said := func(format string, figures ...any) string { return fmt.Sprintf(format, figures...) }
	missed := func(format, key string) string { return said(format, budgets[key][0], budgets[key][1]) }

	// What a batching loader would save, by the estimate in tried.md.
	const saved = 20.0
	share := 0.0
	for _, page := range []workload.Interaction{workload.Home, workload.SearchRequest, workload.ProductDetail} {
		share += float64(workload.Mixes[0].Shares[page]) / 100
	}
	perRequest := saved * share / 100
	of := func(side string) float64 { return 100 * perRequest / cpu(side, "browsing") }

	// Best Sellers in the open loop of the ordering mix, at the lower rate.
	listed := func(side string) float64 {
		return report.openAt(side, "ordering", 0.5).Interactions[workload.BestSellers.String()].MeanMS
	}

	for file, sentences := range map[string][]string{
		"tried.md": {
			said("%.0f %% of the browsing mix are such reads", share),
			said("a request saves %.0f µs of its %.0f µs (monolith) or %.0f µs (services): %.0f %% and %.0f %%, where hard code has to buy 20 %%",
				perRequest, cpu(up.Monolith, "browsing"), cpu(up.Services, "browsing"), of(up.Monolith), of(up.Services)),
			said("has %.0f µs and %.0f µs", cpu(up.Monolith, "browsing"), cpu(up.Services, "browsing")),
			said("%.0f %% of the monolith's CPU is half of what the rule asks for", of(up.Monolith)),
			said("measure it on Product Detail (%.0f µs for the monolith)", cpu(up.Monolith, workload.ProductDetail.String())),
			said("1.4 µs of the %.0f that a request costs the gateway", part(t, "gateway, small, CPU µs/request")),
		},
		"workload.md": {
			said("took %.1f ms for the monolith and %.1f ms for the same process", listed(up.Monolith), listed(facade)),
		},
		committed + "/notes.md": {
			said("took the monolith %.1f ms on average and the façade %.1f ms", listed(up.Monolith), listed(facade)),
			said("one page in %.0f there is Best", math.Round(float64(workload.Whole)/float64(workload.Mixes[2].Shares[workload.BestSellers])/100)*100),
			missed("*2, one book beside a net/http + pgx probe: %.2f for %.2f.*", "2"),
			said("some %.0f µs of %.0f", part(t, "monolith, CPU µs/request")-part(t, "net/http and pgx, CPU µs/request"), part(t, "monolith, CPU µs/request")),
			said("%.0f %% of the monolith's CPU in the browsing mix", of(up.Monolith)),
			missed("*4, browsing: %.2f for %.2f.*", "4 browsing"),
			said("Rounds: %.2f to %.2f; each side at its own best number of browsers: %.2f.", report.RatioRanges["browsing"][0],
				report.RatioRanges["browsing"][1], report.find(up.Services, up.Monolith, "browsing").Best),
			said("reaches %.2f of itself", ratio(facade, up.Monolith, "browsing")),
			said("(budget 5: %.2f)", report.Budgets["5"].Value),
			said("request costs %.1f times as much", 1/report.CPURatios["browsing"]),
			said("1.4 µs of %.0f.", part(t, "gateway, small, CPU µs/request")),
			said("*6, gateway ÷ Caddy: %.2f for %.1f.*", budgets["6 caddy"][0], budgets["6 caddy"][1]),
			said("here it uses %.0f, and the gateway %.0f with tokens", part(t, "Caddy, small, CPU µs/request"), part(t, "gateway, small, CPU µs/request")),
			said("*11, the largest service: %.1f MiB for %.0f.*", budgets["11 service"][0], budgets["11 service"][1]),
			said("in the ordering mix a request costs %.1f times the CPU", 1/report.CPURatios["ordering"]),
		},
	} {
		text := written(t, file)
		for _, sentence := range sentences {
			require.Contains(t, text, sentence, file)
		}
	}
	require.Contains(t, written(t, committed+"/report.md"), strings.TrimSpace(written(t, committed+"/notes.md")), "the notes are a part of the report")
	for key, result := range report.Budgets {
		require.InDelta(t, result.Value, budgets[key][0], 0.005, "budget %s in the page and in the raw lines", key)
	}
	require.Less(t, of(up.Monolith), 20.0, "from here on the loader has to be built: it buys what the rule asks for")
}
