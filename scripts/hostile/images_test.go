package hostile_test

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	images = flag.Bool("images", false, "look through the images of compose.yaml, which runs")
	canary = flag.String("canary", "", "a `TEXT` that lay about in the working tree while the images were built")
)

// inImages is all that an image may hold: its program, and the certificates of those it may trust.
var inImages = []string{"app", "etc/ssl/certs/ca-certificates.crt"}

// TestImages looks for secrets in every layer of every image, and in what an image says of how it was made.
func TestImages(t *testing.T) {
	t.Parallel()
	if !*images {
		t.Skip("there are no images without Docker: .ci/run has them built, and calls this with -images")
	}
	names := strings.Fields(string(docker(t, "images", "--filter", "reference=banyan-*", "--format", "{{.Repository}}:{{.Tag}}")))
	require.GreaterOrEqual(t, len(names), 11, "the monolith, eight services, the world outside and the lab")
	secrets := secretsOfContainers(t)
	require.NotEmpty(t, *canary, "the text that was laid out")
	secrets["what lay about in the working tree"] = *canary

	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clean(t, "how it was made", docker(t, "history", "--no-trunc", name), secrets)
			clean(t, "what it says of itself", docker(t, "inspect", name), secrets)
			var files []string
			save := exec.Command("docker", "save", name)
			saved, err := save.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, save.Start())
			eachFile(t, saved, func(path string, content []byte) {
				clean(t, path, content, secrets)
				files = append(files, path)
			})
			require.NoError(t, save.Wait())
			require.ElementsMatch(t, inImages, files)
		})
	}
	t.Run("and each would be found", func(t *testing.T) {
		t.Parallel()
		for what, secret := range secrets {
			require.GreaterOrEqual(t, len(secret), 16, what)
			image := archive(t, "layer.tar", archive(t, "app", []byte("ELF "+secret+" …")))
			var found []string
			eachFile(t, bytes.NewReader(image), func(_ string, content []byte) { found = append(found, heard(content, secrets)...) })
			require.Contains(t, found, what)
		}
	})
}

// secretsOfContainers are those that the first up has made, by what they are called.
func secretsOfContainers(t *testing.T) map[string]string {
	t.Helper()
	folder := strings.TrimSpace(string(docker(t, "volume", "inspect", "--format", "{{.Mountpoint}}", "banyan_secrets")))
	content, err := os.ReadFile(filepath.Join(folder, "secrets.json"))
	require.NoError(t, err, "only root can read the volume")
	var groups map[string]map[string]string
	require.NoError(t, json.Unmarshal(content, &groups))
	secrets := map[string]string{}
	for group, all := range groups {
		for name, secret := range all {
			secrets[group+" "+name] = secret
		}
	}
	require.NotEmpty(t, secrets)
	return secrets
}

func docker(t *testing.T, args ...string) []byte {
	t.Helper()
	out, err := exec.Command("docker", args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		require.NoError(t, err, string(exit.Stderr))
	}
	require.NoError(t, err)
	return out
}

// eachFile calls look for every file of an archive and of the archives in it, which are an image's layers. What describes
// an image is not one of its files.
func eachFile(t *testing.T, saved io.Reader, look func(path string, content []byte)) {
	t.Helper()
	for outer := tar.NewReader(saved); ; {
		header, err := outer.Next()
		if err == io.EOF {
			return
		}
		require.NoError(t, err)
		if header.Typeflag != tar.TypeReg {
			continue
		}
		layer := tar.NewReader(unzipped(t, outer))
		for files := 0; ; files++ {
			inner, err := layer.Next()
			if err != nil {
				require.True(t, files == 0 || err == io.EOF, "%s breaks off: %v", header.Name, err)
				break // at once: it is no layer
			}
			if inner.Typeflag == tar.TypeReg {
				content, err := io.ReadAll(layer)
				require.NoError(t, err)
				look(inner.Name, content)
			}
		}
	}
}

// unzipped reads what may be compressed.
func unzipped(t *testing.T, r io.Reader) io.Reader {
	t.Helper()
	buffered := bufio.NewReader(r)
	if start, err := buffered.Peek(2); err != nil || !bytes.Equal(start, []byte{0x1f, 0x8b}) {
		return buffered
	}
	plain, err := gzip.NewReader(buffered)
	require.NoError(t, err)
	return plain
}

func archive(t *testing.T, name string, content []byte) []byte {
	t.Helper()
	var all bytes.Buffer
	w := tar.NewWriter(&all)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}))
	_, err := w.Write(content)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return all.Bytes()
}
