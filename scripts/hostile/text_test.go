package hostile_test

import (
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// injected would begin a header of a mail, a line of a log, a command of SMTP, or
// end a string of C; the last three change what a terminal or a reader sees.
var injected = []string{
	"\r\nBcc: mallory@hostile.example", "\nBcc: mallory@hostile.example", "\rX", "\r\n.\r\nMAIL FROM:<mallory@hostile.example>", "\x00", "\x1b[2J", "\u2028X", "\u202eX",
}

func quoted(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err) // a text
	}
	return string(b)
}

func TestControlCharacters(t *testing.T) {
	t.Parallel()
	at(t, doors(t), func(t *testing.T, d door) {
		eve := bearer(d.eve(t).session)
		staff := bearer(d.staff(t).session)
		for _, evil := range injected {
			email := newEmail()
			for _, body := range []string{
				`{"email":` + quoted(email+evil) + `,"password":"correct horse","name":"Eve"}`,
				`{"email":` + quoted(evil+email) + `,"password":"correct horse","name":"Eve"}`,
				`{"email":` + quoted(email) + `,"password":"correct horse","name":` + quoted("Eve"+evil) + `}`,
				`{"email":` + quoted(`"Eve`+evil+`" <`+email+`>`) + `,"password":"correct horse","name":"Eve"}`,
			} {
				d.ask(t, "POST", "/v1/accounts", body).refused(http.StatusUnprocessableEntity)
			}
			for _, field := range []string{"name", "street", "city", "postcode", "country"} {
				var to map[string]string
				require.NoError(t, json.Unmarshal([]byte(address), &to))
				to[field] += evil
				body, err := json.Marshal(map[string]any{"payment": map[string]string{"token": "tok_visa"}, "shipping_address": to})
				require.NoError(t, err)
				d.ask(t, "POST", "/v1/orders", string(body), eve, "Idempotency-Key: "+uuid.NewString()).refused(http.StatusUnprocessableEntity)
			}
			card := strings.Replace(checkout, `"tok_visa"`, quoted("tok_visa"+evil), 1)
			d.ask(t, "POST", "/v1/orders", card, eve, "Idempotency-Key: "+uuid.NewString()).refused(http.StatusUnprocessableEntity)
			for _, field := range []string{"title", "subject", "publisher"} {
				book := map[string]any{
					"isbn": "9780306406157", "title": "T", "authors": []string{"A"}, "subject": "s", "price": map[string]any{"amount": 1, "currency": "USD"},
				}
				book[field] = "x" + evil
				body, err := json.Marshal(book)
				require.NoError(t, err)
				d.ask(t, "POST", "/v1/books", string(body), staff).refused(http.StatusUnprocessableEntity)
			}
			// A sign-in is looked up, not kept: it is merely wrong.
			d.ask(t, "POST", "/v1/sessions", credentials(email+evil, "wrong")).refused(http.StatusUnauthorized)
		}
	})
	t.Run("in headers that are repeated or kept", func(t *testing.T) {
		t.Parallel()
		for _, d := range doors(t) {
			for _, id := range []string{"a b", "<script>", strings.Repeat("x", 65), "{\"level\":\"ERROR\"}", "é"} {
				a := d.ask(t, "GET", "/v1/books?limit=1", "", "X-Request-Id: "+id).is(http.StatusOK)
				require.NotContains(t, a.header.Get("X-Request-Id"), id, "it is not repeated")
			}
			for _, key := range []string{"", strings.Repeat("x", 256), "é", "a\tb"} {
				d.ask(t, "POST", "/v1/orders", checkout, bearer(d.eve(t).session), "Idempotency-Key: "+key).refused(http.StatusBadRequest)
			}
			d.wire(t, "GET /v1/books?limit=1 HTTP/1.1", "X-A: b\x00c").is(http.StatusBadRequest)
		}
	})
}

// The mail page shows what customers are called and what books are called.
func TestHTMLOnTheMailPage(t *testing.T) {
	t.Parallel()
	const evil = `<script>alert("hostile")</script><img src=x onerror=alert(1)>'"&`
	at(t, doors(t), func(t *testing.T, d door) {
		p := d.register(t, evil)
		outside := door{"the world outside", theLab(t).OutsideURL}
		var page answer
		eventually(t, "the mail of welcome arrives", func() bool {
			page = outside.ask(t, "GET", "/mail?to="+url.QueryEscape(p.Email), "").is(http.StatusOK)
			return strings.Contains(string(page.body), "Welcome to Banyan")
		})
		text := strings.ToLower(string(page.body))
		require.NotContains(t, text, "<script>alert")
		require.NotContains(t, text, "<img")
		require.Contains(t, html.UnescapeString(string(page.body)), evil, "it is shown as it was typed")
		require.Contains(t, page.header.Get("Content-Security-Policy"), "default-src 'none'")

		query := outside.ask(t, "GET", "/mail?to="+url.QueryEscape(`"><script>alert(1)</script>`), "").is(http.StatusOK)
		require.NotContains(t, string(query.body), "<script>alert")

		me := d.ask(t, "GET", "/v1/accounts/me", "", bearer(p.session)).is(http.StatusOK)
		require.Equal(t, "application/json", me.header.Get("Content-Type"))
		require.NotContains(t, string(me.body), "<", "JSON that a browser took for a page would still hold no tag")
	})
	t.Run("a title is text, wherever it is shown", func(t *testing.T) {
		t.Parallel()
		for _, d := range doors(t) {
			staff := bearer(d.staff(t).session)
			book := d.bookID(t)
			was := into[struct{ Title string }](d.ask(t, "GET", "/v1/books/"+book, "").is(http.StatusOK)).Title
			d.ask(t, "PATCH", "/v1/books/"+book, `{"title":`+quoted(evil)+`}`, staff).is(http.StatusOK)
			a := d.ask(t, "GET", "/v1/books/"+book, "").is(http.StatusOK)
			d.ask(t, "PATCH", "/v1/books/"+book, `{"title":`+quoted(was)+`}`, staff).is(http.StatusOK)
			require.NotContains(t, string(a.body), "<")
			require.Equal(t, evil, into[struct{ Title string }](a).Title)
		}
	})
}
