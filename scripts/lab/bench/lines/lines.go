// Package lines counts the lines of code that a step of the ladder adds and removes.
package lines

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"banyan/scripts/lab/up"
)

// Change is a number of lines, blank ones and comments included.
type Change struct {
	Added   int `json:"added"`
	Removed int `json:"removed"`
}

// Of counts what a step changes in the repository at root: in Go, the module in monolith/ against its twin in services/,
// tests aside; in SQL, what moves the data. The façade adds the gateway.
func Of(ctx context.Context, root string, step up.Step) (code, sql Change, err error) {
	services := filepath.Join(root, "services")
	switch {
	case step.Area != "":
		code, err = diff(ctx, filepath.Join(root, "monolith", step.Area), filepath.Join(services, step.Area))
	case step.Number == 1:
		code.Added, err = count(filepath.Join(services, "gateway"), ".go")
	}
	if err != nil || step.Area == "" {
		return code, sql, err
	}
	sql.Added, err = count(filepath.Join(root, "migrations", "extract", fmt.Sprintf("%d-%s", step.Number, step.Area)), ".sql")
	return code, sql, err
}

// counts says whether a file is code and no test.
func counts(path, ending string) bool {
	return strings.HasSuffix(path, ending) && !strings.HasSuffix(path, "_test.go") && !strings.Contains(filepath.ToSlash(path), "/testdata/")
}

// count is the lines of all files below a folder.
func count(folder, ending string) (sum int, err error) {
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !counts(path, ending) {
			return err
		}
		content, err := os.ReadFile(path)
		sum += bytes.Count(content, []byte("\n"))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("count lines: %w", err)
	}
	return sum, nil
}

// diff compares the Go files of two folders by their paths below them, as git does. A file that moved counts as removed
// and added.
func diff(ctx context.Context, from, to string) (sum Change, err error) {
	for _, folder := range []string{from, to} {
		if _, err := os.Stat(folder); err != nil {
			return sum, fmt.Errorf("compare twins: %w", err)
		}
	}
	// With -z, a path is not abbreviated: ADDED TAB REMOVED TAB, and then both paths.
	out, err := exec.CommandContext(ctx, "git", "diff", "--no-index", "--numstat", "-z", "--no-renames", from, to).Output()
	var ended *exec.ExitError
	if err != nil && (!errors.As(err, &ended) || ended.ExitCode() != 1) { // 1: they differ
		return sum, fmt.Errorf("compare twins with git: %w", err)
	}
	fields := strings.Split(string(out), "\x00")
	for i := 0; i < len(fields) && fields[i] != ""; i++ {
		figures := strings.SplitN(fields[i], "\t", 3)
		if len(figures) != 3 {
			return sum, fmt.Errorf("compare twins: git says %q", fields[i])
		}
		path := figures[2]
		if path == "" && i+2 < len(fields) {
			path = fields[i+2]
			if path == os.DevNull {
				path = fields[i+1]
			}
			i += 2
		}
		if !counts(path, ".go") {
			continue
		}
		added, err := strconv.Atoi(figures[0])
		if err != nil {
			return sum, fmt.Errorf("compare twins: %w", err)
		}
		removed, err := strconv.Atoi(figures[1])
		if err != nil {
			return sum, fmt.Errorf("compare twins: %w", err)
		}
		sum.Added, sum.Removed = sum.Added+added, sum.Removed+removed
	}
	return sum, nil
}
