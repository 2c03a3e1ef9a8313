package main

import (
	"net/mail"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"banyan/internal/fault"
)

// Errors of accounts and sessions.
var (
	ErrEmailTaken       = fault.New(fault.Conflict, "email-taken", "An account has this e-mail address already.")
	ErrWrongCredentials = fault.New(fault.Unauthenticated, "wrong-credentials", "No account has this e-mail address and password.")
)

// Account is a person who can sign in.
type Account struct {
	ID        uuid.UUID `json:"id"`
	Email     string    `json:"email"` // as it was typed; compared without case
	Name      string    `json:"name"`
	Role      string    `json:"role"` // customer or staff
	CreatedAt time.Time `json:"created_at"`
}

// Registration is what a person says to become a customer.
type Registration struct {
	Email    string `json:"email"`
	Password string `json:"password" text:"verbatim"`
	Name     string `json:"name"`
}

// Validate names everything about the registration that is not acceptable.
func (r Registration) Validate() error {
	var c fault.Checks
	c.That(ValidEmail(r.Email), "email", "must be an e-mail address of at most 254 characters")
	n := utf8.RuneCountInString(r.Password)
	c.That(n >= 8 && n <= 128, "password", "must be 8 to 128 characters")
	c.Text("name", r.Name, 1, 200)
	return c.Err()
}

// ValidEmail reports whether s is a bare address: no display name, no comment,
// and nothing that would break out of a mail's header.
func ValidEmail(s string) bool {
	for _, r := range s {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return false
		}
	}
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s && utf8.RuneCountInString(s) <= 254
}

// Credentials are what a customer signs in with.
type Credentials struct {
	Email    string `json:"email"`
	Password string `json:"password" text:"verbatim"`
}

// Validate asks for presence only: an address that could not be registered is
// simply a wrong one.
func (c Credentials) Validate() error {
	var checks fault.Checks
	checks.That(c.Email != "", "email", "is required")
	checks.That(c.Password != "", "password", "is required")
	return checks.Err()
}
