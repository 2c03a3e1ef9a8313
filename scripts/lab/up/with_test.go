package up

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFolder(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	stopped, stop := context.WithCancel(t.Context())
	stop()
	cases := map[string]struct {
		ctx   context.Context
		fails error
		quiet bool // nobody is told where the folder is
		stays bool
	}{
		"goes after a good run":                 {ctx: t.Context()},
		"stays after a bad one":                 {ctx: t.Context(), fails: broken, stays: true},
		"goes if nobody would be told of it":    {ctx: t.Context(), fails: broken, quiet: true},
		"goes after a run that was interrupted": {ctx: stopped, fails: broken},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var said strings.Builder
			var dir, elsewhere string
			work := func(made string) error {
				dir = made
				info, err := os.Stat(dir)
				require.NoError(t, err)
				require.Equal(t, os.FileMode(0o711), info.Mode().Perm())
				// A lab below it, whose cluster PostgreSQL's user keeps in another place.
				elsewhere = filepath.Join(t.TempDir(), "banyan-cluster")
				require.NoError(t, os.Mkdir(elsewhere, 0o755))
				require.NoError(t, os.MkdirAll(postgresDir(filepath.Join(dir, "lab")), 0o755))
				require.NoError(t, os.WriteFile(filepath.Join(dir, "lab", "lock"), nil, 0o600))
				require.NoError(t, os.Symlink(elsewhere, filepath.Join(postgresDir(filepath.Join(dir, "lab")), "elsewhere")))
				return c.fails
			}
			var err error
			if c.quiet {
				err = Folder(c.ctx, nil, work)
			} else {
				err = Folder(c.ctx, &said, work)
			}
			if c.fails == nil {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, c.fails)
			}
			if c.stays {
				require.DirExists(t, elsewhere)
				require.Contains(t, said.String(), dir)
				require.NoError(t, removeFolder(dir))
			}
			require.NoDirExists(t, dir)
			require.NoDirExists(t, elsewhere)
		})
	}
}

func TestWith(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	t.Cleanup(func() { require.NoError(t, Wipe(dir)) })
	options := Options{Only: Monolith, Dir: dir, RandomPorts: true}
	broken := errors.New("broken")
	var processes []ProcessState
	err := With(t.Context(), options, func(_ context.Context, lab *Lab) error {
		processes = lab.State().Processes
		return broken
	})
	require.ErrorIs(t, err, broken)
	gone(t, processes)

	// A process that dies unasked ends the context of the run, and is what the run is said to have failed of.
	err = With(t.Context(), options, func(ctx context.Context, lab *Lab) error {
		processes = lab.State().Processes
		victim, err := os.FindProcess(lab.Process(Monolith).PID())
		require.NoError(t, err)
		require.NoError(t, victim.Kill())
		select {
		case <-ctx.Done():
			return broken
		case <-time.After(20 * time.Second):
			return errors.New("the run goes on without the monolith")
		}
	})
	var crash *Crash
	require.ErrorAs(t, err, &crash)
	require.NotErrorIs(t, err, broken)
	gone(t, processes)
}
