package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

// pieces are what words are made of: letters with two spellings, with joiners, with
// marks, of two cases or of none, digits, and what only looks like a number.
var pieces = []string{
	"a", "Z", "é", "e\u0301", "É", "ß", "İ", "ı", "Σ", "ς", "ǆ", "ﬁ", "\u212b", "o\u0308\u0304", "x\u0302", "q\u0323\u0307",
	"\u0929", "क्षि", "ශ්\u200dරී", "می\u200cخواهم", "日本", "한국", "\u1112\u1161\u11ab", "Ελλάδα", "𐐀", "𝔄", "ª", "Ⅷ",
	"7", "007", "1e5", "1e", "2", "٣", "१२", "１２",
}

// signs stand between words, and in them.
var signs = []string{
	"'", "’", `"`, `\`, "«", "»", "&", "|", "!", "(", ")", ":", "*", "<", ">", "-", "‐", "—", "_", ".", ",", "/", "//", "@", "%", "+", "=",
	"~", "^", "$", "#", "`", "·", "²", "½", "①", "…", "、", "！", "👩\u200d👩\u200d👧", "❤\ufe0f", "\u00a0", "\u3000", " ", " ", " ", " ",
}

// Each word of a title, and what it begins with, finds the title, however it is
// spelled. A text without a letter or digit finds nothing.
func TestWordsFindTheirOwnTitle(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	b := novel(1)
	b.Authors = []string{"ቃል"} // no piece finds it
	path := "/v1/books/" + s.adds(b).ID.String()
	rapid.Check(t, func(r *rapid.T) {
		parts := rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(pieces), rapid.SampledFrom(signs)), 1, 20).Draw(r, "parts")
		title := strings.TrimSpace(strings.Join(parts, ""))
		if !strings.ContainsFunc(title, searched) {
			title += "x"
		}
		body, err := json.Marshal(map[string]string{"title": title})
		require.NoError(r, err)
		res := s.ask("PATCH", path, "staff", string(body))
		require.Equal(r, 200, res.Code, "%+q: %s", title, res.Body)

		for _, word := range append(strings.Fields(title), title) {
			word = norm.NFC.String(word)
			letters := []rune(word)
			for _, asked := range []string{word, norm.NFD.String(word), string(letters[:rapid.IntRange(1, len(letters)).Draw(r, "length")])} {
				want := 0
				if strings.ContainsFunc(asked, searched) {
					want = 1
				}
				require.Len(r, s.list("q="+url.QueryEscape(asked)).Items, want, "%+q in %+q", asked, title)
			}
		}
	})
}

// searched is what a word can be made of.
func searched(r rune) bool { return unicode.In(r, unicode.L, unicode.Nd, unicode.Nl) }

func TestWordsBesideTheirTitle(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	for n, title := range []string{"L’Étranger : roman", "می\u200cخواهم زنده بمانم", "«Été»", "C\u2010major x² ½", "ΟΔΥΣΣΕΙΑ", "👩\u200d👩\u200d👧"} {
		b := novel(n)
		b.Title, b.Authors = title, []string{"A"}
		s.adds(b)
	}
	for q, want := range map[string]string{
		"etranger":                   "",
		"étranger":                   "L’Étranger : roman",
		"E\u0301TRANGER l":           "L’Étranger : roman",
		"میخواهم":                    "می\u200cخواهم زنده بمانم",
		"می\u200cخو زنده":            "می\u200cخواهم زنده بمانم",
		"été":                        "«Été»",
		"major":                      "C\u2010major x² ½",
		"x2":                         "",
		"οδυσ":                       "ΟΔΥΣΣΕΙΑ",
		"👩\u200d👩\u200d👧":            "",
		"½":                          "",
		"?":                          "",
		" ":                          "",
		"\u200d":                     "",
		"'); drop table books; -- ?": "",
	} {
		t.Run(fmt.Sprintf("for %+q", q), func(t *testing.T) {
			t.Parallel()
			found := s.in(t).list("q=" + url.QueryEscape(q)).Items
			if want == "" {
				require.Empty(t, found)
				return
			}
			require.Equal(t, []string{want}, titles(found))
		})
	}
	t.Run("a parameter without a value lists everything", func(t *testing.T) {
		t.Parallel()
		require.Len(t, s.in(t).list("q=&subject=novels").Items, 6)
	})
	t.Run("a subject is compared as it is, but in NFC", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		b := novel(10)
		b.Subject = "Poésie"
		s.adds(b)
		require.Len(t, s.list("subject=Poe%CC%81sie").Items, 1)
		require.Empty(t, s.list("subject=poe%CC%81sie").Items)
	})
}
