package invariants

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// witness is what the world outside has to say.
type witness struct {
	ledger []Entry
	mails  []Mail
}

// Entry is a line of the card processor's ledger. Effect is charge, decline or refund; the reference is an order's id.
type Entry struct {
	At        time.Time `json:"at"`
	Effect    string    `json:"effect"`
	Reference string    `json:"reference"`
	Amount    int64     `json:"amount"` // in the currency's smallest unit
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

// Order is the id of the order that the mail speaks of; empty if it speaks of none.
func (m Mail) Order() string {
	_, id, _ := strings.Cut(m.Body, "Your order: ")
	return strings.TrimSpace(id)
}

// Receipts counts the receipts by distinct Message-ID, and of all mails those that came again with the same one.
func Receipts(mails []Mail) (receipts, twice int) {
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

// Ledger returns what the card processor did for a side.
func Ledger(ctx context.Context, outsideURL, side string) (all []Entry, err error) {
	err = outside(ctx, outsideURL+"/ledger?merchant="+url.QueryEscape(side), func(body io.Reader) error {
		for lines := json.NewDecoder(bufio.NewReader(body)); ; {
			var e Entry
			if err := lines.Decode(&e); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
			all = append(all, e)
		}
	})
	return all, err
}

func (s *Shop) witness(ctx context.Context) (w witness, err error) {
	if w.ledger, err = Ledger(ctx, s.where.OutsideURL, s.where.Side); err != nil {
		return w, err
	}
	buyers, err := s.buyers(ctx)
	if err != nil {
		return w, err
	}
	arrived := make([][]Mail, len(buyers))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for i, address := range buyers {
		group.Go(func() (err error) {
			arrived[i], err = s.mailTo(ctx, address)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return w, err
	}
	for _, mails := range arrived {
		w.mails = append(w.mails, mails...)
	}
	return w, nil
}

// buyers are the addresses of those who have ordered since the mail is kept.
func (s *Shop) buyers(ctx context.Context) ([]string, error) {
	statement := s.where.inSchemas(`
		select a.email
		from accounts.accounts a
		where exists (select from orders.orders o where o.account_id = a.id and o.placed_at >= $1)`)
	rows, err := s.pool.Query(ctx, statement, s.where.Since)
	if err != nil {
		return nil, fmt.Errorf("look who has ordered: %w", err)
	}
	addresses, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("look who has ordered: %w", err)
	}
	return addresses, nil
}

// mailTo returns the mail of both sides that an address has got: an order's id tells whose it is.
func (s *Shop) mailTo(ctx context.Context, address string) (all []Mail, err error) {
	const most = 100_000 // all that the world outside lists at once
	path := fmt.Sprintf("/mail.json?limit=%d&to=%s", most, url.QueryEscape(address))
	err = outside(ctx, s.where.OutsideURL+path, func(body io.Reader) error { return json.NewDecoder(body).Decode(&all) })
	if err == nil && len(all) == most {
		err = fmt.Errorf("%s has got more mail than can be listed: start with new data, lab up --fresh", address)
	}
	return all, err
}

var outsideClient = &http.Client{Timeout: 30 * time.Second}

func outside(ctx context.Context, address string, read func(io.Reader) error) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	response, err := outsideClient.Do(request)
	if err != nil {
		return fmt.Errorf("ask the world outside: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the world outside answers %s with %s", request.URL.Path, response.Status)
	}
	if err := read(response.Body); err != nil {
		return fmt.Errorf("read %s of the world outside: %w", request.URL.Path, err)
	}
	return nil
}

// load puts what the world outside says beside the shop's tables.
func (w witness) load(ctx context.Context, tx pgx.Tx) error {
	const tables = `
		create temporary table ledger (effect text, reference text, amount bigint, currency text) on commit drop;
		create temporary table mails (message_id text, about text, subject text) on commit drop;`
	if _, err := tx.Conn().PgConn().Exec(ctx, tables).ReadAll(); err != nil {
		return fmt.Errorf("make tables for ledger and mail: %w", err)
	}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"ledger"}, []string{"effect", "reference", "amount", "currency"},
		pgx.CopyFromSlice(len(w.ledger), func(i int) ([]any, error) {
			e := w.ledger[i]
			return []any{e.Effect, e.Reference, e.Amount, e.Currency}, nil
		}))
	if err != nil {
		return fmt.Errorf("load the ledger: %w", err)
	}
	_, err = tx.CopyFrom(ctx, pgx.Identifier{"mails"}, []string{"message_id", "about", "subject"},
		pgx.CopyFromSlice(len(w.mails), func(i int) ([]any, error) {
			m := w.mails[i]
			return []any{m.MessageID, m.Order(), m.Subject}, nil
		}))
	if err != nil {
		return fmt.Errorf("load the mail: %w", err)
	}
	if _, err := tx.Exec(ctx, `analyze ledger, mails`); err != nil {
		return fmt.Errorf("analyse ledger and mail: %w", err)
	}
	return nil
}
