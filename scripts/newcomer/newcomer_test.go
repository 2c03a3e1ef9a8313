package newcomer

import (
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

var asked = flag.Bool("newcomer", false, "go through a newcomer's first minutes; takes one or two")

func TestNewcomer(t *testing.T) {
	if !*asked {
		t.Skip("takes a minute or two: go test ./scripts/newcomer -args -newcomer")
	}
	m := newMachine(t)
	home := filepath.Join(m.dir, "home")

	if os.Getuid() == 0 {
		t.Run("root's lab stays out of a user's checkout", func(t *testing.T) {
			_, err := m.up(t, nil, "022", 0, nil)
			require.ErrorContains(t, err, "belongs to nobody")
			require.NoError(t, filepath.WalkDir(m.checkout, func(path string, entry fs.DirEntry, err error) error {
				require.NoError(t, err)
				info, err := entry.Info()
				require.NoError(t, err)
				if path != filepath.Join(m.checkout, "go.mod") {
					require.Equal(t, m.owner.Uid, info.Sys().(*syscall.Stat_t).Uid, path)
				}
				return nil
			}))
		})
	}
	for _, umask := range []string{"027", "077"} {
		t.Run("a user's lab and tests, with libpq's variables and umask "+umask, func(t *testing.T) {
			running, err := m.up(t, m.owner, umask, 0, shell)
			require.NoError(t, err)
			running.stop(t)
			m.test(t, m.owner, umask, home, shell)
		})
		if os.Getuid() != 0 {
			continue
		}
		t.Run("root's lab elsewhere and its tests, with libpq's variables and umask "+umask, func(t *testing.T) {
			dir := filepath.Join(m.dir, "root-"+umask)
			running, err := m.up(t, nil, umask, 0, shell, "--dir", filepath.Join(dir, "lab"))
			require.NoError(t, err)
			running.stop(t)
			m.test(t, nil, umask, dir, shell)
		})
	}
	t.Run("a package's tests, with each variable alone", func(t *testing.T) {
		for _, variable := range shell {
			m.test(t, m.owner, "022", home, []string{variable})
		}
	})
	t.Run("a server whose locale is C has one lab at a time", func(t *testing.T) {
		databaseURL := "DATABASE_URL=" + m.serverOfLocaleC(t)
		env := append(slices.Clone(shell), databaseURL)
		m.test(t, m.owner, "077", home, env)

		first, err := m.up(t, m.owner, "077", 0, env)
		require.NoError(t, err)
		shop := "http://127.0.0.1:" + strconv.Itoa(8080+m.offset) + "/v1/books?limit=1"
		open := func() {
			response, err := http.Get(shop)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.Equal(t, http.StatusOK, response.StatusCode)
		}
		open()
		other := filepath.Join(home, "another-lab")
		_, err = m.up(t, m.owner, "077", 500, env, "--dir", other)
		require.ErrorContains(t, err, fmt.Sprintf("lab, process %d", first.cmd.Process.Pid))
		out, err := m.packageTests(m.owner, "077", home, env).CombinedOutput()
		require.Error(t, err)
		require.Contains(t, string(out), "would change the passwords of a lab")
		open()

		// Nothing says that the lab is gone, but its connection to the server.
		require.NoError(t, first.cmd.Process.Kill())
		<-first.done
		second, err := m.up(t, m.owner, "077", 500, env, "--dir", other)
		require.NoError(t, err)
		second.stop(t)
	})
}
