package catalog

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/internal/fault"
	"banyan/internal/money"
)

func TestISBN(t *testing.T) {
	t.Parallel()
	for s, valid := range map[string]bool{
		"9780142437247":     true,
		"9791034304455":     true,
		"9780000000002":     true, // the check digit can be anything
		"9780142437248":     false,
		"9780142437274":     false, // two digits changed places
		"978014243724":      false,
		"97801424372470":    false,
		"978-0-14-243724-7": false,
		"978014243724X":     false,
		"978014243724７":     false, // a digit, but of another script
		"4006381333931":     false, // an EAN of something else
		"0142437247":        false,
		"":                  false,
	} {
		require.Equal(t, valid, ValidISBN(s), s)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	full := novel(1)
	full.Publisher, full.PublishedOn, full.Description = new("Murray"), new("1815-12-23"), new("A match.\r\n\n\tOr two.\n")
	require.NoError(t, novel(1).Validate())
	require.NoError(t, full.Validate())

	for name, c := range map[string]struct {
		spoil func(*Book)
		want  []string
	}{
		"a wrong ISBN":                       {func(b *Book) { b.ISBN = "9780142437248" }, []string{"isbn"}},
		"no title":                           {func(b *Book) { b.Title = "" }, []string{"title"}},
		"space around the title":             {func(b *Book) { b.Title = " Emma" }, []string{"title"}},
		"a title of two lines":               {func(b *Book) { b.Title = "Em\nma" }, []string{"title"}},
		"a title of 301 characters":          {func(b *Book) { b.Title = strings.Repeat("é", 301) }, []string{"title"}},
		"no author":                          {func(b *Book) { b.Authors = nil }, []string{"authors"}},
		"eleven authors":                     {func(b *Book) { b.Authors = strings.Split("abcdefghijk", "") }, []string{"authors"}},
		"an author without a name":           {func(b *Book) { b.Authors = []string{"Jane", ""} }, []string{"authors"}},
		"no subject":                         {func(b *Book) { b.Subject = "" }, []string{"subject"}},
		"an empty publisher":                 {func(b *Book) { b.Publisher = new("") }, []string{"publisher"}},
		"a day that no calendar has":         {func(b *Book) { b.PublishedOn = new("1815-02-29") }, []string{"published_on"}},
		"a date in another form":             {func(b *Book) { b.PublishedOn = new("23.12.1815") }, []string{"published_on"}},
		"the year 0, which no calendar has":  {func(b *Book) { b.PublishedOn = new("0000-12-23") }, []string{"published_on"}},
		"a description of nothing but space": {func(b *Book) { b.Description = new(" \n ") }, []string{"description"}},
		"a description with a zero byte":     {func(b *Book) { b.Description = new("a \x00") }, []string{"description"}},
		"a description that ends a page":     {func(b *Book) { b.Description = new("a\fb") }, []string{"description"}},
		"a description of 4,001 characters":  {func(b *Book) { b.Description = new("d" + strings.Repeat(" ", 3999) + "d") }, []string{"description"}},
		"no price":                           {func(b *Book) { b.Price = money.Money{} }, []string{"price"}},
		"a price of nothing":                 {func(b *Book) { b.Price = money.USD(0) }, []string{"price.amount"}},
		"a price above a million":            {func(b *Book) { b.Price = money.USD(maxPrice + 1) }, []string{"price.amount"}},
		"another currency":                   {func(b *Book) { b.Price.Currency = "EUR" }, []string{"price.currency"}},
		"more than one thing, and names all": {func(b *Book) { b.ISBN, b.Title, b.Subject = "", "", "" }, []string{"isbn", "title", "subject"}},
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			t.Parallel()
			b := full
			c.spoil(&b)
			err := b.Validate()
			require.Equal(t, fault.Invalid, fault.KindOf(err))
			var blamed []string
			for _, f := range fault.From(err).Fields {
				blamed = append(blamed, f.Name)
			}
			require.Equal(t, c.want, blamed)
		})
	}
	t.Run("takes the limits themselves", func(t *testing.T) {
		t.Parallel()
		b := full
		b.Title, b.Authors = strings.Repeat("é", 300), strings.Split("abcdefghij", "")
		b.PublishedOn, b.Description, b.Price = new("0001-01-01"), new(strings.Repeat("é\n", 2000)), money.USD(maxPrice)
		require.NoError(t, b.Validate())
	})
}

