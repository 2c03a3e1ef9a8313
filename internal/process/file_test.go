package process_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/internal/process"
)

func TestConfigFromFiles(t *testing.T) {
	t.Parallel()
	type config struct {
		URL       string `env:"URL,required,notEmpty"`
		TableFile string `env:"TABLE_FILE"`
	}
	secret := filepath.Join(t.TempDir(), "url")
	require.NoError(t, os.WriteFile(secret, []byte("http://x\n"), 0o600))

	t.Run("a variable may be in a file", func(t *testing.T) {
		t.Parallel()
		got, err := process.Config[config]([]string{"URL_FILE=" + secret})
		require.NoError(t, err)
		require.Equal(t, "http://x", got.URL)
	})
	t.Run("a variable that itself names a file is left alone", func(t *testing.T) {
		t.Parallel()
		got, err := process.Config[config]([]string{"URL=http://y", "TABLE_FILE=/nowhere"})
		require.NoError(t, err)
		require.Equal(t, config{URL: "http://y", TableFile: "/nowhere"}, got)
	})
	t.Run("a file that is not there is named", func(t *testing.T) {
		t.Parallel()
		_, err := process.Config[config]([]string{"URL_FILE=/nowhere"})
		require.ErrorContains(t, err, "URL_FILE: open /nowhere")
	})
	t.Run("a variable that is given twice is refused", func(t *testing.T) {
		t.Parallel()
		_, err := process.Config[config]([]string{"URL=http://y", "URL_FILE=" + secret})
		require.ErrorContains(t, err, "URL and URL_FILE are both set")
	})
}
