package main

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/internal/fault"
	"banyan/internal/money"
	"banyan/internal/web"
)

func TestSearchValidates(t *testing.T) {
	t.Parallel()
	at := func(sort, key string) *Position { return &Position{sort, key, isbn(1)} }
	for name, c := range map[string]struct {
		search Search
		kind   fault.Kind
		field  string
	}{
		"an unknown order":                   {Search{Sort: "colour"}, fault.Invalid, "sort"},
		"no order":                           {Search{}, fault.Invalid, "sort"},
		"201 characters":                     {Search{Sort: "title", Words: strings.Repeat("é", 201)}, fault.Invalid, "q"},
		"words with a zero byte":             {Search{Sort: "title", Words: "a\x00"}, fault.Invalid, "q"},
		"words that are not UTF-8":           {Search{Sort: "title", Words: "\xff"}, fault.Invalid, "q"},
		"a subject that is not UTF-8":        {Search{Sort: "title", Subject: "\xff"}, fault.Invalid, "subject"},
		"a position in another order":        {Search{Sort: "price", After: at("title", "5")}, fault.Malformed, "cursor"},
		"a position in no order":             {Search{Sort: "title", After: &Position{}}, fault.Malformed, "cursor"},
		"a price that is none":               {Search{Sort: "price", After: at("price", "cheap")}, fault.Malformed, "cursor"},
		"a price beyond all prices":          {Search{Sort: "price", After: at("price", "99999999999")}, fault.Malformed, "cursor"},
		"an age that is none":                {Search{Sort: "newest", After: at("newest", "")}, fault.Malformed, "cursor"},
		"a title that cannot be one":         {Search{Sort: "title", After: at("title", "\x00")}, fault.Malformed, "cursor"},
		"an ISBN that cannot be one":         {Search{Sort: "price", After: &Position{"price", "5", "\x00"}}, fault.Malformed, "cursor"},
		"an order before it asks for a page": {Search{Sort: "colour", After: at("colour", "5")}, fault.Invalid, "sort"},
	} {
		t.Run("and refuses "+name, func(t *testing.T) {
			t.Parallel()
			err := c.search.Validate()
			require.Equal(t, c.kind, fault.KindOf(err))
			require.Len(t, fault.From(err).Fields, 1)
			require.Equal(t, c.field, fault.From(err).Fields[0].Name)
		})
	}
	for _, q := range []Search{
		{Sort: "title", After: at("title", "")}, {Sort: "price", After: at("price", "100000000")},
		{Sort: "newest", After: at("newest", "3652058")}, {Sort: "title", Words: strings.Repeat("é", 200)},
	} {
		require.NoError(t, q.Validate())
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	called := map[string]string{} // by ISBN
	for n, b := range []struct{ title, author, subject string }{
		{"Moby-Dick; or, The Whale", "Herman Melville", "sea"},
		{"The Sea-Wolf", "Jack London", "sea"},
		{"The Call of the Wild", "Jack London", "dogs"},
		{"Node.js 2.0 in Action", "Mike O'Reilly", "code"},
		{"Live AC/DC", "R.E. Porter", "music"},
		{"हिन्दी व्याकरण", "Émile Zola", "language"},
	} {
		book := novel(n)
		book.Title, book.Authors, book.Subject = b.title, []string{"Somebody Else", b.author}, b.subject
		called[s.adds(book).ISBN] = b.title
	}

	for _, c := range []struct {
		words, subject string
		want           []string
	}{
		{"whale", "", []string{"Moby-Dick; or, The Whale"}},
		{"WHALE moby", "", []string{"Moby-Dick; or, The Whale"}},
		{"wh dic", "", []string{"Moby-Dick; or, The Whale"}},
		{"hale", "", nil},
		{"jack", "", []string{"The Call of the Wild", "The Sea-Wolf"}},
		{"lon wol", "", []string{"The Sea-Wolf"}},
		{"sea-wolf", "", []string{"The Sea-Wolf"}},
		{"the", "sea", []string{"Moby-Dick; or, The Whale", "The Sea-Wolf"}},
		{"jack", "dogs", []string{"The Call of the Wild"}},
		{"", "sea", []string{"Moby-Dick; or, The Whale", "The Sea-Wolf"}},
		{"", "SEA", nil},
		{"", "se", nil},
		{"node.js", "", []string{"Node.js 2.0 in Action"}},
		{"js action", "", []string{"Node.js 2.0 in Action"}},
		{"2.0", "", []string{"Node.js 2.0 in Action"}},
		{"o'reilly", "", []string{"Node.js 2.0 in Action"}},
		{"dc", "", []string{"Live AC/DC"}},
		{"R.E. Porter", "", []string{"Live AC/DC"}},
		{"हिन्दी व्या", "", []string{"हिन्दी व्याकरण"}},
		{"émi", "", []string{"हिन्दी व्याकरण"}},
		{"wolf | whale", "", nil},
		{"!wolf jack", "", []string{"The Sea-Wolf"}},
		{"'); drop table books; --", "", nil},
	} {
		t.Run(fmt.Sprintf("for %q on shelf %q", c.words, c.subject), func(t *testing.T) {
			t.Parallel()
			found, err := s.Search(t.Context(), Search{Words: c.words, Subject: c.subject, Sort: "title", Limit: 20})
			require.NoError(t, err)
			var titles []string
			for _, b := range found {
				titles = append(titles, called[b.ISBN])
			}
			require.Equal(t, c.want, titles)
		})
	}
}

// Whatever the order and the page's size, the pages together are the whole list.
func TestPaging(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	var all []Book
	for n, b := range []struct {
		title string
		price int64
		date  string
	}{
		{"apple", 500, "2001-05-01"},
		{"Banana", 500, "1999-12-31"},
		{"banana", 200, "2001-05-01"},
		{"Zebra", 900, ""},
		{"a tale", 100, "2020-02-29"},
		{"Émile", 9, "0001-01-02"},
		{"apple pie", 500, ""},
		{"BANANA", 2000, "2001-05-01"},
		{"3D", maxPrice, "9999-12-31"},
		{"100%_'\\", 500, "1815-12-23"},
	} {
		// The ISBNs go down, so that no order is the one of adding.
		book := novel(100 - n)
		book.Title, book.Price = b.title, money.USD(b.price)
		if b.date != "" {
			book.PublishedOn = &b.date
		}
		if n%2 == 0 {
			book.Subject = "even"
		}
		all = append(all, s.adds(book))
	}
	slices.SortFunc(all, func(a, b Book) int { return strings.Compare(a.ISBN, b.ISBN) })

	for sort, compare := range map[string]func(a, b Book) int{
		"title":  func(a, b Book) int { return strings.Compare(strings.ToLower(a.Title), strings.ToLower(b.Title)) },
		"price":  func(a, b Book) int { return cmp.Compare(a.Price.Amount, b.Price.Amount) },
		"newest": func(a, b Book) int { return strings.Compare(date(b), date(a)) },
	} {
		for _, subject := range []string{"", "even"} {
			want := slices.Clone(all)
			if subject != "" {
				want = slices.DeleteFunc(want, func(b Book) bool { return b.Subject != subject })
			}
			slices.SortStableFunc(want, compare)
			for limit := 1; limit <= len(want)+1; limit++ {
				t.Run(fmt.Sprintf("by %s, shelf %q, %d a page", sort, subject, limit), func(t *testing.T) {
					t.Parallel()
					s := s.in(t)
					query := url.Values{"sort": {sort}, "limit": {fmt.Sprint(limit)}, "subject": {subject}}
					var got []Book
					for {
						page := s.list(query.Encode())
						got = append(got, page.Items...)
						if page.NextCursor == nil {
							break
						}
						require.Len(t, page.Items, limit)
						require.Less(t, len(got), len(want), "the last page has no cursor")
						query.Set("cursor", *page.NextCursor)
					}
					require.Equal(t, titles(want), titles(got))
				})
			}
		}
	}

	t.Run("goes on in the order it began in", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		cursor := *s.list("sort=price&limit=1").NextCursor
		for _, other := range []string{"", "&sort=title", "&sort=newest"} {
			p := read[problem](t, s.ask("GET", "/v1/books?cursor="+cursor+other, "", ""), 400)
			require.Equal(t, []string{"cursor"}, p.blamed())
		}
		require.Equal(t, 400, s.ask("GET", "/v1/books?cursor=abc", "", "").Code)
		require.Equal(t, 400, s.ask("GET", "/v1/books?cursor="+web.EncodeCursor("books", nil), "", "").Code)
	})
}

// date sorts undated books below all others.
func date(b Book) string {
	if b.PublishedOn == nil {
		return ""
	}
	return *b.PublishedOn
}

func titles(books []Book) (titles []string) {
	for _, b := range books {
		titles = append(titles, b.Title)
	}
	return titles
}