// RFC 7396: what is absent stays, null removes, anything else replaces; objects
// are merged, lists are not.
func TestPatch(t *testing.T) {
	t.Parallel()
	before := novel(1)
	before.Publisher, before.PublishedOn, before.Description = new("Murray"), new("1815-12-23"), new("A match.")

	for patch, change := range map[string]func(*Book){
		`{}`:                            func(*Book) {},
		`{"title":"Persuasion"}`:        func(b *Book) { b.Title = "Persuasion" },
		`{"authors":["A Lady"]}`:        func(b *Book) { b.Authors = []string{"A Lady"} },
		`{"subject":"classics"}`:        func(b *Book) { b.Subject = "classics" },
		`{"publisher":"Egerton"}`:       func(b *Book) { b.Publisher = new("Egerton") },
		`{"publisher":null}`:            func(b *Book) { b.Publisher = nil },
		`{"published_on":"1816-01-01"}`: func(b *Book) { b.PublishedOn = new("1816-01-01") },
		`{"published_on":null}`:         func(b *Book) { b.PublishedOn = nil },
		`{"description":null}`:          func(b *Book) { b.Description = nil },
		`{"price":{}}`:                  func(*Book) {},
		`{"price":{"amount":5}}`:        func(b *Book) { b.Price.Amount = 5 },
		`{"price":{"currency":"EUR"}}`:  func(b *Book) { b.Price.Currency = "EUR" },
		`{"title":"A","publisher":null,"price":{"amount":5}}`: func(b *Book) {
			b.Title, b.Publisher, b.Price.Amount = "A", nil, 5
		},
	} {
		t.Run(patch, func(t *testing.T) {
			t.Parallel()
			var p Patch
			require.NoError(t, json.Unmarshal([]byte(patch), &p))
			require.NoError(t, p.Validate())
			got, want := before, before
			p.Apply(&got)
			change(&want)
			require.Equal(t, want, got)
			require.Equal(t, "Murray", *before.Publisher, "the book as it was is not touched")
		})
	}
	t.Run("does not remove what every book has, and always says so in the same order", func(t *testing.T) {
		t.Parallel()
		const patch = `{"price":{"currency":null,"amount":null},"subject":null,"authors":null,"title":null}`
		var p Patch
		require.NoError(t, json.Unmarshal([]byte(patch), &p))
		for range 10 {
			var blamed []string
			for _, f := range fault.From(p.Validate()).Fields {
				blamed = append(blamed, f.Name)
			}
			require.Equal(t, []string{"title", "authors", "subject", "price.amount", "price.currency"}, blamed)
		}
		require.NoError(t, json.Unmarshal([]byte(`{"price":null}`), &p))
		require.ErrorContains(t, p.Validate(), "price")
	})
}

func TestIfMatch(t *testing.T) {
	t.Parallel()
	anything, nothing := []int(nil), []int{}
	for name, c := range map[string]struct {
		lines []string
		want  []int
	}{
		"absent":                          {nil, anything},
		"empty":                           {[]string{""}, anything},
		"a star":                          {[]string{" * "}, anything},
		"one version":                     {[]string{`"3"`}, []int{3}},
		"several":                         {[]string{`"1", "2" ,"3"`}, []int{1, 2, 3}},
		"several lines":                   {[]string{`"1"`, `"2"`}, []int{1, 2}},
		"one of ours among others":        {[]string{`"abc", "2"`}, []int{2}},
		"a weak tag, which never matches": {[]string{`W/"3"`}, nothing},
		"no quotes":                       {[]string{`3`}, nothing},
		"one quote":                       {[]string{`"3`}, nothing},
		"another way to write a number":   {[]string{`"03", "+3", " 3"`}, nothing},
		"somebody else's tag":             {[]string{`"abc"`}, nothing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, ifMatch(http.Header{"If-Match": c.lines}))
		})
	}
}
