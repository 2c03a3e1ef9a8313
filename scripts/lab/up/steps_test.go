package up

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/migrations"
)

func TestLadder(t *testing.T) {
	t.Parallel()

	t.Run("numbers its steps, and knows every process that runs", func(t *testing.T) {
		t.Parallel()
		for number, step := range Ladder {
			require.Equal(t, number, step.Number)
			for _, process := range step.Processes() {
				require.Contains(t, ports, process)
			}
			require.Subset(t, migrations.Schemas, step.Schemas())
		}
	})

	t.Run("takes one area after the other out of the trunk", func(t *testing.T) {
		t.Parallel()
		for number, processes := range []string{
			"trunk",
			"trunk gateway",
			"trunk notifications gateway",
			"accounts trunk notifications gateway",
			"accounts catalog trunk notifications gateway",
			"accounts catalog inventory trunk notifications gateway",
			"accounts catalog inventory trunk payments notifications gateway",
			"accounts catalog inventory trunk payments shipping notifications gateway",
			"accounts catalog inventory orders payments shipping notifications gateway",
		} {
			require.Equal(t, processes, strings.Join(Ladder[number].Processes(), " "), "step %d", number)
		}
	})

	t.Run("gives requests as many connections on every step", func(t *testing.T) {
		t.Parallel()
		for _, step := range Ladder {
			sum := 0
			for _, process := range step.Processes() {
				if process != "gateway" {
					sum += step.Connections(process)
				}
			}
			require.Equal(t, 16, sum-4*len(step.Durables()), "step %d", step.Number)
		}
	})

	t.Run("refuses a step that is not there", func(t *testing.T) {
		t.Parallel()
		_, err := FindStep(9)
		require.ErrorContains(t, err, "the ladder goes from 0 to 8")
	})
}

// TestRoutes compares the routes of all steps with those that people have read.
func TestRoutes(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	for _, step := range Ladder {
		text, err := step.Routes().Text()
		require.NoError(t, err)
		fmt.Fprintf(&all, "step %d\n%s", step.Number, text)
		if file := map[int]string{1: "routes-1.json", 8: "routes.json"}[step.Number]; file != "" {
			own, err := os.ReadFile(filepath.Join("..", "..", "..", "services", "gateway", file))
			require.NoError(t, err)
			require.JSONEq(t, string(own), text, file)
		}
	}
	golden := filepath.Join("testdata", "routes.txt")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(golden, []byte(all.String()), 0o644))
	}
	wanted, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(wanted), all.String())
}

func TestWriteRoutes(t *testing.T) {
	t.Parallel()
	s := example(t, 5)
	s.dir = t.TempDir()
	s.addresses["catalog-2"] = portsOf("catalog-2")
	s.via = func(link Link) (string, error) {
		return strings.Replace(link.Address, "127.0.0.1:8132", link.To, 1), nil
	}
	var exchange []string
	upstreams := func(gateway string) map[string][]string {
		require.NoError(t, s.writeRoutes(gateway))
		content, err := os.ReadFile(routesFile(s.dir, gateway))
		require.NoError(t, err)
		var table Table
		require.NoError(t, json.Unmarshal(content, &table))
		exchange = table.Exchange
		leads := map[string][]string{}
		for _, route := range table.Routes {
			leads[route.Prefix] = route.Upstreams
		}
		return leads
	}

	at := upstreams("gateway")
	require.Equal(t, []string{"http://127.0.0.1:8102", "http://catalog-2"}, at["/v1/books"], "all instances, as the gateway reaches them")
	require.Equal(t, []string{"http://127.0.0.1:8108"}, at["/v1/orders"], "the trunk, which has not lost orders yet")
	require.Equal(t, at["/v1/cart"], at["/v1/payments"])

	require.Equal(t, []string{"http://127.0.0.1:8101"}, exchange, "accounts, which has left")
	require.Contains(t, environmentOf(t, example(t, 1), "gateway"), "SERVICE_KEY", "which it needs once its table exchanges tokens")

	// The façade's monolith is one of its own, on the first one's data.
	for prefix, to := range upstreams(facade) {
		require.Equal(t, []string{"http://127.0.0.1:8110"}, to, prefix)
	}
	require.Empty(t, exchange)
	require.Contains(t, environmentOf(t, s, behindFacade)["DATABASE_URL"], "/monolith?application_name=monolith-2")
}
