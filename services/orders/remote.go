package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"banyan/internal/fault"
	"banyan/internal/money"
	"banyan/internal/token"
	"banyan/internal/web"
)

// How long one call to a neighbour may take. A charge includes the card
// processor's time.
const (
	callTime   = time.Second
	chargeTime = 2500 * time.Millisecond
)

type remoteInventory struct{ client *web.Client }

// RemoteInventory calls the service at url, as caller.
func RemoteInventory(url string, caller *token.Caller) Reserver {
	return remoteInventory{remote(url, "inventory", caller, callTime)}
}

func (i remoteInventory) Reserve(ctx context.Context, orderID uuid.UUID, books []uuid.UUID, quantities []int) error {
	type item struct {
		BookID   uuid.UUID `json:"book_id"`
		Quantity int       `json:"quantity"`
	}
	items := make([]item, len(books))
	for n, id := range books {
		items[n] = item{id, quantities[n]}
	}
	return untilDefinite(ctx, func() error {
		return i.client.Do(ctx, http.MethodPost, "/internal/v1/reservations", struct {
			OrderID uuid.UUID `json:"order_id"`
			Items   []item    `json:"items"`
		}{orderID, items}, nil)
	})
}

// shortage reads the books that a sold-out answer names.
func shortage(err error) []short {
	var books []short
	if raw, ok := fault.From(err).Members["books"].(json.RawMessage); ok && json.Unmarshal(raw, &books) != nil {
		return nil
	}
	return books
}

type remotePayments struct{ client *web.Client }

// RemotePayments calls the service at url, as caller.
func RemotePayments(url string, caller *token.Caller) Charger {
	return remotePayments{remote(url, "payments", caller, chargeTime)}
}

func (p remotePayments) Charge(ctx context.Context, orderID, accountID uuid.UUID, cents int64, cardToken string) (captured bool, err error) {
	var result struct {
		Status string `json:"status"`
	}
	err = untilDefinite(ctx, func() error {
		err := p.client.Do(ctx, http.MethodPost, "/internal/v1/charges", struct {
			OrderID   uuid.UUID   `json:"order_id"`
			AccountID uuid.UUID   `json:"account_id"`
			Amount    money.Money `json:"amount"`
			CardToken string      `json:"card_token"`
		}{orderID, accountID, money.USD(cents), cardToken}, &result)
		if err == nil && result.Status != "captured" && result.Status != "declined" {
			return fmt.Errorf("the charge is %q, which says neither", result.Status)
		}
		return err
	})
	return result.Status == "captured", err
}

type remoteShipping struct{ client *web.Client }

// RemoteShipping calls the service at url, as caller.
func RemoteShipping(url string, caller *token.Caller) Keeper {
	return remoteShipping{remote(url, "shipping", caller, callTime)}
}

// Cancel asks once: the customer can ask again.
func (d remoteShipping) Cancel(ctx context.Context, orderID, accountID uuid.UUID) error {
	return d.client.Do(ctx, http.MethodPost, "/internal/v1/shipments/"+orderID.String()+"/cancel", struct {
		AccountID uuid.UUID `json:"account_id"`
	}{accountID}, nil)
}

func remote(url, service string, caller *token.Caller, timeout time.Duration) *web.Client {
	return web.NewClient(web.ClientConfig{
		Base: url, Timeout: timeout,
		Bearer: func() (string, error) { return caller.Token(service) },
	})
}

// untilDefinite repeats a call whose outcome is unknown, under the same key,
// until it is known or ctx ends.
func untilDefinite(ctx context.Context, call func() error) error {
	pause := 25 * time.Millisecond
	for {
		err := call()
		if err == nil || definite(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(pause):
			pause = min(2*pause, time.Second)
		}
	}
}

// definite reports whether the neighbour has decided, and would decide the same
// again. A neighbour that is not at its address, or does not let us in, has decided
// nothing.
func definite(err error) bool {
	switch fault.KindOf(err) {
	case fault.Malformed, fault.Conflict, fault.TooLarge, fault.Invalid:
		return true
	}
	return false
}
