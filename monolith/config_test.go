package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/internal/testdb"
	"banyan/migrations"
)

// Each step needs other variables. What is missing is named, all of it at once.
func TestConfig(t *testing.T) {
	t.Parallel()
	const whole = "DATABASE_URL=postgres://db/x SMTP_ADDR=mail:25 PROCESSOR_URL=http://cards PROCESSOR_KEY=k"
	for name, c := range map[string]struct {
		environ string
		missing []string
	}{
		"nothing left":           {whole, nil},
		"nothing left, no cards": {"DATABASE_URL=postgres://db/x SMTP_ADDR=mail:25", []string{"PROCESSOR_URL", "PROCESSOR_KEY"}},
		"notifications left": {"DATABASE_URL=postgres://db/x PROCESSOR_URL=http://cards PROCESSOR_KEY=k EXTRACTED=notifications",
			[]string{"NATS_URL", "SIGNING_KEYS", "CALLERS"}},
		"accounts left": {"DATABASE_URL=postgres://db/x PROCESSOR_URL=http://cards PROCESSOR_KEY=k NATS_URL=nats://n EXTRACTED=notifications,accounts",
			[]string{"ACCOUNTS_URL"}},
		"all but orders left": {"DATABASE_URL=postgres://db/x NATS_URL=nats://n ACCOUNTS_URL=http://a EXTRACTED=notifications,accounts,catalog,inventory,payments,shipping",
			[]string{"INVENTORY_URL", "SERVICE_KEY", "PAYMENTS_URL", "SHIPPING_URL"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := readConfig(strings.Fields(c.environ))
			if c.missing == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "the environment is not complete")
			for _, variable := range c.missing {
				require.ErrorContains(t, err, "  "+variable+" is required while ")
			}
			require.Equal(t, len(c.missing), strings.Count(err.Error(), "is required while"), err)
		})
	}
	for _, order := range []string{"accounts", "notifications,catalog", "notifications,accounts,notifications", "orders"} {
		_, err := readConfig(strings.Fields(whole + " EXTRACTED=" + order))
		require.ErrorContains(t, err, "the areas leave one after the other")
	}
}

// A monolith whose area was handed over must not start with the old environment.
func TestOwnership(t *testing.T) {
	t.Parallel()
	db := testdb.New(t, migrations.FS)
	pool := db.Pool("monolith_app")
	require.NoError(t, Config{}.checkOwnership(t.Context(), pool))
	_, err := db.Superuser().Exec(t.Context(), `revoke insert, update, delete on monolith.notifications from monolith_app`)
	require.NoError(t, err)
	require.ErrorContains(t, Config{}.checkOwnership(t.Context(), pool), "notifications was handed over: add it to EXTRACTED")
	require.NoError(t, Config{Extracted: []string{"notifications"}}.checkOwnership(t.Context(), pool))
	require.NoError(t, Config{Standby: true}.checkOwnership(t.Context(), pool))
}
