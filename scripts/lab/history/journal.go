package history

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"

	"banyan/scripts/lab/shop"
)

// journal is the history on disk, one JSON line for each step. A line about a request is written before the request is
// sent, in one write, so that it outlives this program. A nil journal keeps nothing.
type journal struct {
	mu   sync.Mutex
	file *os.File
	err  error // the first failure; a history with a hole in it proves nothing
}

// note is one line.
type note struct {
	At       time.Time   `json:"at"`
	Customer string      `json:"customer,omitempty"`
	Step     string      `json:"step"` // what is asked, or answer
	Key      string      `json:"key,omitempty"`
	Order    string      `json:"order,omitempty"`
	Card     string      `json:"card,omitempty"`
	Cart     []shop.Line `json:"cart,omitempty"`
	Status   int         `json:"status,omitempty"` // of HTTP; 0 in an answer: none came
	State    string      `json:"state,omitempty"`  // of the order, or what the customer knows now
	Error    string      `json:"error,omitempty"`
}

func openJournal(path string) (*journal, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND|os.O_TRUNC, 0o644)
	if err != nil {
		return nil, fmt.Errorf("keep the history: %w", err)
	}
	return &journal{file: file}, nil
}

func (j *journal) write(n note) {
	if j == nil {
		return
	}
	n.At = time.Now()
	text, err := json.Marshal(n)
	j.mu.Lock()
	defer j.mu.Unlock()
	if err == nil {
		_, err = j.file.Write(append(text, '\n'))
	}
	if err != nil && j.err == nil {
		j.err = fmt.Errorf("keep the history: %w", err)
	}
}

// close returns the first failure.
func (j *journal) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.file.Close(); j.err == nil {
		j.err = err
	}
	return j.err
}
