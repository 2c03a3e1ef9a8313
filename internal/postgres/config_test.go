package postgres_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/internal/postgres"
	"banyan/internal/testdb"
)

// shell has variables of libpq as they stand in a user's shell, each of which once led a connection astray.
var shell = map[string]string{
	"PGAPPNAME":            "psql",
	"PGCHANNELBINDING":     "require",
	"PGCONNECT_TIMEOUT":    "soon",
	"PGDATABASE":           "hedge",
	"PGHOST":               "db.example",
	"PGMAXPROTOCOLVERSION": "2.0",
	"PGMINPROTOCOLVERSION": "9.9",
	"PGOPTIONS":            "-c search_path=hedge -c nosuch=1",
	"PGPASSFILE":           "/nonexistent",
	"PGPASSWORD":           "wrong",
	"PGPORT":               "1",
	"PGREQUIREAUTH":        "none",
	"PGSERVICE":            "prod",
	"PGSERVICEFILE":        "/nonexistent",
	"PGSSLCERT":            "/nonexistent",
	"PGSSLCERTMODE":        "require",
	"PGSSLKEY":             "/nonexistent",
	"PGSSLMODE":            "verify-full",
	"PGSSLNEGOTIATION":     "direct",
	"PGSSLPASSWORD":        "wrong",
	"PGSSLROOTCERT":        "/nonexistent",
	"PGSSLSNI":             "0",
	"PGTARGETSESSIONATTRS": "standby",
	"PGTZ":                 "Mars/Olympus",
	"PGUSER":               "mole",
}

// Not parallel: the environment is the whole process's.
func TestTheURLAlone(t *testing.T) {
	for name := range shell {
		unset(t, name)
	}
	// Without ?sslmode=disable, so that PGSSLMODE would have its way.
	location, _, _ := strings.Cut(testdb.New(t, tree()).URL("trunk_app"), "?")
	usual, err := postgres.ParseConfig(location)
	require.NoError(t, err)

	same := func(t *testing.T) {
		t.Helper()
		config, err := postgres.ParseConfig(location)
		require.NoError(t, err)
		require.Equal(t, usual.RuntimeParams, config.RuntimeParams)
		require.Equal(t, usual.Fallbacks, config.Fallbacks)
		require.Equal(t, usual.TLSConfig, config.TLSConfig)
		require.Equal(t, usual.Password, config.Password)
		require.Equal(t, usual.ConnectTimeout, config.ConnectTimeout)
	}
	connects := func(t *testing.T) {
		t.Helper()
		same(t)
		pool, err := postgres.Open(t.Context(), location, postgres.Options{MaxConns: 1})
		require.NoError(t, err)
		pool.Close()
		conn, err := postgres.Connect(t.Context(), location)
		require.NoError(t, err)
		require.NoError(t, conn.Close(t.Context()))
		_, err = postgres.Migrate(t.Context(), strings.Replace(location, "trunk_app", "trunk_owner", 1), of(t, "trunk"))
		require.NoError(t, err)
	}
	for name, value := range shell {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			same(t)
		})
	}
	t.Run("all at once", func(t *testing.T) {
		for name, value := range shell {
			t.Setenv(name, value)
		}
		connects(t)
	})
	t.Run("files in the user's home", func(t *testing.T) {
		home := t.TempDir()
		t.Setenv("HOME", home)
		require.NoError(t, os.Mkdir(filepath.Join(home, ".postgresql"), 0o700))
		for _, name := range []string{"postgresql.crt", "postgresql.key", "root.crt"} {
			require.NoError(t, os.WriteFile(filepath.Join(home, ".postgresql", name), []byte("no certificate"), 0o600))
		}
		require.NoError(t, os.WriteFile(filepath.Join(home, ".pgpass"), []byte("*:*:*:*:wrong\n"), 0o600))
		connects(t)
		config, err := postgres.ParseConfig("postgres://mole@127.0.0.1/hedge")
		require.NoError(t, err)
		require.Empty(t, config.Password)
	})
	t.Run("what the URL leaves out comes from nowhere else", func(t *testing.T) {
		for name, value := range shell {
			t.Setenv(name, value)
		}
		config, err := postgres.ParseConfig("postgres://127.0.0.1")
		require.NoError(t, err)
		require.EqualValues(t, 5432, config.Port)
		require.Empty(t, config.Database)
		require.Empty(t, config.Password)
		require.NotEqual(t, "mole", config.User)
	})
}

func TestParseConfig(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{
		"a URL":                         "postgres://mole:hush@127.0.0.1:5433/hedge?application_name=test&options=-c%20jit%3Doff&sslmode=disable",
		"a question mark in a password": "postgres://mole:hush?@127.0.0.1:5433/hedge?application_name=test&options=-c%20jit%3Doff",
		"words":                         "host=127.0.0.1 port=5433 user=mole dbname=hedge password='hush' application_name=test options='-c jit=off'",
		"two hosts":                     "postgres://mole:hush@127.0.0.1:5433,127.0.0.2:5434/hedge?application_name=test&options=-c%20jit%3Doff",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config, err := postgres.ParseConfig(url)
			require.NoError(t, err)
			for range 2 { // and again from what it says of itself
				require.Equal(t, "127.0.0.1", config.Host)
				require.EqualValues(t, 5433, config.Port)
				require.Equal(t, "mole", config.User)
				require.Equal(t, "hedge", config.Database)
				require.Contains(t, config.Password, "hush")
				require.Equal(t, map[string]string{"application_name": "test", "options": "-c jit=off"}, config.RuntimeParams)
				config, err = postgres.ParseConfig(config.ConnString())
				require.NoError(t, err)
			}
		})
	}
	t.Run("a password without a query may hold a question mark", func(t *testing.T) {
		t.Parallel()
		config, err := postgres.ParseConfig("postgres://mole:hu?sh@127.0.0.1/hedge")
		require.NoError(t, err)
		require.Equal(t, "hu?sh", config.Password)
		require.Equal(t, "hedge", config.Database)
	})
}

// unset takes a variable away until the test ends.
func unset(t *testing.T, name string) {
	t.Helper()
	t.Setenv(name, "") // which brings it back
	require.NoError(t, os.Unsetenv(name))
}
