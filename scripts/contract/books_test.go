package contract_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAddingABook(t *testing.T) {
	t.Parallel()

	t.Run("puts it on the shelf, with version 1 and no copies", func(t *testing.T) {
		t.Parallel()
		body := newBook().with("publisher", "Macmillan").with("published_on", "1904-10-25").with("description", "At sea.")
		r := staff(t).post("/v1/books", body).is(http.StatusCreated)
		added := into[book](r)
		require.Equal(t, "/v1/books/"+added.ID, r.header.Get("Location"))
		require.Equal(t, `"1"`, r.header.Get("ETag"))
		require.Equal(t, book{
			ID: added.ID, ISBN: body["isbn"].(string), Title: body["title"].(string), Authors: body["authors"].([]string),
			Subject: body["subject"].(string), Publisher: new("Macmillan"), PublishedOn: new("1904-10-25"),
			Description: new("At sea."), Price: usd(1299), Available: 0, Version: 1,
		}, added)

		shown := anybody(t).get("/v1/books/" + added.ID).is(http.StatusOK)
		require.Equal(t, added, into[book](shown))
		require.Equal(t, `"1"`, shown.header.Get("ETag"))
	})

	t.Run("leaves null what was not said", func(t *testing.T) {
		t.Parallel()
		for _, body := range []object{newBook(), newBook().with("publisher", nil).with("published_on", nil).with("description", nil)} {
			added := staff(t).adds(body)
			require.Nil(t, added.Publisher)
			require.Nil(t, added.PublishedOn)
			require.Nil(t, added.Description)
		}
	})

	t.Run("is refused if its ISBN is taken", func(t *testing.T) {
		t.Parallel()
		first := staff(t).adds(newBook())
		staff(t).post("/v1/books", newBook().with("isbn", first.ISBN)).refused(http.StatusConflict, "isbn-taken")
	})

	fine := newBook()
	isbn := fine["isbn"].(string)
	wrongDigit := isbn[:12] + string('0'+(isbn[12]-'0'+1)%10)
	unacceptable := map[string]struct {
		body  object
		field string
	}{
		"no ISBN":                           {fine.without("isbn"), "isbn"},
		"an ISBN with a wrong check digit":  {fine.with("isbn", wrongDigit), "isbn"},
		"an ISBN of 10 digits":              {fine.with("isbn", "0306406152"), "isbn"},
		"an ISBN with hyphens":              {fine.with("isbn", "978-0-306-40615-7"), "isbn"},
		"a right EAN that is no ISBN":       {fine.with("isbn", "4006381333931"), "isbn"},
		"no title":                          {fine.without("title"), "title"},
		"an empty title":                    {fine.with("title", ""), "title"},
		"a title of 301 characters":         {fine.with("title", strings.Repeat("t", 301)), "title"},
		"a title with U+0000":               {fine.with("title", "The\x00"), "title"},
		"no author":                         {fine.with("authors", []string{}), "authors"},
		"eleven authors":                    {fine.with("authors", strings.Split("a b c d e f g h i j k", " ")), "authors"},
		"an author without a name":          {fine.with("authors", []string{"Jane", ""}), "authors"},
		"no subject":                        {fine.without("subject"), "subject"},
		"a subject of 101 characters":       {fine.with("subject", strings.Repeat("s", 101)), "subject"},
		"an empty publisher":                {fine.with("publisher", ""), "publisher"},
		"a day that the calendar lacks":     {fine.with("published_on", "1905-02-29"), "published_on"},
		"a date in words":                   {fine.with("published_on", "last year"), "published_on"},
		"a description of 4,001 characters": {fine.with("description", strings.Repeat("d", 4001)), "description"},
		"no price":                          {fine.without("price"), "price"},
		"a price of nothing":                {fine.with("price.amount", 0), "price.amount"},
		"a negative price":                  {fine.with("price.amount", -1), "price.amount"},
		"a price above a million dollars":   {fine.with("price.amount", 100_000_001), "price.amount"},
		"another currency":                  {fine.with("price.currency", "EUR"), "price.currency"},
	}
	for name, c := range unacceptable {
		t.Run("is refused with "+name, func(t *testing.T) {
			t.Parallel()
			staff(t).post("/v1/books", c.body).blames(http.StatusUnprocessableEntity, "invalid", c.field)
		})
	}

	unreadable := map[string]struct {
		body  object
		field string
	}{
		"a title that is a number":    {fine.with("title", 1984), "title"},
		"authors that are one text":   {fine.with("authors", "Jane"), "authors"},
		"half a cent":                 {fine.with("price.amount", 0.5), "price.amount"},
		"a price that is text":        {fine.with("price.amount", "1299"), "price.amount"},
		"copies, which are delivered": {fine.with("available", 3), "available"},
	}
	for name, c := range unreadable {
		t.Run("cannot be read with "+name, func(t *testing.T) {
			t.Parallel()
			staff(t).post("/v1/books", c.body).blames(http.StatusBadRequest, "malformed", c.field)
		})
	}
}

