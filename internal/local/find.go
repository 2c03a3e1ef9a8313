package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
)

// OldestPostgres is the oldest major version of PostgreSQL that will do.
const OldestPostgres = 15

// Installation is a PostgreSQL server found on this machine.
type Installation struct {
	Bin   string // the folder of postgres and initdb
	Major int
}

// postgresFolders are where packagers put each version's programs.
var postgresFolders = []string{
	"/usr/lib/postgresql/*/bin",         // Debian, Ubuntu
	"/usr/pgsql-*/bin",                  // Red Hat, from postgresql.org
	"/usr/libexec/postgresql*",          // Alpine
	"/opt/homebrew/opt/postgresql*/bin", // Homebrew on Apple silicon
	"/usr/local/opt/postgresql*/bin",    // Homebrew on Intel
	"/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
	"/usr/local/pgsql/bin", // built from source
}

// FindPostgres returns the newest PostgreSQL of this machine that is not too old. Its error says how
// to install one on this system.
func FindPostgres(ctx context.Context) (Installation, error) {
	return newestPostgres(ctx, postgresCandidates(ctx))
}

func newestPostgres(ctx context.Context, bins []string) (Installation, error) {
	var newest Installation
	var old []string
	for _, bin := range bins {
		major, err := postgresMajor(ctx, bin)
		switch {
		case err != nil: // no server here, or one for another machine
		case major < OldestPostgres:
			old = append(old, fmt.Sprintf("%d in %s", major, bin))
		case major > newest.Major:
			newest = Installation{Bin: bin, Major: major}
		}
	}
	if newest.Major > 0 {
		return newest, nil
	}
	found := "found no PostgreSQL on this machine"
	if len(old) > 0 {
		found = "found only older versions of PostgreSQL (" + strings.Join(old, ", ") + ")"
	}
	return Installation{}, fmt.Errorf("%s; version %d or newer is needed: %s, "+
		"or set DATABASE_URL to a server that is already there", found, OldestPostgres, installHint())
}

func postgresCandidates(ctx context.Context) []string {
	var bins []string
	if path, err := exec.LookPath("postgres"); err == nil {
		// A link on PATH leads to the folder where initdb and the server's own files are.
		if path, err = filepath.EvalSymlinks(path); err == nil {
			bins = append(bins, filepath.Dir(path))
		}
	}
	pgConfig := exec.CommandContext(ctx, "pg_config", "--bindir")
	pgConfig.Env = PostgresEnv()
	if out, err := pgConfig.Output(); err == nil {
		bins = append(bins, strings.TrimSpace(string(out)))
	}
	for _, pattern := range postgresFolders {
		if found, err := filepath.Glob(pattern); err == nil {
			bins = append(bins, found...)
		}
	}
	return bins
}

var postgresVersion = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

func postgresMajor(ctx context.Context, bin string) (int, error) {
	if _, err := os.Stat(filepath.Join(bin, "initdb")); err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "postgres"), "--version")
	cmd.Env = PostgresEnv()
	out, err := cmd.Output()
	if err != nil {
		return 0, err
	}
	match := postgresVersion.FindSubmatch(out)
	if match == nil {
		return 0, errors.New("unknown version: " + string(out))
	}
	return strconv.Atoi(string(match[1]))
}

// installHint is the command that installs PostgreSQL here.
func installHint() string {
	if runtime.GOOS == "darwin" {
		return "install it (brew install postgresql@17, or Postgres.app)"
	}
	for _, packager := range []struct{ program, command string }{
		{"apt-get", "sudo apt-get install postgresql"},
		{"dnf", "sudo dnf install postgresql-server"},
		{"apk", "sudo apk add postgresql"},
		{"pacman", "sudo pacman -S postgresql"},
		{"brew", "brew install postgresql@17"},
	} {
		if _, err := exec.LookPath(packager.program); err == nil {
			return "install it (" + packager.command + ")"
		}
	}
	return "install it with your system's package tool"
}
