package catalog

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"banyan/internal/fault"
	"banyan/internal/money"
	"banyan/internal/web"
)

// Errors of the catalog.
var (
	ErrNotFound  = fault.New(fault.NotFound, "no-such-book", "There is no such book.")
	ErrISBNTaken = fault.New(fault.Conflict, "isbn-taken", "Another book has this ISBN.")
	ErrChanged   = fault.New(fault.PreconditionFailed, "book-changed", "The book has changed since you read it.")
)

// Book is an edition in the shop.
type Book struct {
	ID          uuid.UUID   `json:"id"`
	ISBN        string      `json:"isbn"`
	Title       string      `json:"title"`
	Authors     []string    `json:"authors"`
	Subject     string      `json:"subject"`
	Publisher   *string     `json:"publisher"`
	PublishedOn *string     `json:"published_on"` // a date, as 2006-01-02
	Description *string     `json:"description"`
	Price       money.Money `json:"price"`
	Available   int         `json:"available"`
	Version     int         `json:"version"` // counts staff edits
}

// maxPrice is a million dollars; beyond it a typing error is likelier than a book.
const maxPrice = 1_000_000_00

// Validate names everything about the book that is not acceptable.
func (b Book) Validate() error {
	var c fault.Checks
	c.That(ValidISBN(b.ISBN), "isbn", "must be an ISBN-13: 13 digits, the last of which checks the others")
	c.Text("title", b.Title, 1, 300)
	c.That(len(b.Authors) >= 1 && len(b.Authors) <= 10, "authors", "must be 1 to 10 names")
	for _, a := range b.Authors {
		c.Text("authors", a, 1, 200)
	}
	c.Text("subject", b.Subject, 1, 100)
	if b.Publisher != nil {
		c.Text("publisher", *b.Publisher, 1, 200)
	}
	if b.PublishedOn != nil {
		day, err := time.Parse(time.DateOnly, *b.PublishedOn)
		// Go has a year 0, PostgreSQL does not.
		c.That(err == nil && day.Year() > 0, "published_on", "must be a date such as 1851-10-18")
	}
	if b.Description != nil {
		c.Prose("description", *b.Description, 1, 4000)
	}
	if b.Price == (money.Money{}) {
		c.That(false, "price", "is required")
	} else {
		c.That(b.Price.Currency == "USD", "price.currency", "must be USD")
		c.That(b.Price.Amount >= 1 && b.Price.Amount <= maxPrice, "price.amount", "must be 1 to 100000000 cents")
	}
	return c.Err()
}

// ValidISBN reports whether s is an ISBN-13 with a right check digit
// (ISO 2108: the weights alternate 1 and 3, the sum is a multiple of ten).
func ValidISBN(s string) bool {
	if len(s) != 13 || !(strings.HasPrefix(s, "978") || strings.HasPrefix(s, "979")) {
		return false
	}
	sum := 0
	for i := range len(s) {
		d := int(s[i] - '0')
		if d < 0 || d > 9 {
			return false
		}
		sum += d * (1 + i%2*2)
	}
	return sum%10 == 0
}

// Patch is a merge patch (RFC 7396) of what staff may change: an absent field
// stays, null removes.
type Patch struct {
	Title       web.Optional[string]     `json:"title"`
	Authors     web.Optional[[]string]   `json:"authors"`
	Subject     web.Optional[string]     `json:"subject"`
	Publisher   web.Optional[string]     `json:"publisher"`
	PublishedOn web.Optional[string]     `json:"published_on"`
	Description web.Optional[string]     `json:"description"`
	Price       web.Optional[pricePatch] `json:"price"`
}

// pricePatch is a patch of its own, as the RFC has it for objects.
type pricePatch struct {
	Amount   web.Optional[int64]  `json:"amount"`
	Currency web.Optional[string] `json:"currency"`
}

// Validate refuses the removal of what every book has.
func (p Patch) Validate() error {
	const lasting = "cannot be removed"
	var c fault.Checks
	c.That(!p.Title.Null, "title", lasting)
	c.That(!p.Authors.Null, "authors", lasting)
	c.That(!p.Subject.Null, "subject", lasting)
	c.That(!p.Price.Null, "price", lasting)
	c.That(!p.Price.Value.Amount.Null, "price.amount", lasting)
	c.That(!p.Price.Value.Currency.Null, "price.currency", lasting)
	return c.Err()
}

// Apply changes the book as the patch says.
func (p Patch) Apply(b *Book) {
	set(&b.Title, p.Title)
	set(&b.Authors, p.Authors)
	set(&b.Subject, p.Subject)
	set(&b.Price.Amount, p.Price.Value.Amount)
	set(&b.Price.Currency, p.Price.Value.Currency)
	setOrRemove(&b.Publisher, p.Publisher)
	setOrRemove(&b.PublishedOn, p.PublishedOn)
	setOrRemove(&b.Description, p.Description)
}

func set[T any](field *T, o web.Optional[T]) {
	if o.Set {
		*field = o.Value
	}
}

func setOrRemove[T any](field **T, o web.Optional[T]) {
	switch {
	case o.Null:
		*field = nil
	case o.Set:
		*field = &o.Value
	}
}
