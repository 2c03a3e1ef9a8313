package up

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"banyan/deploy"
	"banyan/internal/local"
)

// Containers prepares what the containers of compose.yaml find when they start. There the servers are containers
// too, so the lab starts nothing, and each method is one step that may be repeated.
type Containers struct {
	// Dir keeps secrets.json and, for each process, a folder with what only it may read.
	Dir      string
	Postgres string    // host:port
	NATS     string    // host:port
	Out      io.Writer // progress
}

// superuser is the database role that the image of PostgreSQL makes.
const superuser = "postgres"

// brokerPatience is how long a broker may take to start.
const brokerPatience = 30 * time.Second

// confidential are the variables that reach a container as files, of their own names.
var confidential = []string{
	"DATABASE_URL", "NATS_URL", "SERVICE_KEY", "SIGNING_KEYS", "CALLERS", "PROCESSOR_KEY", "MERCHANTS",
}

// WriteSecrets makes passwords and keys once, and writes them where the servers and the processes find them.
func (c *Containers) WriteSecrets() error {
	kept, err := openSecrets(c.Dir)
	if err != nil {
		return err
	}
	if kept.Roles[superuser] == "" {
		add(&kept.Roles, superuser, rand.Text)
		if err := writePrivate(filepath.Join(c.Dir, "secrets.json"), kept); err != nil {
			return fmt.Errorf("keep the secrets: %w", err)
		}
	}
	s, err := c.settings()
	if err != nil {
		return err
	}
	files := map[string]string{
		"postgres/password":   kept.Roles[superuser],
		"nats/nats.conf":      natsConfig(kept),
		"gateway/routes.json": string(deploy.Routes),
	}
	for process, names := range variables {
		for _, variable := range names {
			if !slices.Contains(confidential, variable) {
				continue
			}
			value, err := s.value(process, variable)
			if err != nil {
				return fmt.Errorf("%s of %s: %w", variable, process, err)
			}
			files[process+"/"+variable] = value
		}
	}
	for name, content := range files {
		if err := c.give(name, content); err != nil {
			return err
		}
	}
	return nil
}

// PrepareDatabases makes both sides' databases, with roles, schemas, passwords and migrations.
func (c *Containers) PrepareDatabases(ctx context.Context) error {
	s, err := c.settings()
	if err != nil {
		return err
	}
	return newProgress(c.Out).during("migrating the databases", func() error {
		schemas := map[string][]string{Monolith: {Monolith}, Services: services}
		_, err := prepareDatabases(ctx, c.admin(s.secrets), schemas, s.secrets)
		return err
	})
}

// Seed fills the databases that are empty, and the ledger of the card processor, which does not run yet. A size
// that is empty means what is there already, or small.
func (c *Containers) Seed(ctx context.Context, size string) error {
	s, err := c.settings()
	if err != nil {
		return err
	}
	l := &Lab{
		options: Options{Dir: c.Dir, SeedSize: size}, sides: []string{Monolith, Services}, step: s.step, settings: s,
		admin: c.admin(s.secrets), progress: newProgress(c.Out),
	}
	if err := l.seed(ctx, s.databases); err != nil {
		return err
	}
	return own(s.ledgerFile(), "outside")
}

// MakeStream makes the one stream of all events, as soon as the broker listens: its image holds nothing that could
// tell when it does.
func (c *Containers) MakeStream(ctx context.Context) error {
	s, err := c.settings()
	if err != nil {
		return err
	}
	address, err := withPassword(s.natsURL, natsAdmin, s.secrets.NATS[natsAdmin])
	if err != nil {
		return err
	}
	for deadline := time.Now().Add(brokerPatience); ; {
		err := makeStream(ctx, address, s.step.Number == LastStep)
		if err == nil || errors.Is(err, nats.ErrAuthorization) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// settings are made from the secrets, which must have been written.
func (c *Containers) settings() (*settings, error) {
	kept, err := readSecrets(c.Dir)
	if err != nil {
		return nil, err
	}
	databases := map[string]string{}
	for _, side := range []string{Monolith, Services} {
		if databases[side], err = inDatabase(c.admin(kept), side); err != nil {
			return nil, err
		}
	}
	return &settings{dir: c.Dir, step: Ladder[LastStep], secrets: kept, databases: databases, natsURL: "nats://" + c.NATS}, nil
}

// admin is the superuser's URL of database postgres. Containers talk over a network of their own, without TLS.
func (c *Containers) admin(kept *secrets) string {
	location := url.URL{
		Scheme: "postgres", User: url.UserPassword(superuser, kept.Roles[superuser]),
		Host: c.Postgres, Path: "/postgres", RawQuery: "sslmode=disable",
	}
	return location.String()
}

// natsConfig is deploy/nats.conf behind the passwords that it otherwise takes from the environment.
func natsConfig(kept *secrets) string {
	var text strings.Builder
	for _, user := range slices.Sorted(maps.Keys(kept.NATS)) {
		fmt.Fprintf(&text, "NATS_%s_PASSWORD: %q\n", strings.ToUpper(user), kept.NATS[user])
	}
	return text.String() + "\n" + deploy.NATS
}

// give replaces a file, whose name begins with the process that it is for, in one move.
func (c *Containers) give(name, content string) error {
	path := filepath.Join(c.Dir, filepath.FromSlash(name))
	if err := local.MakeFolder(filepath.Dir(path)); err != nil {
		return fmt.Errorf("make a folder for secrets: %w", err)
	}
	making := path + ".making"
	if err := os.Remove(making); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := os.WriteFile(making, []byte(content), 0o400); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	process, _, _ := strings.Cut(name, "/")
	if err := own(making, process); err != nil {
		return err
	}
	return os.Rename(making, path)
}

// own gives a file to the user that a process runs as: in compose.yaml, one whose number is the process's port in
// the lab. So a process that is broken into cannot read what belongs to another. The servers' are root's.
func own(path, process string) error {
	user := ports[process].Public
	if err := os.Lchown(path, user, user); err != nil {
		return fmt.Errorf("%w: only root can give a file to user %d; compose.yaml runs this as root", err, user)
	}
	return nil
}
