package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// shared is what the starter of a shared server tells the others.
type shared struct {
	Port     int    `json:"port"`
	PID      int    `json:"pid"`
	Password string `json:"password"`
	Lease    string `json:"lease"`
}

func (p *Postgres) announce(dir string, pid int) error {
	content, err := json.Marshal(shared{Port: p.Port, PID: pid, Password: p.password, Lease: p.lease.path})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "shared.json"), content, 0o600)
}

var errNoServer = errors.New("there is no shared server")

// joinPostgres uses the server that another process has started. The error is errNoServer if none runs.
func joinPostgres(ctx context.Context, dir string) (*Postgres, error) {
	content, err := os.ReadFile(filepath.Join(dir, "shared.json"))
	var there shared
	if err != nil || json.Unmarshal(content, &there) != nil {
		return nil, errNoServer
	}
	lease, err := joinLease(there.Lease)
	if err != nil {
		return nil, errNoServer
	}
	server := &Postgres{Port: there.Port, password: there.Password, lease: lease}
	if err := server.awaitAnswer(ctx, there.PID); err != nil {
		lease.leave()
		return nil, err
	}
	return server, nil
}

// awaitAnswer waits for a server that others use. Only its end makes it one to be replaced: a server that is slow to
// answer, or does not let this process in, goes on serving the others.
func (p *Postgres) awaitAnswer(ctx context.Context, pid int) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		err := p.ping(ctx)
		if err == nil {
			return nil
		}
		if !runsWith(pid, "postgres", "") {
			return errNoServer
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the server that other processes share (process %d) does not answer this one; "+
				"if it answers nobody, end it with kill -9 %[1]d: %w", pid, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
