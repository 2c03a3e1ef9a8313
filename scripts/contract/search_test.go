package contract_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// isbns are what tells books apart whatever their order.
func isbns(books []book) []string {
	var found []string
	for _, b := range books {
		found = append(found, b.ISBN)
	}
	return found
}

// listed waits until a list has n books. Lists may be a moment behind.
func listed(t *testing.T, query string, n int) []book {
	t.Helper()
	var found []book
	eventually(t, "the list "+query+" is complete", func() bool {
		found = items[book](anybody(t), "/v1/books?limit=100&"+query)
		return len(found) == n
	})
	return found
}

func TestSearch(t *testing.T) {
	t.Parallel()
	s := staff(t)
	wolf, sea, jack, shelf := word(), word(), word(), word()
	both := s.adds(newBook().with("title", "The "+sea+" "+wolf).with("authors", []string{"Jack " + jack}).with("subject", shelf))
	one := s.adds(newBook().with("title", "A Lone "+strings.ToUpper(wolf)).with("authors", []string{"Ann", "Jack " + jack}))

	finds := map[string]struct {
		query string
		want  []string
	}{
		"a word of the title":                        {"q=" + wolf, []string{both.ISBN, one.ISBN}},
		"whatever the case":                          {"q=" + strings.ToUpper(wolf), []string{both.ISBN, one.ISBN}},
		"what a word begins with":                    {"q=" + wolf[:9], []string{both.ISBN, one.ISBN}},
		"only what has every word":                   {"q=" + sea + "+" + wolf, []string{both.ISBN}},
		"words in any order":                         {"q=" + wolf[:9] + "+" + sea, []string{both.ISBN}},
		"any of the authors":                         {"q=" + jack, []string{both.ISBN, one.ISBN}},
		"a word of the title and one of the authors": {"q=" + sea + "+" + jack[:9], []string{both.ISBN}},
		"only on the shelf asked for":                {"q=" + wolf + "&subject=" + shelf, []string{both.ISBN}},
		"everything on a shelf":                      {"subject=" + shelf, []string{both.ISBN}},
	}
	for name, c := range finds {
		t.Run("finds "+name, func(t *testing.T) {
			t.Parallel()
			require.ElementsMatch(t, c.want, isbns(listed(t, c.query, len(c.want))))
		})
	}

	misses := map[string]string{
		"the middle of a word":          "q=" + wolf[3:],
		"what only one word matches":    "q=" + wolf + "+" + word(),
		"a shelf of another spelling":   "subject=" + strings.ToUpper(shelf),
		"a shelf by how it begins":      "subject=" + shelf[:9],
		"a word of the other book":      "q=" + sea + "+lone",
		"operators of a query language": "q=" + wolf + "+%26+%21" + word(),
	}
	for name, query := range misses {
		t.Run("does not find "+name, func(t *testing.T) {
			t.Parallel()
			require.Empty(t, items[book](anybody(t), "/v1/books?"+query))
		})
	}

	t.Run("takes any text for words", func(t *testing.T) {
		t.Parallel()
		for _, q := range []string{"%27", "%22", "%5C", "%3A%2A", "%28%26", "%21%21", "%7C", "%3C-%3E", "%F0%9F%93%9A", "a%27%3B--"} {
			anybody(t).get("/v1/books?limit=1&q=" + q).is(http.StatusOK)
		}
	})

	refusals := map[string]struct{ query, field string }{
		"another order":           {"sort=colour", "sort"},
		"201 characters":          {"q=" + strings.Repeat("x", 201), "q"},
		"words with U+0000":       {"q=a%00b", "q"},
		"words that are no UTF-8": {"q=%FF%FE", "q"},
		"a shelf with U+0000":     {"subject=a%00b", "subject"},
	}
	for name, c := range refusals {
		t.Run("refuses "+name, func(t *testing.T) {
			t.Parallel()
			anybody(t).get("/v1/books?"+c.query).blames(http.StatusUnprocessableEntity, "invalid", c.field)
		})
	}
}

