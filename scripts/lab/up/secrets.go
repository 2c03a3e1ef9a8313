package up

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"banyan/migrations"
)

// secrets are made once per folder and kept in secrets.json. Those of a new kind are added as they
// come to be needed; those that are there never change, since a database may know them.
type secrets struct {
	Roles     map[string]string `json:"roles"`     // passwords of the database's roles
	NATS      map[string]string `json:"nats"`      // passwords of the broker's users
	Merchants map[string]string `json:"merchants"` // keys at the card processor, by side
	// Seeds are base64 seeds of Ed25519 keys: "accounts" signs what customers carry, the others
	// are the callers' own.
	Seeds map[string]string `json:"seeds"`
}

// callers are the services that call others, by who is called.
var callers = map[string][]string{
	"accounts":  {"gateway"},
	"inventory": {"orders"},
	"payments":  {"orders"},
	"shipping":  {"orders"},
}

func openSecrets(dir string) (*secrets, error) {
	s, err := readSecrets(dir)
	if errors.Is(err, fs.ErrNotExist) {
		s, err = &secrets{}, nil
	}
	if err != nil {
		return nil, err
	}
	before, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	s.complete()
	if after, err := json.Marshal(s); err != nil || bytes.Equal(before, after) {
		return s, err
	}
	if err := writePrivate(filepath.Join(dir, "secrets.json"), s); err != nil {
		return nil, fmt.Errorf("keep the lab's secrets: %w", err)
	}
	return s, nil
}

func readSecrets(dir string) (*secrets, error) {
	content, err := os.ReadFile(filepath.Join(dir, "secrets.json"))
	if err != nil {
		return nil, fmt.Errorf("read the lab's secrets: %w", err)
	}
	var s secrets
	if err := json.Unmarshal(content, &s); err != nil {
		return nil, fmt.Errorf("read the lab's secrets in %s: %w", dir, err)
	}
	return &s, nil
}

// complete makes what is missing.
func (s *secrets) complete() {
	for _, schema := range migrations.Schemas {
		add(&s.Roles, schema+"_owner", rand.Text)
		add(&s.Roles, schema+"_app", rand.Text)
	}
	for _, user := range natsUsers() {
		add(&s.NATS, user, rand.Text)
	}
	for _, side := range []string{Monolith, Services} {
		add(&s.Merchants, side, rand.Text)
	}
	for _, name := range []string{"accounts", "gateway", "orders"} {
		add(&s.Seeds, name, newSeed)
	}
}

func add(to *map[string]string, name string, generate func() string) {
	if *to == nil {
		*to = map[string]string{}
	}
	if (*to)[name] == "" {
		(*to)[name] = generate()
	}
}

func newSeed() string {
	seed := make([]byte, ed25519.SeedSize)
	_, _ = rand.Read(seed) // never fails: it crashes the program instead
	return base64.StdEncoding.EncodeToString(seed)
}

// publicKey is the base64 of the public half of a seed.
func (s *secrets) publicKey(name string) string {
	seed, err := base64.StdEncoding.DecodeString(s.Seeds[name])
	if err != nil || len(seed) != ed25519.SeedSize {
		return "" // secrets.json was edited; the process that gets this says so
	}
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	return base64.StdEncoding.EncodeToString(public)
}
