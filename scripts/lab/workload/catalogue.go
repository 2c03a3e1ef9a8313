package workload

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/google/uuid"

	"banyan/scripts/lab/seed"
)

// Catalogue is what the browsers know of the seeded data before they ask.
type Catalogue struct {
	books       []seed.Book // those that sold best first
	subjects    []string
	titleWords  []string // in lower case
	authorWords []string
	readers     []reader
}

// reader is a customer of the seeded data who has ordered before.
type reader struct {
	email string
	order string // the latest one's id
}

// NewCatalogue is made from the data that the shop was seeded with.
func NewCatalogue(data *seed.Data) *Catalogue {
	s := &Catalogue{books: byCopiesSold(data), readers: buyers(data)}
	subjects, titles, authors := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, book := range data.Books {
		subjects[book.Subject] = true
		addWords(titles, book.Title)
		for _, author := range book.Authors {
			addWords(authors, author)
		}
	}
	s.subjects = slices.Sorted(maps.Keys(subjects))
	s.titleWords = slices.Sorted(maps.Keys(titles))
	s.authorWords = slices.Sorted(maps.Keys(authors))
	return s
}

// byCopiesSold orders the books by how the past orders did.
func byCopiesSold(data *seed.Data) []seed.Book {
	sold := map[uuid.UUID]int{}
	for order := range data.AllOrders() {
		for _, item := range order.Items {
			sold[item.BookID] += item.Quantity
		}
	}
	books := slices.Clone(data.Books)
	slices.SortFunc(books, func(a, b seed.Book) int {
		return cmp.Or(cmp.Compare(sold[b.ID], sold[a.ID]), strings.Compare(a.ISBN, b.ISBN))
	})
	return books
}

// buyers are the customers with an order, whose Order Display has something to show from the start.
func buyers(data *seed.Data) []reader {
	latest := map[uuid.UUID]string{}
	for order := range data.AllOrders() {
		latest[order.AccountID] = order.ID.String()
	}
	var readers []reader
	for _, account := range data.Accounts {
		if order, bought := latest[account.ID]; bought {
			readers = append(readers, reader{account.Email, order})
		}
	}
	return readers
}

// addWords adds the words worth searching for. How others than the plain letters are lower-cased is left
// to the shop, so words with them are not used.
func addWords(to map[string]bool, text string) {
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return !unicode.IsLetter(r) }) {
		word = strings.ToLower(word)
		if len(word) >= 4 && isASCII(word) {
			to[word] = true
		}
	}
}

func isASCII(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r > unicode.MaxASCII }) < 0
}

// takeReaders returns n customers for the browsers.
func (s *Catalogue) takeReaders(n int) ([]reader, error) {
	if n > len(s.readers) {
		return nil, fmt.Errorf("the seeded data have %d customers with an order, not %d: take fewer, or a larger seed size",
			len(s.readers), n)
	}
	return s.readers[:n], nil
}
