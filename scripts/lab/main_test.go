package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/internal/events"
)

// command runs a command on a folder where no lab runs.
func command(t *testing.T, args ...string) (out string, err error) {
	t.Helper()
	var results, progress strings.Builder
	err = run(t.Context(), append([]string{"--dir", t.TempDir()}, args...), streams{&results, &progress})
	return results.String(), err
}

func TestCommands(t *testing.T) {
	t.Parallel()

	refusals := map[string]struct {
		args []string
		says string
	}{
		"a command that is none":               {[]string{"fly"}, "lab --help"},
		"to start a step that is none":         {[]string{"up", "--step", "9"}, "the ladder goes from 0 to 8"},
		"to crash a step that is none":         {[]string{"crash", "--step", "9"}, "the ladder goes from 0 to 8"},
		"to start a side that is none":         {[]string{"up", "--only", "half"}, `there is no side "half"`},
		"to start from a size that is none":    {[]string{"up", "--seed-size", "tiny"}, "it is small, medium, large or huge"},
		"to start the monolith with too much":  {[]string{"up", "--seed-size", "huge", "--only", "monolith"}, "start it with --only services"},
		"to buy where nothing runs":            {[]string{"buy"}, "go run ./scripts/lab up"},
		"to buy at what is no address":         {[]string{"buy", "--at", "8090"}, "has to look like http://127.0.0.1:8090"},
		"to buy where no mail is":              {[]string{"buy", "--at", "http://127.0.0.1:1"}, "say so with --outside"},
		"to race without buyers":               {[]string{"race", "--buyers", "0"}, "a race needs 1 to 1000 buyers"},
		"to crash a side that is none":         {[]string{"crash", "--only", "half"}, "must be one of"},
		"to crash with idle customers":         {[]string{"crash", "--checkouts", "5"}, "a checkout for each"},
		"chaos on a side that is none":         {[]string{"chaos", "--only", "half"}, "must be one of"},
		"chaos on a step without events":       {[]string{"chaos", "--step", "1"}, "the steps with events, 2 to 8"},
		"chaos with idle customers":            {[]string{"chaos", "--checkouts", "5"}, "a checkout for each"},
		"to verify where nothing runs":         {[]string{"verify"}, "go run ./scripts/lab up"},
		"to verify a step that is none":        {[]string{"verify", "--steps", "2,9"}, "the ladder goes from 0 to 8"},
		"to verify half a step":                {[]string{"verify", "--all-steps", "--only", "monolith"}, "--only leaves one of the two out"},
		"to stop what does not run":            {[]string{"down"}, "no lab is running"},
		"to list dead letters of nothing":      {[]string{"deadletters", "list"}, "no lab is running"},
		"to replay what is no event's id":      {[]string{"deadletters", "replay", "orders", "seven"}, "invalid UUID"},
		"to republish where nothing runs":      {[]string{"republish", "orders", "--since", "2h"}, "no lab is running"},
		"to republish since what is no time":   {[]string{"republish", "orders", "--since", "lunch"}, `--since: "lunch" is no time: write 2026-`},
		"to republish what ends before":        {[]string{"republish", "orders", "--since", "1h", "--until", "2h"}, "--since has to be the earlier one"},
		"to migrate a schema that is none":     {[]string{"migrate", "--schema", "books"}, "it is one of trunk, monolith, accounts"},
		"to migrate where nothing can be done": {[]string{"migrate"}, "set DATABASE_URL"},
	}
	for name, c := range refusals {
		t.Run("refuse "+name, func(t *testing.T) {
			t.Parallel()
			out, err := command(t, c.args...)
			require.ErrorContains(t, err, c.says)
			require.Empty(t, out)
		})
	}

	t.Run("show the ladder, for people and for machines", func(t *testing.T) {
		t.Parallel()
		out, err := command(t, "steps")
		require.NoError(t, err)
		require.Contains(t, out, "notifications")
		require.Contains(t, out, "lab up --step 4")

		out, err = command(t, "steps", "--json")
		require.NoError(t, err)
		var shown []stepShown
		require.NoError(t, json.Unmarshal([]byte(out), &shown))
		require.Len(t, shown, 9)
		require.Len(t, shown[8].Processes, 8)
		require.Empty(t, shown[8].URL, "nothing runs")
	})
}

func TestRepublishRange(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 15, 0, 0, 0, time.UTC)
	r, err := (&republishCommand{Since: "2h30m", Until: "2026-01-02T14:00:00+01:00", Type: "order.paid"}).asked(now)
	require.NoError(t, err)
	require.True(t, r.Since.Equal(now.Add(-150*time.Minute)), r.Since)
	require.True(t, r.Until.Equal(now.Add(-2*time.Hour)), r.Until)
	require.Equal(t, "order.paid", r.Type)

	r, err = (&republishCommand{}).asked(now)
	require.NoError(t, err)
	require.Equal(t, events.Range{}, r, "everything")
}

func TestMigrateWithoutALab(t *testing.T) {
	cases := map[string]struct {
		databaseURL string
		args        []string
		says        string
	}{
		"needs a schema":           {"postgres://orders_owner:p@127.0.0.1:1/services", nil, "say which schema"},
		"needs the schema's owner": {"postgres://postgres:p@127.0.0.1:1/services", []string{"--schema", "orders"}, "applied as orders_owner"},
		"hides a password":         {"postgres://orders_owner:hush@127.0.0.1:port/services", []string{"--schema", "orders"}, "read DATABASE_URL"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Setenv("DATABASE_URL", c.databaseURL)
			_, err := command(t, append([]string{"migrate"}, c.args...)...)
			require.ErrorContains(t, err, c.says)
			require.NotContains(t, err.Error(), "hush")
		})
	}
}
