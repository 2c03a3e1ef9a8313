package seed

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
)

// Work is something that was written once and is sold in many editions.
type Work struct {
	Subject  string
	Title    string
	Authors  []string
	Year     int    // of the first publication; negative is BC
	Form     string // what it is: a novel, a collection of stories
	Language string // that it was written in
}

//go:embed works.csv
var worksCSV string

// Works returns all works, in an order that does not change.
func Works() []Work {
	works, err := parseWorks(worksCSV)
	if err != nil {
		panic("seed: works.csv: " + err.Error()) // it is part of the program
	}
	return works
}

func parseWorks(text string) ([]Work, error) {
	reader := csv.NewReader(strings.NewReader(text))
	reader.FieldsPerRecord = 6
	records, err := reader.ReadAll()
	if err != nil {
		return nil, err
	}
	works := make([]Work, 0, len(records))
	for i, record := range records[1:] {
		year, err := strconv.Atoi(record[3])
		if err != nil {
			return nil, fmt.Errorf("line %d: the year: %w", i+2, err)
		}
		works = append(works, Work{
			Subject:  record[0],
			Title:    record[1],
			Authors:  strings.Split(record[2], ";"),
			Year:     year,
			Form:     record[4],
			Language: record[5],
		})
	}
	return works, nil
}

// translated says whether an English reader needs a translation.
func (w Work) translated() bool { return w.Language != "English" }

// printed says whether the work was published in print from the first: Gutenberg's press began
// about 1450.
func (w Work) printed() bool { return w.Year >= 1450 }

// shown says whether the first edition can be shown to an English reader.
func (w Work) shown() bool { return w.printed() && !w.translated() }

// long says whether the work is of a kind that is also sold by the volume.
func (w Work) long() bool {
	switch w.Form {
	case "history", "biography", "treatise", "epic poem", "cycle of romances", "cycle of novels",
		"collection of biographies", "collection of letters", "collection of fairy tales":
		return true
	}
	return false
}

// facts is the sentence about the work that stands in the description of each edition.
func (w Work) facts() string {
	article := "A"
	if strings.ContainsRune("aeiou", rune(w.Form[0])) {
		article = "An"
	}
	return fmt.Sprintf("%s %s by %s, %s.", article, w.Form, enumerate(w.Authors), w.origin())
}

func (w Work) origin() string {
	in := ""
	if w.translated() {
		in = " in " + w.Language
	}
	switch {
	case w.Year < 0:
		return fmt.Sprintf("written%s about %d BC", in, -w.Year)
	case w.Year < 1000:
		return fmt.Sprintf("written%s about AD %d", in, w.Year)
	case !w.printed():
		return fmt.Sprintf("written%s about %d", in, w.Year)
	}
	return fmt.Sprintf("first published%s in %d", in, w.Year)
}

func enumerate(names []string) string {
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}
