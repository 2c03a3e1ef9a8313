package seed

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"
)

func TestWorks(t *testing.T) {
	t.Parallel()
	works := Works()
	require.GreaterOrEqual(t, len(works), 400)

	seen := map[string]bool{}
	subjects := map[string]int{}
	for _, work := range works {
		key := work.Title + " by " + enumerate(work.Authors)
		require.False(t, seen[key], "%s is there twice", key)
		seen[key] = true
		subjects[work.Subject]++

		require.Less(t, work.Year, 1929, key)
		require.NotZero(t, work.Year, key)
		for _, text := range append([]string{work.Subject, work.Title, work.Form, work.Language}, work.Authors...) {
			require.NotEmpty(t, text, key)
			require.Equal(t, strings.TrimSpace(text), text, key)
			require.True(t, norm.NFC.IsNormalString(text), "%+q is not in NFC, as the shop keeps text", text)
		}
	}
	for _, town := range towns {
		require.True(t, norm.NFC.IsNormalString(town.city), "%+q", town.city)
	}
	for _, name := range slices.Concat(givenNames, familyNames, streets) {
		require.True(t, norm.NFC.IsNormalString(name), "%+q", name)
	}
	require.Len(t, subjects, 24)
	for subject, n := range subjects {
		require.GreaterOrEqual(t, n, 15, subject)
	}
}

func TestMalformedWorks(t *testing.T) {
	t.Parallel()
	_, err := parseWorks("subject,title,authors,year,form,language\nwar,A,B,soon,novel,English\n")
	require.ErrorContains(t, err, "line 2: the year")
	_, err = parseWorks("subject,title,authors,year,form,language\nwar,A,B\n")
	require.ErrorContains(t, err, "wrong number of fields")
}

func TestFacts(t *testing.T) {
	t.Parallel()
	for want, work := range map[string]Work{
		"A novel by Jane Austen, first published in 1813.":                                 {Authors: []string{"Jane Austen"}, Year: 1813, Form: "novel", Language: "English"},
		"An epic poem by Homer, written in Greek about 750 BC.":                            {Authors: []string{"Homer"}, Year: -750, Form: "epic poem", Language: "Greek"},
		"A study by Tacitus, written in Latin about AD 98.":                                {Authors: []string{"Tacitus"}, Year: 98, Form: "study", Language: "Latin"},
		"A collection of tales by Geoffrey Chaucer, written about 1400.":                   {Authors: []string{"Geoffrey Chaucer"}, Year: 1400, Form: "collection of tales", Language: "English"},
		"A pamphlet by Karl Marx and Friedrich Engels, first published in German in 1848.": {Authors: []string{"Karl Marx", "Friedrich Engels"}, Year: 1848, Form: "pamphlet", Language: "German"},
		"An essay by A, B and C, first published in 1700.":                                 {Authors: []string{"A", "B", "C"}, Year: 1700, Form: "essay", Language: "English"},
	} {
		require.Equal(t, want, work.facts())
	}
}
