package local

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
)

// shared is what the starter of a shared server tells the others.
type shared struct {
	Port     int    `json:"port"`
	Password string `json:"password"`
	Lease    string `json:"lease"`
}

func (p *Postgres) announce(dir string) error {
	content, err := json.Marshal(shared{Port: p.Port, Password: p.password, Lease: p.lease.path})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "shared.json"), content, 0o600)
}

// joinPostgres uses the server that another process has started. Any error means there is none.
func joinPostgres(ctx context.Context, dir string) (*Postgres, error) {
	content, err := os.ReadFile(filepath.Join(dir, "shared.json"))
	if err != nil {
		return nil, err
	}
	var there shared
	if err := json.Unmarshal(content, &there); err != nil {
		return nil, err
	}
	lease, err := joinLease(there.Lease)
	if err != nil {
		return nil, err
	}
	server := &Postgres{Port: there.Port, password: there.Password, lease: lease}
	if err := server.ping(ctx); err != nil {
		lease.leave()
		return nil, err
	}
	return server, nil
}
