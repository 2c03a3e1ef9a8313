package up

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// ErrNotRunning means that no lab runs in the folder.
var ErrNotRunning = errors.New("no lab is running: start one with go run ./scripts/lab up")

// ErrNotReady means that a lab is there, but still starting or already stopping.
var ErrNotReady = errors.New("the lab is still starting, or already stopping: try again in a moment")

// State is what a lab tells other programs, in state.json. It holds passwords; the file is for its
// owner only.
type State struct {
	PID       int       `json:"pid"`
	StartedAt time.Time `json:"started_at"`
	Ready     bool      `json:"ready"` // false while it starts and while it stops
	Dir       string    `json:"dir"`
	SeedSize  string    `json:"seed_size,omitempty"`
	// StartUp is how many seconds it took from the start of the lab's own programs, all at once, until each was ready.
	StartUp float64 `json:"start_up_seconds,omitempty"`

	// Step is that of the services' side.
	Step        int    `json:"step"`
	MonolithURL string `json:"monolith_url,omitempty"`
	GatewayURL  string `json:"gateway_url,omitempty"` // of the services' side; at step 0 the trunk's
	FacadeURL   string `json:"facade_url,omitempty"`  // the monolith behind a gateway
	OutsideURL  string `json:"outside_url,omitempty"`
	// ControlSocket is where the lab is asked to stop and start its processes ([State.Control]).
	ControlSocket string `json:"control,omitempty"`
	// NATSURL is the broker's address with the administrator's password.
	NATSURL string `json:"nats_url,omitempty"`
	// Databases are the superuser's URLs, by side.
	Databases map[string]string `json:"databases,omitempty"`

	Processes []ProcessState `json:"processes,omitempty"`
}

// ProcessState describes one process of the lab.
type ProcessState struct {
	Name   string `json:"name"`
	PID    int    `json:"pid,omitempty"` // 0: not of this lab, or not running
	URL    string `json:"url,omitempty"`
	OpsURL string `json:"ops_url,omitempty"`
	Log    string `json:"log,omitempty"`
	// Standby says that it serves requests and does nothing else.
	Standby bool `json:"standby,omitempty"`
}

// Sides are the names of the sides that run, the monolith's first.
func (s *State) Sides() []string {
	var sides []string
	if s.MonolithURL != "" {
		sides = append(sides, Monolith)
	}
	if s.GatewayURL != "" {
		sides = append(sides, Services)
	}
	return sides
}

// Schemas are those that the running processes live in, each by the name of its process.
func (s *State) Schemas() []string {
	var names []string
	for _, side := range s.Sides() {
		for _, process := range Processes(side, s.Step) {
			if process != "gateway" {
				names = append(names, process)
			}
		}
	}
	return names
}

// SideURL is where customers reach a side; empty if it does not run.
func (s *State) SideURL(side string) string {
	switch side {
	case Monolith:
		return s.MonolithURL
	case Services:
		return s.GatewayURL
	}
	return ""
}

// OwnerURL is the database URL of the owner of a process's schema, who migrates it.
func (s *State) OwnerURL(process string) (string, error) { return s.roleURL(process, "owner") }

// AppURL is the database URL that a process has.
func (s *State) AppURL(process string) (string, error) { return s.roleURL(process, "app") }

func (s *State) roleURL(process, kind string) (string, error) {
	if known := s.Schemas(); !slices.Contains(known, process) {
		return "", fmt.Errorf("the running lab has no %s: it has %s", process, list(known))
	}
	side, role := sideOf(process), SchemaOf(process)+"_"+kind
	admin := s.Databases[side]
	secrets, err := readSecrets(s.Dir)
	if err != nil {
		return "", err
	}
	password := secrets.Roles[role]
	if password == "" {
		return "", fmt.Errorf("there is no role %s", role)
	}
	return withUser(admin, role, password, side, "lab")
}

// WithoutSecrets returns a copy that may be shown.
func (s *State) WithoutSecrets() State {
	shown := *s
	shown.Databases, shown.NATSURL = nil, ""
	return shown
}

// Running returns the state of the lab that runs in dir. The error is [ErrNotRunning] if there is none,
// also when a crashed one has left its state behind; and [ErrNotReady], beside what is known already, if
// there is nothing to use yet.
func Running(dir string) (*State, error) {
	state, err := present(dir)
	if err != nil {
		return nil, err
	}
	if !state.Ready {
		return state, ErrNotReady
	}
	return state, nil
}

// present returns the state of a living lab, ready or not.
func present(dir string) (*State, error) {
	lock, err := lockFolder(dir, 0, 0)
	switch {
	case err == nil:
		// Nobody holds the lock, so whatever the state file says is of the past.
		lock.Close()
		return nil, ErrNotRunning
	case errors.Is(err, fs.ErrNotExist):
		return nil, ErrNotRunning
	case !errors.Is(err, errHeld):
		return nil, explainPermission(dir, err)
	}
	content, err := os.ReadFile(filepath.Join(dir, "state.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return &State{}, nil // it has just taken the lock, or is just leaving
	}
	if err != nil {
		return nil, fmt.Errorf("read the lab's state: %w", err)
	}
	var state State
	if err := json.Unmarshal(content, &state); err != nil {
		return nil, fmt.Errorf("read the lab's state in %s: %w", dir, err)
	}
	return &state, nil
}

// write replaces state.json in one move, so that nobody reads half of it.
func (s *State) write() error { return writePrivate(filepath.Join(s.Dir, "state.json"), s) }

func (s *State) remove() error {
	err := os.Remove(filepath.Join(s.Dir, "state.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// writePrivate writes JSON for the owner's eyes only.
func writePrivate(path string, value any) error {
	content, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	making := path + ".making"
	if err := os.WriteFile(making, append(content, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(making, path)
}

var errHeld = errors.New("the folder's lock is held")

// lockFolder takes the folder's lock, which the kernel frees when the holder dies, and gives up with
// errHeld after patience. The lock is made only where asked for, by os.O_CREATE: who merely looks, root perhaps,
// leaves nothing in the folder.
func lockFolder(dir string, create int, patience time.Duration) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(dir, "lock"), create|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return file, nil
		}
		if err != syscall.EWOULDBLOCK && err != syscall.EINTR {
			file.Close()
			return nil, fmt.Errorf("lock %s: %w", file.Name(), err)
		}
		if time.Now().After(deadline) {
			file.Close()
			return nil, errHeld
		}
	}
}
