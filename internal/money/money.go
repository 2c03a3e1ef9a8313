// Package money keeps amounts as whole cents, so that no sum is ever rounded.
package money

import (
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgtype"
)

// Money is an amount in the smallest unit of its currency.
type Money struct {
	Amount   int64  `json:"amount"`   // cents
	Currency string `json:"currency"` // ISO 4217
}

// USD is an amount of US cents.
func USD(cents int64) Money { return Money{Amount: cents, Currency: "USD"} }

// Times is the price of n pieces.
func (m Money) Times(n int) Money { return Money{m.Amount * int64(n), m.Currency} }

// Plus is the sum. Adding another currency is a mistake of the program, not of
// its user, and panics.
func (m Money) Plus(o Money) Money {
	if m.Currency != o.Currency {
		panic(fmt.Sprintf("money: adding %s to %s", o.Currency, m.Currency))
	}
	return Money{m.Amount + o.Amount, m.Currency}
}

// String writes the amount for a person: USD 12.99.
func (m Money) String() string {
	sign, n := "", m.Amount
	if n < 0 {
		sign, n = "-", -n
	}
	return fmt.Sprintf("%s %s%d.%02d", m.Currency, sign, n/100, n%100)
}

// Columns hold US cents as bigint. These two let pgx read and write them.

// ScanInt64 reads a column of US cents.
func (m *Money) ScanInt64(v pgtype.Int8) error {
	if !v.Valid {
		return errors.New("money: an amount is null")
	}
	*m = USD(v.Int64)
	return nil
}

// Int64Value writes a column of US cents.
func (m Money) Int64Value() (pgtype.Int8, error) {
	if m.Currency != "USD" {
		return pgtype.Int8{}, fmt.Errorf("money: a column of US cents cannot hold %s", m.Currency)
	}
	return pgtype.Int8{Int64: m.Amount, Valid: true}, nil
}