func TestEditingABook(t *testing.T) {
	t.Parallel()

	t.Run("changes what the patch names, and nothing else", func(t *testing.T) {
		t.Parallel()
		s := staff(t)
		before := s.adds(newBook().with("publisher", "Macmillan").with("description", "At sea."))

		r := s.patch("/v1/books/"+before.ID, object{"title": "The Sea-Wolf", "price": object{"amount": 999}, "publisher": nil})
		after := before
		after.Title, after.Price, after.Publisher, after.Version = "The Sea-Wolf", usd(999), nil, 2
		require.Equal(t, after, into[book](r.is(http.StatusOK)))
		require.Equal(t, `"2"`, r.header.Get("ETag"))
		require.Equal(t, after, into[book](anybody(t).get("/v1/books/"+before.ID).is(http.StatusOK)))

		r = s.patch("/v1/books/"+before.ID, object{
			"authors": []string{"Jack London", "A Friend"}, "subject": "sailing", "published_on": "1904-10-25", "description": nil,
		})
		after.Authors, after.Subject, after.PublishedOn, after.Description, after.Version =
			[]string{"Jack London", "A Friend"}, "sailing", new("1904-10-25"), nil, 3
		require.Equal(t, after, into[book](r.is(http.StatusOK)))
	})

	t.Run("may call itself plain JSON", func(t *testing.T) {
		t.Parallel()
		b := staff(t).adds(newBook())
		r := staff(t).patch("/v1/books/"+b.ID, object{"title": "Other"}, contentType("application/json")).is(http.StatusOK)
		require.Equal(t, "Other", into[book](r).Title)
	})

	t.Run("with If-Match succeeds only on the version it names", func(t *testing.T) {
		t.Parallel()
		s := staff(t)
		b := s.adds(newBook())
		edit := func(title, ifMatch string) reply {
			return s.patch("/v1/books/"+b.ID, object{"title": title}, header{"If-Match", ifMatch})
		}
		edit("Second", `"1"`).is(http.StatusOK)
		edit("Third", `"1"`).refused(http.StatusPreconditionFailed, "book-changed")
		edit("Third", `"3"`).refused(http.StatusPreconditionFailed, "book-changed")
		edit("Third", `"1", "2"`).is(http.StatusOK)
		edit("Fourth", `*`).is(http.StatusOK)

		now := into[book](s.get("/v1/books/" + b.ID).is(http.StatusOK))
		require.Equal(t, "Fourth", now.Title)
		require.Equal(t, 4, now.Version)
	})

	t.Run("by two at once with the same If-Match succeeds for one", func(t *testing.T) {
		t.Parallel()
		s := staff(t)
		b := s.adds(newBook())
		won := 0
		for _, r := range atOnce(t, 8, func(int) (reply, error) {
			return s.try(http.MethodPatch, "/v1/books/"+b.ID, object{"title": word()}, header{"If-Match", `"1"`})
		}) {
			if r.status == http.StatusOK {
				won++
				continue
			}
			r.refused(http.StatusPreconditionFailed, "book-changed")
		}
		require.Equal(t, 1, won)
	})

	t.Run("is refused as a whole", func(t *testing.T) {
		t.Parallel()
		s := staff(t)
		before := s.adds(newBook())
		refusals := []struct {
			patch  object
			status int
			code   string
			field  string
		}{
			{object{"title": nil}, 422, "invalid", "title"},
			{object{"authors": nil}, 422, "invalid", "authors"},
			{object{"subject": nil}, 422, "invalid", "subject"},
			{object{"price": nil}, 422, "invalid", "price"},
			{object{"title": ""}, 422, "invalid", "title"},
			{object{"authors": []string{}}, 422, "invalid", "authors"},
			{object{"publisher": ""}, 422, "invalid", "publisher"},
			{object{"published_on": "1905-02-29"}, 422, "invalid", "published_on"},
			{object{"price": object{"amount": 0}}, 422, "invalid", "price.amount"},
			{object{"price": object{"amount": 5, "currency": "EUR"}}, 422, "invalid", "price.currency"},
			{object{"isbn": newISBN()}, 400, "malformed", "isbn"},
			{object{"available": 5}, 400, "malformed", "available"},
			{object{"version": 5}, 400, "malformed", "version"},
			{object{"title": 5}, 400, "malformed", "title"},
		}
		for _, c := range refusals {
			patch := object{"description": "Changed."}
			for field, value := range c.patch {
				patch[field] = value
			}
			s.patch("/v1/books/"+before.ID, patch).blames(c.status, c.code, c.field)
		}
		require.Equal(t, before, into[book](s.get("/v1/books/"+before.ID).is(http.StatusOK)))
	})
}
