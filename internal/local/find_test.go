package local

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// installed is a folder with a server that gives this version.
func installed(t *testing.T, version string) string {
	t.Helper()
	bin := t.TempDir()
	script := "#!/bin/sh\necho 'postgres (PostgreSQL) " + version + "'\n"
	require.NoError(t, os.WriteFile(filepath.Join(bin, "postgres"), []byte(script), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(bin, "initdb"), nil, 0o755))
	return bin
}

func TestNewestPostgres(t *testing.T) {
	t.Parallel()

	t.Run("the newest is taken", func(t *testing.T) {
		t.Parallel()
		newest := installed(t, "18beta1")
		found, err := newestPostgres(t.Context(), []string{
			installed(t, "9.6.24"), installed(t, "16.2 (Debian 16.2-1)"), newest, installed(t, "17.0"), "/nowhere",
		})
		require.NoError(t, err)
		require.Equal(t, Installation{Bin: newest, Major: 18}, found)
	})

	t.Run("a folder without initdb is passed over", func(t *testing.T) {
		t.Parallel()
		client := installed(t, "18.0")
		require.NoError(t, os.Remove(filepath.Join(client, "initdb")))
		server := installed(t, "15.4")
		found, err := newestPostgres(t.Context(), []string{client, server})
		require.NoError(t, err)
		require.Equal(t, server, found.Bin)
	})

	t.Run("one that is too old is told, with the way out", func(t *testing.T) {
		t.Parallel()
		_, err := newestPostgres(t.Context(), []string{installed(t, "14.11")})
		require.ErrorContains(t, err, "only older versions of PostgreSQL (14 in ")
		require.ErrorContains(t, err, "install it")
		require.ErrorContains(t, err, "DATABASE_URL")
	})

	t.Run("none at all is told, with the way out", func(t *testing.T) {
		t.Parallel()
		_, err := newestPostgres(t.Context(), nil)
		require.ErrorContains(t, err, "found no PostgreSQL on this machine")
	})
}
