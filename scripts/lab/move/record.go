package move

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"banyan/scripts/lab/ladder"
)

// Record is what a move did and cost. It is kept in the lab's folder, so that a tool that is run again adds to it.
type Record struct {
	Area          string         `json:"area"`
	Step          int            `json:"step"`
	Stages        []Stage        `json:"stages"`
	Verifications []Verification `json:"verifications"`
	Handovers     []Handover     `json:"handovers"`

	file string
}

// Stage is one part of the work before a switch or after it.
type Stage struct {
	Name      string    `json:"name"`
	At        time.Time `json:"at"`
	Seconds   float64   `json:"seconds"`
	Rows      int64     `json:"rows,omitempty"` // written at the new owner
	Rested    float64   `json:"rested_seconds,omitempty"`
	Memory    float64   `json:"memory_mib,omitempty"` // the most that the tool had after a range
	Customers Customers `json:"customers"`
	Failed    string    `json:"failed,omitempty"` // why it did not come to its end
}

// Verification is one comparison of both sides.
type Verification struct {
	At      time.Time     `json:"at"`
	Seconds float64       `json:"seconds"`
	Back    bool          `json:"back,omitempty"` // of the way back
	Report  ladder.Report `json:"report"`
}

// Handover is a switch, or a rollback.
type Handover struct {
	Back  bool      `json:"back,omitempty"`
	At    time.Time `json:"at"`
	Tries int       `json:"tries"`
	// How long it took, in seconds: until nothing was under way, until the processes had ended, to hand over in the
	// database, and until the processes were ready. Pause is all of it, from the first hold until it was let go.
	Drained float64 `json:"drained_seconds"`
	Stopped float64 `json:"stopped_seconds"`
	Handed  float64 `json:"handed_over_seconds"`
	Started float64 `json:"started_seconds"`
	Pause   float64 `json:"pause_seconds"`
	Killed  bool    `json:"killed,omitempty"` // a process that did not end in time
	Routes  []Route `json:"routes"`
	// What customers noticed: before, from the hold until a second after it was let go, and after that.
	Before Customers `json:"before"`
	During Customers `json:"during"`
	After  Customers `json:"after"`
}

// Route is what a hold did to the requests of one route.
type Route struct {
	Route   string  `json:"route"`
	Held    int     `json:"held"`
	Longest float64 `json:"longest_wait_ms"`
	Failed  int     `json:"failed"`
}

// Held are the requests that waited, over all routes, how long one waited at most, in milliseconds, and how many failed.
func (h Handover) Held() (requests int, longest float64, failed int) {
	for _, r := range h.Routes {
		requests += r.Held
		failed += r.Failed
		longest = max(longest, r.Longest)
	}
	return requests, longest, failed
}

// recordFile is where the record of an area's move is.
func recordFile(dir, area string) string { return filepath.Join(dir, "moves", area+".json") }

// ReadRecord reads what is known of an area's move. The record is empty if there is nothing.
func ReadRecord(dir, area string, step int) (*Record, error) {
	r := &Record{Area: area, Step: step, file: recordFile(dir, area)}
	content, err := os.ReadFile(r.file)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the record of the move: %w", err)
	}
	if err := json.Unmarshal(content, r); err != nil {
		return nil, fmt.Errorf("read the record of the move, %s: %w", r.file, err)
	}
	return r, nil
}

// Recorded is [ReadRecord] of an area by its name.
func Recorded(dir, area string) (*Record, error) {
	step, err := stepOf(area)
	if err != nil {
		return nil, err
	}
	return ReadRecord(dir, area, step.Number)
}

// write replaces the file in one move.
func (r *Record) write() error {
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(r.file), 0o755); err != nil {
		return fmt.Errorf("keep the record of the move: %w", err)
	}
	making := r.file + ".making"
	if err := os.WriteFile(making, append(content, '\n'), 0o644); err != nil {
		return fmt.Errorf("keep the record of the move: %w", err)
	}
	return os.Rename(making, r.file)
}

// forget removes the record: the move is undone.
func (r *Record) forget() error {
	if err := os.Remove(r.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
