package up

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"banyan/migrations"
)

// TestLadderPage holds the tables of docs/ladder.md to what the lab does. UPDATE_GOLDEN=1 writes them anew.
func TestLadderPage(t *testing.T) {
	t.Parallel()
	file := filepath.Join("..", "..", "..", "docs", "ladder.md")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	page := string(text)
	for name, table := range map[string]string{
		"steps":       stepsTable(),
		"processes":   processesTable(),
		"environment": environmentTable(),
		"events":      eventsTable(t),
		"keys":        keysTable(t),
	} {
		begin, end := "<!-- "+name+": written by TestLadderPage -->\n", "<!-- end -->"
		before, rest, found := strings.Cut(page, begin)
		require.True(t, found, "the page has a place for %s", name)
		old, after, found := strings.Cut(rest, end)
		require.True(t, found, "the place for %s ends", name)
		if os.Getenv("UPDATE_GOLDEN") == "" {
			require.Equal(t, table, old, name)
		}
		page = before + begin + table + end + after
	}
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(file, []byte(page), 0o644))
	}
}

// markdown is a table: a line with the heads, and the rows.
func markdown(heads []string, rows [][]string) string {
	var b strings.Builder
	line := func(cells []string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	line(heads)
	b.WriteString(strings.Repeat("|---", len(heads)) + "|\n")
	for _, row := range rows {
		line(row)
	}
	return b.String()
}

// code sets names in the type of code.
func code(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return "`" + strings.Join(names, "`, `") + "`"
}

func stepsTable() string {
	var rows [][]string
	for _, step := range Ladder {
		name := step.Area
		switch step.Number {
		case 0:
			name = "monolith"
		case stepGateway:
			name = "facade"
		}
		chapter := fmt.Sprintf("[%d](steps/%02d-%s.md)", step.Number, step.Number, name)
		rows = append(rows, []string{chapter, step.Leaves(), step.Teaches, step.Moves, step.Derives})
	}
	return markdown([]string{"step", "what leaves the trunk", "pattern", "moves as it is", "is derived"}, rows)
}

func processesTable() string {
	var rows [][]string
	for _, step := range Ladder {
		connections := ""
		if step.Home("orders") == Trunk {
			connections = fmt.Sprint(step.Connections(Trunk))
		}
		rows = append(rows, []string{fmt.Sprint(step.Number), list(step.Processes()), code(step.Durables()), connections})
	}
	return markdown([]string{"step", "processes", "durables", "trunk's `POOL_SIZE`"}, rows)
}

func environmentTable() string {
	var rows [][]string
	var before []string
	for _, step := range Ladder[:LastStep] {
		now := step.TrunkVariables()
		without := func(all, others []string) []string {
			return slices.DeleteFunc(slices.Clone(all), func(name string) bool { return slices.Contains(others, name) })
		}
		rows = append(rows, []string{
			fmt.Sprint(step.Number), code(without(now, before)), code(without(before, now)), strings.Join(step.Extracted(), ","),
		})
		before = now
	}
	return markdown([]string{"step", "comes", "goes", "`EXTRACTED`"}, rows)
}

// during are the steps from one to another, in few characters.
func during(from, to int) string {
	switch to {
	case from:
		return fmt.Sprintf(" (%d)", from)
	case LastStep:
		return fmt.Sprintf(" (from %d)", from)
	}
	return fmt.Sprintf(" (%d to %d)", from, to)
}

func eventsTable(t *testing.T) string {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "api", "events.yaml"))
	require.NoError(t, err)
	var doc struct {
		Operations map[string]struct {
			From int `yaml:"x-from"`
			To   int `yaml:"x-to"`
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &doc))
	type told struct{ senders, receivers []string }
	all := map[string]told{}
	var types []string
	party := func(operation, process string) string {
		if process == Monolith {
			return Trunk + during(doc.Operations[operation].From, doc.Operations[operation].To)
		}
		for _, step := range Ladder {
			if step.Area == process {
				return process + during(step.Number, LastStep)
			}
		}
		require.Fail(t, "it never leaves the monolith", process)
		return ""
	}
	add := func(operation string) {
		parts := strings.SplitN(operation, ".", 3)
		process, does, typ := parts[0], parts[1], parts[2]
		event := all[typ]
		if does == "sends" {
			event.senders = append(event.senders, party(operation, process))
		} else {
			event.receivers = append(event.receivers, party(operation, process))
		}
		if !slices.Contains(types, typ) {
			types = append(types, typ)
		}
		all[typ] = event
	}
	processes := []string{Monolith} // the trunk first: it was before its service
	for _, step := range Ladder {
		processes = append(processes, step.Area)
	}
	for _, process := range processes {
		var operations []string
		for operation := range doc.Operations {
			if strings.HasPrefix(operation, process+".") {
				operations = append(operations, operation)
			}
		}
		slices.Sort(operations)
		for _, operation := range operations {
			add(operation)
		}
	}
	slices.Sort(types)
	var rows [][]string
	for _, typ := range types {
		heard := list(all[typ].receivers)
		if heard == "" {
			heard = "nobody"
		}
		rows = append(rows, []string{code([]string{typ}), list(all[typ].senders), heard})
	}
	return markdown([]string{"event", "told by", "heard by"}, rows)
}

var (
	alteredTable  = regexp.MustCompile(`(?s)alter table monolith\.\w+.*?;`)
	foreignKey    = regexp.MustCompile(`drop constraint if exists (\w+)_fkey`)
	foreignColumn = regexp.MustCompile(`^(\w+?)_((?:account|order|book)_id)$`)
)

// keysTable is read from the SQL of the handovers.
func keysTable(t *testing.T) string {
	var rows [][]string
	parents := map[string]string{"account_id": "accounts", "order_id": "orders", "book_id": "books"}
	for _, step := range Ladder {
		if step.Area == "" {
			continue
		}
		text, err := fs.ReadFile(migrations.Extract, fmt.Sprintf("%d-%s/cutover.sql", step.Number, step.Area))
		require.NoError(t, err)
		keys := map[string][]string{}
		for _, statement := range alteredTable.FindAllString(string(text), -1) {
			for _, dropped := range foreignKey.FindAllStringSubmatch(statement, -1) {
				parts := foreignColumn.FindStringSubmatch(dropped[1])
				require.NotNil(t, parts, dropped[1])
				keys[parents[parts[2]]] = append(keys[parents[parts[2]]], parts[1])
			}
		}
		var gone []string
		for _, parent := range []string{"accounts", "orders", "books"} {
			if len(keys[parent]) > 0 {
				gone = append(gone, list(keys[parent])+" → "+parent)
			}
		}
		if len(gone) > 0 {
			rows = append(rows, []string{fmt.Sprint(step.Number), strings.Join(gone, "; ")})
		}
	}
	return markdown([]string{"step", "foreign keys that go"}, rows)
}