func TestSorting(t *testing.T) {
	t.Parallel()
	shelf := word()
	for _, b := range []struct {
		title string
		price int
		date  any
	}{
		{"apple", 500, "2001-05-01"},
		{"Banana", 500, "1999-12-31"},
		{"banana", 200, "2001-05-01"},
		{"Zebra", 900, nil},
		{"a tale", 100, "2020-02-29"},
		{"apple pie", 500, nil},
		{"BANANA", 200, "2001-05-01"},
	} {
		staff(t).adds(newBook().with("title", b.title).with("subject", shelf).with("published_on", b.date).
			with("price.amount", b.price))
	}
	all := listed(t, "subject="+shelf, 7)
	slices.SortFunc(all, func(a, b book) int { return strings.Compare(a.ISBN, b.ISBN) })

	byTitle := func(a, b book) int { return strings.Compare(strings.ToLower(a.Title), strings.ToLower(b.Title)) }
	byPrice := func(a, b book) int { return int(a.Price.Amount - b.Price.Amount) }
	byDate := func(a, b book) int { return strings.Compare(date(b), date(a)) }
	for query, order := range map[string]func(a, b book) int{
		"": byTitle, "&sort=title": byTitle, "&sort=price": byPrice, "&sort=newest": byDate,
	} {
		path := "/v1/books?subject=" + shelf + query
		want := slices.Clone(all)
		slices.SortStableFunc(want, order)

		t.Run("orders by"+query+" and then by ISBN", func(t *testing.T) {
			t.Parallel()
			require.Equal(t, isbns(want), isbns(items[book](anybody(t), path+"&limit=100")))
		})
		for _, limit := range []string{"1", "2", "3", "7"} {
			t.Run("by"+query+" is the same in pages of "+limit, func(t *testing.T) {
				t.Parallel()
				require.Equal(t, isbns(want), isbns(allPages[book](anybody(t), path+"&limit="+limit)))
			})
		}
	}
}

// date sorts undated books below all others.
func date(b book) string {
	if b.PublishedOn == nil {
		return ""
	}
	return *b.PublishedOn
}

func TestBooksByID(t *testing.T) {
	t.Parallel()
	s := staff(t)
	first, second, third := s.adds(newBook()), s.adds(newBook()), s.adds(newBook())
	ask := func(t *testing.T, ids ...string) reply {
		return anybody(t).get("/v1/books?ids=" + strings.Join(ids, ","))
	}

	t.Run("come in the order asked, the unknown left out, on one page", func(t *testing.T) {
		t.Parallel()
		found := into[list[book]](ask(t, third.ID, unknownID(), first.ID, second.ID).is(http.StatusOK))
		require.Equal(t, []string{third.ISBN, first.ISBN, second.ISBN}, isbns(found.Items))
		require.Nil(t, found.NextCursor)
	})

	t.Run("come once each", func(t *testing.T) {
		t.Parallel()
		found := into[list[book]](ask(t, second.ID, first.ID, second.ID).is(http.StatusOK))
		require.Equal(t, []string{second.ISBN, first.ISBN}, isbns(found.Items))
	})

	t.Run("may be a hundred, all on the page", func(t *testing.T) {
		t.Parallel()
		ids := []string{first.ID}
		for len(ids) < 100 {
			ids = append(ids, unknownID())
		}
		require.Equal(t, []string{first.ISBN}, isbns(into[list[book]](ask(t, ids...).is(http.StatusOK)).Items))
		ask(t, append(ids, second.ID)...).blames(http.StatusUnprocessableEntity, "invalid", "ids")
	})

	for _, other := range []string{"q=sea", "subject=fiction", "sort=title", "limit=5", "cursor=abc"} {
		t.Run("combine not with "+other, func(t *testing.T) {
			t.Parallel()
			anybody(t).get("/v1/books?ids="+first.ID+"&"+other).blames(http.StatusUnprocessableEntity, "invalid", "ids")
		})
	}

	t.Run("have to be UUIDs", func(t *testing.T) {
		t.Parallel()
		for _, bad := range []string{"7", first.ID + ",", "," + first.ID, first.ID + "%3B" + second.ID} {
			ask(t, bad).blames(http.StatusBadRequest, "malformed", "ids")
		}
	})
}
