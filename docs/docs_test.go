// Package docs_test holds the pages to the code and to the files that they speak of.
package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// quote is a fenced block whose info string names the file that it is from.
var quote = regexp.MustCompile("(?ms)^```(?:sql|go) (\\S+)\n(.*?)^```$")

// TestQuotes looks for each quoted block in its file.
func TestQuotes(t *testing.T) {
	t.Parallel()
	found := 0
	for path, text := range pages(t) {
		for _, match := range quote.FindAllStringSubmatch(text, -1) {
			found++
			source, err := os.ReadFile(filepath.Join("..", match[1]))
			require.NoError(t, err, path)
			require.Contains(t, string(source), match[2], "%s quotes %s", path, match[1])
		}
	}
	require.Positive(t, found)
}

// link is a relative link of Markdown, without what follows #.
var link = regexp.MustCompile(`\]\(([^)#:\s]+)(?:#[^)]*)?\)`)

// TestLinks looks for the file of each relative link.
func TestLinks(t *testing.T) {
	t.Parallel()
	found := 0
	for path, text := range pages(t) {
		for _, match := range link.FindAllStringSubmatch(text, -1) {
			found++
			_, err := os.Stat(filepath.Join(filepath.Dir(path), match[1]))
			require.NoError(t, err, "%s links to %s", path, match[1])
		}
	}
	require.Positive(t, found)
}

// pages are the texts of all pages in docs, and of the two that lead there.
func pages(t *testing.T) map[string]string {
	t.Helper()
	paths := []string{"../README.md", "../scripts/README.md"}
	require.NoError(t, filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".md" {
			paths = append(paths, path)
		}
		return err
	}))
	texts := map[string]string{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		texts[path] = string(text)
	}
	return texts
}
