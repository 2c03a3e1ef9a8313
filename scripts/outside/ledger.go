package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Entry is one line of the ledger: something that happened to somebody's money, or, for a
// decline, was decided not to. Amount is in the currency's smallest unit.
type Entry struct {
	At        time.Time `json:"at"`
	Merchant  string    `json:"merchant"`
	Effect    string    `json:"effect"`
	Reference string    `json:"reference"`
	Amount    int64     `json:"amount"`
	Currency  string    `json:"currency"`
}

// The effects.
const (
	effectCharge  = "charge"
	effectDecline = "decline"
	effectRefund  = "refund"
)

// Ledger is an append-only file of JSON lines. Each line is one write(2), made before the
// answer it belongs to. It is not synced to the disk: what a process has written survives its
// own death in the kernel's page cache, and only processes are killed here, never the machine.
type Ledger struct {
	mu   sync.Mutex
	file *os.File
	size int64 // of the whole lines; a failed write is cut back to it
}

// openLedger opens the file, or creates it, and returns what it already holds. A last line
// without its end was torn by a kill: its effect was never answered, and it is cut off.
func openLedger(name string) (*Ledger, []Entry, error) {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("open the ledger: %w", err)
	}
	entries, size, err := readLedger(file)
	if err == nil {
		err = file.Truncate(size)
	}
	if err != nil {
		file.Close()
		return nil, nil, fmt.Errorf("read the ledger %s: %w", name, err)
	}
	return &Ledger{file: file, size: size}, entries, nil
}

// readLedger returns the entries and the length of the whole lines in bytes.
func readLedger(r io.Reader) (entries []Entry, size int64, err error) {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return entries, size, nil
		}
		if err != nil {
			return nil, 0, err
		}
		var entry Entry
		if err := json.Unmarshal(line, &entry); err != nil {
			return nil, 0, fmt.Errorf("line %d is not an entry, mend or remove the file: %w", len(entries)+1, err)
		}
		entries = append(entries, entry)
		size += int64(len(line))
	}
}

// Append writes one entry. When it fails, nothing of the entry stays in the file.
func (l *Ledger) Append(entry Entry) error {
	line, err := json.Marshal(entry)
	if err != nil {
		return fmt.Errorf("encode a ledger entry: %w", err)
	}
	line = append(line, '\n')

	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.file.Write(line); err != nil {
		if cut := l.file.Truncate(l.size); cut != nil {
			return fmt.Errorf("append to the ledger: %w, and cut it back: %w", err, cut)
		}
		return fmt.Errorf("append to the ledger: %w", err)
	}
	l.size += int64(len(line))
	return nil
}

// CopyTo writes the lines of one merchant, or all of them when the name is empty, as they were
// when it was called.
func (l *Ledger) CopyTo(w io.Writer, merchant string) error {
	l.mu.Lock()
	whole := io.NewSectionReader(l.file, 0, l.size)
	l.mu.Unlock()
	if merchant == "" {
		_, err := io.Copy(w, whole)
		return err
	}
	lines := bufio.NewReader(whole)
	out := bufio.NewWriter(w)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return out.Flush()
		}
		if err != nil {
			return fmt.Errorf("read the ledger: %w", err)
		}
		var entry Entry
		if err := json.Unmarshal(line, &entry); err != nil {
			return fmt.Errorf("read the ledger line %q: %w", bytes.TrimSpace(line), err)
		}
		if entry.Merchant != merchant {
			continue
		}
		if _, err := out.Write(line); err != nil {
			return err
		}
	}
}

// Close closes the file.
func (l *Ledger) Close() error { return l.file.Close() }
