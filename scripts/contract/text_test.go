package contract_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"
)

// finds reports whether a search finds the book, among others or alone.
func (v visitor) finds(b book, q string) bool {
	v.t.Helper()
	query := "/v1/books?subject=" + url.QueryEscape(b.Subject) + "&q=" + url.QueryEscape(q)
	return len(into[list[book]](v.get(query).is(http.StatusOK)).Items) > 0
}

// An é is one character, or an e and an accent; to a reader they are the same.
func TestTextInTwoSpellings(t *testing.T) {
	t.Parallel()
	both := map[string]func(string) string{"in one character": norm.NFC.String, "in two characters": norm.NFD.String}

	t.Run("is one address and one name, but not one password", func(t *testing.T) {
		t.Parallel()
		v := anybody(t)
		email, secret := "zoë."+newEmail(), "café au lait"
		r := v.post("/v1/accounts", object{"email": norm.NFD.String(email), "password": norm.NFD.String(secret), "name": norm.NFD.String("Zoë")})
		zoe := into[account](r.is(http.StatusCreated))
		require.Equal(t, email, zoe.Email)
		require.Equal(t, "Zoë", zoe.Name)
		for _, spell := range both {
			for _, address := range []string{email, strings.ToUpper(email)} {
				v.post("/v1/accounts", registration(spell(address))).refused(http.StatusConflict, "email-taken")
				require.Equal(t, zoe, v.signIn(spell(address), norm.NFD.String(secret)).Account)
			}
		}
		v.post("/v1/sessions", object{"email": email, "password": secret}).refused(http.StatusUnauthorized, "wrong-credentials")
	})

	for name, spell := range both {
		t.Run(name+" is kept in one, and found by either", func(t *testing.T) {
			t.Parallel()
			shelf := "poésie " + word()
			b := staff(t).adds(newBook().with("title", spell("L’Été à Łódź")).with("authors", []string{spell("Zoë Ågren")}).
				with("subject", spell(shelf)).with("publisher", spell("Éditions")).with("description", spell("Très\nbien")))
			require.Equal(t, "L’Été à Łódź", b.Title)
			require.Equal(t, []string{"Zoë Ågren"}, b.Authors)
			require.Equal(t, shelf, b.Subject)
			require.Equal(t, "Éditions", *b.Publisher)
			require.Equal(t, "Très\nbien", *b.Description)
			for _, other := range both {
				for _, q := range []string{"été", "ÉTÉ", "łód", "zoë ågr", "l’été"} {
					require.True(t, anybody(t).finds(b, other(q)), "%+q", other(q))
				}
				found := items[book](anybody(t), "/v1/books?subject="+url.QueryEscape(other(shelf)))
				require.Equal(t, []string{b.ISBN}, isbns(found))
			}
			edited := into[book](staff(t).patch("/v1/books/"+b.ID, object{"title": spell("Hôtel")}).is(http.StatusOK))
			require.Equal(t, "Hôtel", edited.Title)
		})
	}

	t.Run("counts as what is kept", func(t *testing.T) {
		t.Parallel()
		long := strings.Repeat("e\u0301", 300)
		require.Equal(t, strings.Repeat("é", 300), staff(t).adds(newBook().with("title", long)).Title)
		staff(t).post("/v1/books", newBook().with("title", long+"e\u0301")).blames(http.StatusUnprocessableEntity, "invalid", "title")
	})

	t.Run("is one address of a parcel, but two bodies under one key", func(t *testing.T) {
		t.Parallel()
		ada, b, k := customer(t), bookWith(t, 5), freshKey()
		ada.puts(1, b)
		o := ada.settles(ada.post("/v1/orders", checkout("tok_visa").with("shipping_address.city", norm.NFD.String("Łódź")), k))
		require.Equal(t, "Łódź", o.ShippingAddress.City)
		again := checkout("tok_visa").with("shipping_address.city", "Łódź")
		ada.post("/v1/orders", again, k).refused(http.StatusUnprocessableEntity, "key-reused")
	})
}

