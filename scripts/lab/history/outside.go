package history

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"banyan/scripts/lab/shop"
)

// Shop is one side of a lab, as the world sees it.
type Shop struct {
	Side       string `json:"side"` // also its name at the card processor
	URL        string `json:"url"`
	OutsideURL string `json:"-"` // the card processor and the mail server
}

// Client makes the connections for so many customers at once.
func (s Shop) Client(customers int) (*shop.Client, error) {
	return shop.New(shop.Options{Connections: customers}, s.URL)
}

// Entry is a line of the card processor's ledger. Effect is charge, decline or refund; the reference is an
// order's id.
type Entry struct {
	At        time.Time `json:"at"`
	Effect    string    `json:"effect"`
	Reference string    `json:"reference"`
	Amount    int64     `json:"amount"`
	Currency  string    `json:"currency"`
}

// Mail is a message that has arrived.
type Mail struct {
	MessageID string `json:"message_id"`
	Subject   string `json:"subject"`
	Body      string `json:"body"`
}

// The subjects by which the mails about orders are told.
const (
	SubjectPaid      = "Thank you for your order"
	SubjectCancelled = "Your order is cancelled"
	SubjectShipped   = "Your books are on their way"
)

// order is the id of the order that the mail speaks of; empty if it speaks of none.
func (m Mail) order() string {
	_, id, _ := strings.Cut(m.Body, "Your order: ")
	return strings.TrimSpace(id)
}

// CountMail counts the receipts by distinct Message-ID, and of all mails those that came again with the same one.
func CountMail(mails []Mail) (receipts, twice int) {
	seen := map[string]bool{}
	for _, m := range mails {
		if seen[m.MessageID] {
			twice++
			continue
		}
		seen[m.MessageID] = true
		if m.Subject == SubjectPaid {
			receipts++
		}
	}
	return receipts, twice
}

// Ledger returns what the card processor did for the shop since a moment.
func (s Shop) Ledger(ctx context.Context, since time.Time) ([]Entry, error) {
	body, err := s.outside(ctx, "/ledger?merchant="+url.QueryEscape(s.Side))
	if err != nil {
		return nil, err
	}
	defer body.Close()
	var entries []Entry
	for lines := json.NewDecoder(bufio.NewReader(body)); ; {
		var e Entry
		if err := lines.Decode(&e); err == io.EOF {
			return entries, nil
		} else if err != nil {
			return nil, fmt.Errorf("read the card processor's ledger: %w", err)
		}
		if !e.At.Before(since) {
			entries = append(entries, e)
		}
	}
}

// mailTo returns the mail that an address has got.
func (s Shop) mailTo(ctx context.Context, address string) ([]Mail, error) {
	const most = 100_000 // all that the world outside lists at once
	body, err := s.outside(ctx, fmt.Sprintf("/mail.json?limit=%d&to=%s", most, url.QueryEscape(address)))
	if err != nil {
		return nil, err
	}
	defer body.Close()
	var all []Mail
	if err := json.NewDecoder(body).Decode(&all); err != nil {
		return nil, fmt.Errorf("read the mail to %s: %w", address, err)
	}
	if len(all) == most {
		return nil, fmt.Errorf("%s has got more mail than can be listed: spread the checkouts over more customers", address)
	}
	return all, nil
}

func (s Shop) outside(ctx context.Context, path string) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.OutsideURL+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask the world outside: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, fmt.Errorf("the world outside answers %s with %s", path, response.Status)
	}
	return response.Body, nil
}
