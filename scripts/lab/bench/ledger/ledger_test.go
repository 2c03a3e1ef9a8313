package ledger

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/up"
)

func TestWhatTheSwitchesDoNotExplainIsShown(t *testing.T) {
	variants := map[string][]Cost{
		"a":         {{100, 10}, {300, 30}, {200, 20}}, // the median is 200, 20
		"a, behind": {{260, 26}},
		"b":         {{900, 90}},
		"b, less":   {{500, 55}},
	}
	l, err := draw("one thing", "a", "b", variants, []difference{
		{"gateway", "behind it", less("a, behind", "a", 1)},
		{"events", "without", less("b", "b, less", 1)},
	})
	require.NoError(t, err)
	require.Equal(t, Cost{200, 20}, l.Start)
	require.Equal(t, Cost{60, 6}, l.Steps[0].Cost)
	require.Equal(t, Cost{400, 35}, l.Steps[1].Cost)
	require.Equal(t, Cost{240, 29}, l.Rest)
	for _, picture := range []interface{ SVG() ([]byte, error) }{l.CPU(), l.Latency()} {
		svg, err := picture.SVG()
		require.NoError(t, err, "the steps lead to the end")
		require.Contains(t, string(svg), "unexplained")
	}
	require.Contains(t, l.Markdown(), "| gateway | +0.06 | +0.01 | behind it |")
	require.Contains(t, l.Markdown(), "| **services** | 0.90 | 0.09 |")

	_, err = draw("one thing", "a", "c", variants, nil)
	require.ErrorContains(t, err, `"c" was not measured`)
}

// Somebody who changes one of these methods learns here that the ledger cuts it.
func TestEveryCutCanBeMade(t *testing.T) {
	root, err := up.Root()
	require.NoError(t, err)
	for _, p := range programs {
		for _, c := range p.cuts {
			source, err := os.ReadFile(filepath.Join(root, c.file))
			require.NoError(t, err)
			changed, err := apply(c.file, source, c)
			require.NoError(t, err)
			require.Contains(t, string(changed), cmp.Or(c.again, "return "+c.returns))
			require.Greater(t, len(changed), len(source))
		}
	}
	for program, cuts := range map[string][]cut{
		"./monolith": {processorCut, mailCut}, "./services/orders": {reserveCut, chargeCut, queueCut, moreEncoding, moreSigning, moreUsers},
		"./services/inventory": {moreDecoding, moreAdmission, tellCut},
	} {
		require.NoError(t, build(t.Context(), root, t.TempDir(), program, filepath.Join(t.TempDir(), "program"), cuts...))
	}
}

func TestACutThatNoLongerAppliesSaysSo(t *testing.T) {
	source := []byte("package p\n\ntype T struct{}\n\nfunc (t *T) Do() error { return t.really() }\n")
	changed, err := apply("p.go", source, cut{file: "p.go", method: "T.Do", returns: "nil"})
	require.NoError(t, err)
	require.Contains(t, string(changed), "func (t *T) Do() error {\n\tif cut := true; cut {\n\t\treturn nil\n\t} return t.really() }")

	changed, err = apply("p.go", source, cut{file: "p.go", method: "T.Do", again: "_ = t.Do()"})
	require.NoError(t, err)
	require.Contains(t, string(changed), "if !insideTDo {\n\t\tinsideTDo = true\n\t\tfor range 10 {\n\t\t\t_ = t.Do()\n\t\t}\n\t\tinsideTDo = false")
	require.Contains(t, string(changed), "var insideTDo bool")

	_, err = apply("p.go", source, cut{file: "p.go", method: "T.Gone", returns: "nil"})
	require.ErrorContains(t, err, "no method T.Gone any more")

	root, err := up.Root()
	require.NoError(t, err)
	wrong := reserveCut
	wrong.returns = "1, 2, 3"
	err = build(t.Context(), root, t.TempDir(), "./services/orders", filepath.Join(t.TempDir(), "orders"), wrong)
	require.ErrorContains(t, err, "does not build with what is cut out of it")
}

// LEDGER=1 really measures, shortly: it takes some minutes with the start of a lab.
func TestRunMeasures(t *testing.T) {
	if os.Getenv("LEDGER") == "" {
		t.Skip("it takes minutes: LEDGER=1 runs it")
	}
	report, err := Run(t.Context(), Options{Rounds: 1, Checkouts: 40, Pages: 200, Out: t.Output()})
	require.NoError(t, err)
	content, err := json.Marshal(report)
	require.NoError(t, err)
	t.Log(string(content))
	t.Log("\n" + report.Page.Markdown() + "\n" + report.Checkout.Markdown())
	for _, l := range []*Ledger{report.Page, report.Checkout} {
		require.Positive(t, l.Start.CPU)
		require.Greater(t, l.End.CPU, l.Start.CPU, "services cost more")
		if folder := os.Getenv("PICTURES"); folder != "" {
			svg, err := l.CPU().SVG()
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(folder, "ledger-"+l.Thing+".svg"), svg, 0o644))
		}
	}
}
