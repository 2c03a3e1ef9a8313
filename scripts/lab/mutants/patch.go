package mutants

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed *.patch *.sql
var files embed.FS

// patch is a mistake, as a change of source files.
type patch struct {
	name string // of the file
	text string // what it is, and then the difference, as diff -u writes it
}

func readPatch(name string) (patch, error) {
	text, err := files.ReadFile(name)
	return patch{name, string(text)}, err
}

// title is the patch's first line.
func (p patch) title() string {
	title, _, _ := strings.Cut(p.text, "\n")
	return title
}

// changes are the files that the patch changes, from the repository's root on.
func (p patch) changes() []string {
	var paths []string
	for line := range strings.Lines(p.text) {
		if path, found := strings.CutPrefix(strings.TrimRight(line, "\n"), "+++ b/"); found {
			paths = append(paths, path)
		}
	}
	return paths
}

// overlay applies the patch to copies in dir of the repository's files, and returns a file for go build -overlay that puts
// these in their places. What stands around a change has to be as the patch knows it, wherever it has moved to.
func (p patch) overlay(ctx context.Context, root, dir string) (string, error) {
	replace := map[string]string{}
	for _, path := range p.changes() {
		from, to := filepath.Join(root, path), filepath.Join(dir, path)
		if err := copyFile(from, to); err != nil {
			return "", fmt.Errorf("%s: %w", p.name, err)
		}
		replace[from] = to
	}
	if len(replace) == 0 {
		return "", fmt.Errorf("%s changes no file", p.name)
	}
	if err := p.apply(ctx, dir); err != nil {
		return "", err
	}
	for from, to := range replace {
		if same, err := equal(from, to); err != nil || same {
			return "", errors.Join(fmt.Errorf("%s leaves %s as it is", p.name, from), err)
		}
	}
	file := filepath.Join(dir, "overlay.json")
	content, err := json.Marshal(map[string]any{"Replace": replace})
	if err == nil {
		err = os.WriteFile(file, content, 0o644)
	}
	return file, err
}

// apply lets git do it, which is exact, or else says where it failed. It must not take the folder for a part of a repository:
// there, it would pass over files that are none of that one's.
func (p patch) apply(ctx context.Context, dir string) error {
	cmd := exec.CommandContext(ctx, "git", "apply", "--whitespace=nowarn", "-")
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(p.text)
	cmd.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir), "LC_ALL=C")
	said, err := cmd.CombinedOutput()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, exec.ErrNotFound):
		return errors.New("git, which applies the patches, is not on PATH")
	}
	return fmt.Errorf("%s no longer applies; what it changes has changed, so make it anew:\n%s", p.name, bytes.TrimSpace(said))
}

func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, content, info.Mode().Perm())
}

func equal(one, other string) (bool, error) {
	a, err := os.ReadFile(one)
	if err != nil {
		return false, err
	}
	b, err := os.ReadFile(other)
	return bytes.Equal(a, b), err
}
