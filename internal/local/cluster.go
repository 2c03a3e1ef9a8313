package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// passwordFile lies inside the cluster, so that a cluster and its password come into being together.
const passwordFile = "banyan.password"

// cluster is a PostgreSQL data folder and what is needed to run it.
type cluster struct {
	install    Installation
	credential *syscall.Credential // nil: the present user
	data       string
}

// openCluster finds the server's programs and its data folder below dir, and makes the folder if
// it is missing. Whatever a previous run has left behind is put right: a server that still runs, a
// stale pid file, a folder half made.
func openCluster(ctx context.Context, dir string, durable bool) (*cluster, error) {
	install, err := FindPostgres(ctx)
	if err != nil {
		return nil, err
	}
	credential, err := serverUser()
	if err != nil {
		return nil, err
	}
	parent, err := clusterParent(dir, credential)
	if err != nil {
		return nil, err
	}
	c := &cluster{install: install, credential: credential, data: filepath.Join(parent, "data")}

	major, err := os.ReadFile(filepath.Join(c.data, "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		return c, c.create(ctx, durable)
	}
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("the cluster in %s belongs to another user, from a run as root, say: "+
			"remove it with sudo rm -r %[1]s, or choose another folder: %[2]w", c.data, err)
	}
	if err != nil {
		return nil, fmt.Errorf("read the cluster in %s: %w", c.data, err)
	}
	crashed, err := c.recover(ctx)
	if err != nil {
		return nil, err
	}
	sameVersion := strings.TrimSpace(string(major)) == fmt.Sprint(install.Major)
	if durable && !sameVersion {
		return nil, fmt.Errorf("the cluster in %s was made by PostgreSQL %s, but the newest here is %d: "+
			"remove that folder to start afresh, or install PostgreSQL %[2]s again and remove the newer one",
			c.data, strings.TrimSpace(string(major)), install.Major)
	}
	if !durable && (crashed || !sameVersion) {
		// Without fsync nobody knows what a crash of the machine has left, and no one will miss it.
		return c, c.create(ctx, durable)
	}
	return c, nil
}

// create runs initdb into a folder of another name and renames it, so that a cluster that
// has its name is complete.
func (c *cluster) create(ctx context.Context, durable bool) error {
	var err error
	for _, locale := range c.locales() {
		if err = c.initdb(ctx, durable, locale); err == nil || ctx.Err() != nil {
			break
		}
	}
	return err
}

// locales are initdb's arguments in the order to try them. Text sorts by code point in each; all but
// the last know upper and lower case beyond ASCII. Only version 17 brings its own, the same everywhere.
func (c *cluster) locales() [][]string {
	if c.install.Major >= 17 {
		return [][]string{{"--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"}}
	}
	return [][]string{{"--locale=C.UTF-8"}, {"--locale=C", "--lc-ctype=en_US.UTF-8"}, {"--locale=C"}}
}

func (c *cluster) initdb(ctx context.Context, durable bool, locale []string) error {
	making, passwords := c.data+".making", c.data+".password"
	defer os.Remove(passwords)
	if err := os.RemoveAll(making); err != nil {
		return fmt.Errorf("clear a half-made cluster: %w", err)
	}
	if err := c.give(making, passwords); err != nil {
		return fmt.Errorf("prepare the cluster's folder: %w", err)
	}

	args := append([]string{
		"--pgdata=" + making, "--username=postgres", "--pwfile=" + passwords,
		"--auth=scram-sha-256", "--encoding=UTF8", "--no-instructions",
	}, locale...)
	if !durable {
		args = append(args, "--no-sync")
	}
	cmd := exec.CommandContext(ctx, filepath.Join(c.install.Bin, "initdb"), args...)
	cmd.Dir = filepath.Dir(c.data)
	cmd.Env = PostgresEnv()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.credential}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb in %s: %w\n%s", making, err, out)
	}

	if err := os.Rename(passwords, filepath.Join(making, passwordFile)); err != nil {
		return fmt.Errorf("keep the cluster's password: %w", err)
	}
	// What stood there is a cluster that nobody wants any more.
	if err := os.RemoveAll(c.data); err != nil {
		return fmt.Errorf("clear the old cluster: %w", err)
	}
	if err := os.Rename(making, c.data); err != nil {
		return fmt.Errorf("finish the cluster: %w", err)
	}
	return nil
}

// give makes an empty folder and a file with a new password, both the server user's own.
func (c *cluster) give(dir, passwords string) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	if err := os.Remove(passwords); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.WriteFile(passwords, []byte(rand.Text()+"\n"), 0o600); err != nil {
		return err
	}
	if c.credential == nil {
		return nil
	}
	uid, gid := int(c.credential.Uid), int(c.credential.Gid)
	return errors.Join(os.Chown(dir, uid, gid), os.Chown(passwords, uid, gid))
}

func (c *cluster) password() (string, error) {
	password, err := os.ReadFile(filepath.Join(c.data, passwordFile))
	if err != nil {
		return "", fmt.Errorf("read the cluster's password: %w", err)
	}
	return strings.TrimSpace(string(password)), nil
}

// PostgresEnv is the environment of PostgreSQL's programs. Variables such as PGDATA and PGSERVICE are not passed,
// and the locale is fixed: on macOS the server does not start under some.
func PostgresEnv() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
}