func TestWordsOfASearch(t *testing.T) {
	t.Parallel()

	t.Run("find their own title, whatever letters they have", func(t *testing.T) {
		t.Parallel()
		for _, title := range []string{
			"می\u200cخواهم زنده بمانم", "ශ්\u200dරී ලංකා", "हिन्दी व्याकरण", "日本語 文法", "Ελλάδα ΟΔΥΣΣΕΙΑ", "İstanbul ışık", "Straße ǆungla ﬁn",
			"x\u0302y q\u0323\u0307", "१२ ٣٤ １２ 007 1e5 3D", "𐐀𐐁 𝔄𝔅", "«Été» ‘a’ “b” „c“ ¿d? ¡e!", "O’Neill’s ‐well‑known— a·b…", `back\slash "quoted" 'n' all|&!(x):*`,
			"C++ C# .NET Node.js 2.0 -5 1.5e3 a@b.example http://a.example/b?c", "snake_case ~tilde~ ^up^",
		} {
			b := staff(t).adds(newBook().with("title", title).with("authors", []string{"ቃል"}))
			for _, q := range append(strings.Fields(title), title, title[:len(title)/2]) {
				q = strings.ToValidUTF8(q, "")
				require.True(t, anybody(t).finds(b, q), "%+q in %+q", q, title)
			}
		}
	})

	t.Run("are the same with joiners and without", func(t *testing.T) {
		t.Parallel()
		b := staff(t).adds(newBook().with("title", "می\u200cخواهم"))
		require.True(t, anybody(t).finds(b, "میخواهم"))
		require.True(t, anybody(t).finds(b, "می\u200cخوا"))
	})

	t.Run("if there is none, find nothing", func(t *testing.T) {
		t.Parallel()
		b := staff(t).adds(newBook().with("title", "👩\u200d👩\u200d👧 ? ½"))
		for _, q := range []string{"?", " ", "\t", "'", "\u200d", "½", "👩\u200d👩\u200d👧", "&!|()", "…"} {
			require.False(t, anybody(t).finds(b, q), "%+q", q)
			require.Empty(t, into[list[book]](anybody(t).get("/v1/books?q="+url.QueryEscape(q)).is(http.StatusOK)).Items, "%+q", q)
		}
		require.True(t, anybody(t).finds(b, ""), "an empty q is as an absent one")
	})
}

func TestCharacters(t *testing.T) {
	t.Parallel()

	t.Run("that a spelling depends on are text", func(t *testing.T) {
		t.Parallel()
		for _, text := range []string{"می\u200cخواهم", "ශ්\u200dරී", "👩\u200d👩\u200d👧", "❤\ufe0f", "الله\u06dd", "Qui\u00a0?"} {
			require.Equal(t, text, staff(t).adds(newBook().with("title", text)).Title)
		}
		named := registration(newEmail()).with("name", "می\u200cخواهم")
		require.Equal(t, named["name"], into[account](anybody(t).post("/v1/accounts", named).is(http.StatusCreated)).Name)
	})

	for name, text := range map[string]string{
		"a control character":      "a\x1bb",
		"an override":              "a\u202eb",
		"an isolate":               "a\u2066b",
		"a mark of the direction":  "a\u200eb",
		"a soft hyphen":            "a\u00adb",
		"a space of no width":      "a\u200bb",
		"a byte order mark":        "a\ufeffb",
		"an invisible tag":         "a\U000e0061",
		"a line separator":         "a\u2028b",
		"joiners and nothing else": "\u200d\u200c",
	} {
		t.Run("such as "+name+" are refused", func(t *testing.T) {
			t.Parallel()
			for field, sent := range map[string]any{
				"title": text, "authors": []string{text}, "subject": text, "publisher": text, "description": text,
			} {
				staff(t).post("/v1/books", newBook().with(field, sent)).blames(http.StatusUnprocessableEntity, "invalid", field)
			}
			anybody(t).post("/v1/accounts", registration(newEmail()).with("name", text)).blames(http.StatusUnprocessableEntity, "invalid", "name")
			anybody(t).post("/v1/accounts", registration("a"+text+newEmail())).blames(http.StatusUnprocessableEntity, "invalid", "email")
		})
	}

	t.Run("of a description may be tabs and line breaks, and all of them count", func(t *testing.T) {
		t.Parallel()
		for _, text := range []string{"  Fog\r\n\tand more  ", "d" + strings.Repeat("\n", 3999)} {
			require.Equal(t, text, *staff(t).adds(newBook().with("description", text)).Description)
		}
		for _, text := range []string{" \n\t", "a\fb", "a\vb", "a\u0085b", "d" + strings.Repeat(" ", 3999) + "d"} {
			staff(t).post("/v1/books", newBook().with("description", text)).blames(http.StatusUnprocessableEntity, "invalid", "description")
		}
	})
}
