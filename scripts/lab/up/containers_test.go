package up

import (
	"bytes"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"banyan/deploy"
	"banyan/internal/local"
	"banyan/internal/token"
)

func TestContainerRoutes(t *testing.T) {
	t.Parallel()
	root, err := Root()
	require.NoError(t, err)
	content, err := os.ReadFile(filepath.Join(root, "services", "gateway", "routes.json"))
	require.NoError(t, err)
	wanted := string(content)
	for process, known := range ports {
		wanted = strings.ReplaceAll(wanted, known.public(), process+":8080")
	}
	require.JSONEq(t, wanted, string(deploy.Routes), "the routes of containers are the gateway's own, with other hosts")
}

func TestContainerSecrets(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can give files to the users of containers")
	}
	c := &Containers{Dir: t.TempDir(), Postgres: "postgres:5432", NATS: "nats:4222"}
	require.NoError(t, c.WriteSecrets())
	read := func(name string) string {
		content, err := os.ReadFile(filepath.Join(c.Dir, name))
		require.NoError(t, err)
		return string(content)
	}

	t.Run("each process gets its own, and nobody else can read it", func(t *testing.T) {
		require.Regexp(t, `^postgres://orders_app:[A-Z2-7]{26}@postgres:5432/services\?.*sslmode=disable`, read("orders/DATABASE_URL"))
		require.Regexp(t, `^nats://orders:[A-Z2-7]{26}@nats:4222$`, read("orders/NATS_URL"))
		for process := range variables {
			if process == facade {
				continue // the containers have none
			}
			files, err := os.ReadDir(filepath.Join(c.Dir, process))
			require.NoError(t, err, process)
			for _, file := range files {
				info, err := file.Info()
				require.NoError(t, err)
				require.Equal(t, fs.FileMode(0o400), info.Mode(), "%s/%s", process, file.Name())
				require.EqualValues(t, ports[process].Public, info.Sys().(*syscall.Stat_t).Uid, "%s/%s", process, file.Name())
			}
		}
	})

	t.Run("callers and those who admit them agree", func(t *testing.T) {
		key, err := token.ParseSigningKey(read("orders/SERVICE_KEY"))
		require.NoError(t, err)
		admitted, err := token.ParseCallers(read("payments/CALLERS"))
		require.NoError(t, err)
		jwt, err := token.NewCaller("orders", key).Token("payments")
		require.NoError(t, err)
		request := httptest.NewRequest(http.MethodPost, "/internal/v1/charges", nil)
		request.Header.Set("Authorization", "Bearer "+jwt)
		require.NoError(t, token.NewAdmission("payments", admitted).Require("orders")(request))
	})

	t.Run("a second time changes nothing", func(t *testing.T) {
		before := everything(t, c.Dir)
		require.NoError(t, c.WriteSecrets())
		require.Equal(t, before, everything(t, c.Dir))
	})

	t.Run("the broker starts with its file, and the stream is made as soon as it listens", func(t *testing.T) {
		broker, err := local.StartNATS(t.Context(), local.NATSOptions{
			Dir: t.TempDir(), Config: filepath.Join(c.Dir, "nats", "nats.conf"),
		})
		require.NoError(t, err)
		t.Cleanup(broker.Process().Kill)
		_, c.NATS, _ = strings.Cut(broker.URL(), "://")
		require.NoError(t, c.MakeStream(t.Context()))

		conn, err := nats.Connect("nats://"+c.NATS, nats.UserInfo("orders", "wrong"))
		require.ErrorIs(t, err, nats.ErrAuthorization)
		require.Nil(t, conn)
	})
}

// everything is what the files in a folder hold.
func everything(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		found[path] = string(bytes.TrimSpace(content))
		return err
	}))
	return found
}
