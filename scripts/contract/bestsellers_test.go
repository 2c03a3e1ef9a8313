package contract_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestBestsellers is slow, for an answer may be 30 s old, and waits for it in one place only.
func TestBestsellers(t *testing.T) {
	t.Parallel()
	const fresh = 45 * time.Second
	shelf, other := word(), word()
	onShelf := func(name string) book { return stocked(t, newBook().with("subject", name), 20) }
	most, tied, tiedToo, elsewhere, unsold := onShelf(shelf), onShelf(shelf), onShelf(shelf), onShelf(other), onShelf(shelf)

	ada, ben := customer(t), customer(t)
	ada.puts(5, most)
	ada.puts(2, tied)
	ada.puts(2, elsewhere)
	cancelled := ada.buys()
	ben.puts(3, most)
	ben.puts(1, tied)
	ben.puts(1, tiedToo)
	ben.buys()

	type sale struct {
		isbn string
		sold int
	}
	sells := func(shelf string, want ...sale) {
		t.Helper()
		var got []sale
		within(t, fresh, "the bestsellers are counted", func() bool {
			got = nil
			for _, b := range items[book](anybody(t), "/v1/books/bestsellers?subject="+shelf) {
				got = append(got, sale{b.ISBN, b.Sold})
			}
			return slices.Equal(want, got)
		})
	}
	sells(shelf, sale{most.ISBN, 8}, sale{tied.ISBN, 3}, sale{tiedToo.ISBN, 1})
	sells(other, sale{elsewhere.ISBN, 2})

	ada.cancels(cancelled.ID).is(http.StatusOK)
	tie := []sale{{tied.ISBN, 1}, {tiedToo.ISBN, 1}}
	slices.SortFunc(tie, func(a, b sale) int { return strings.Compare(a.isbn, b.isbn) })
	sells(shelf, append([]sale{{most.ISBN, 3}}, tie...)...)
	sells(other)

	require.LessOrEqual(t, len(items[book](anybody(t), "/v1/books/bestsellers")), 50)
	require.NotContains(t, isbns(items[book](anybody(t), "/v1/books/bestsellers")), unsold.ISBN)
}
