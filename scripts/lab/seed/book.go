package seed

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
)

// Book is one edition of a work. Price is in US cents, Stock what is on hand after all past
// orders.
type Book struct {
	ID          uuid.UUID
	ISBN        string
	Title       string
	Authors     []string
	Subject     string
	Publisher   string
	PublishedOn time.Time // a day
	Description string
	Price       int64
	Stock       int
}

// Delivery is what came in of a book: all that is in stock, and all that was sold.
type Delivery struct {
	ID          uuid.UUID
	BookID      uuid.UUID
	Quantity    int
	DeliveredAt time.Time
}

// catalogued is when the first book was entered; another followed each minute.
var catalogued = time.Date(2025, time.October, 1, 8, 0, 0, 0, time.UTC)

// Books came out from firstRelease on, and all before they were catalogued.
var firstRelease = time.Date(1995, time.January, 1, 0, 0, 0, 0, time.UTC)

const releaseDays = 11_230

// makeBooks returns the first n books. Each comes from a random source of its own, so that more
// books change none of those before them.
func makeBooks(works []Work, n int) []Book {
	kinds := editions()
	houses := publishers()
	choices := make([][]int, len(works)) // per work, the pairs of kind and house in a shuffled order
	order := source("order of works", 0).Perm(len(works))

	books := make([]Book, n)
	for i := range books {
		if i < len(works) {
			random := source("work", i)
			books[i] = makeBook(random, i, works[i], plain(), houses[random.IntN(len(houses))])
			continue
		}
		round, w := i/len(works)-1, order[i%len(works)]
		if choices[w] == nil {
			choices[w] = pairs(works[w], books[w].Publisher, kinds, houses)
		}
		choice := choices[w][round]
		books[i] = makeBook(source("edition", i), i, works[w], kinds[choice/len(houses)], houses[choice%len(houses)])
	}
	return books
}

// pairs returns the combinations of a kind of edition and a publisher that suit the work, each
// once, so that no two editions are alike. The first publisher has the plain edition already.
func pairs(work Work, first string, kinds []edition, houses []string) []int {
	var fit []int
	for k, kind := range kinds {
		if !kind.suits(work) {
			continue
		}
		for h, house := range houses {
			if kind.suffix != plain().suffix || house != first {
				fit = append(fit, k*len(houses)+h)
			}
		}
	}
	source("pairs of "+work.Title+enumerate(work.Authors), 0).Shuffle(len(fit), func(i, j int) {
		fit[i], fit[j] = fit[j], fit[i]
	})
	return fit
}

func makeBook(random *rand.Rand, number int, work Work, kind edition, publisher string) Book {
	description := work.facts()
	if work.translated() && kind.suffix != " (Bilingual Edition)" {
		description += " Translated into English."
	}
	description += " " + kind.note

	steps := (kind.most - kind.lowest) / 50
	newer := max(random.IntN(releaseDays), random.IntN(releaseDays)) // recent years have more
	return Book{
		ID:          newID(random, catalogued.Add(time.Duration(number)*time.Minute)),
		ISBN:        isbn(number),
		Title:       work.Title + kind.suffix,
		Authors:     work.Authors,
		Subject:     work.Subject,
		Publisher:   publisher,
		PublishedOn: firstRelease.AddDate(0, 0, newer),
		Description: description,
		Price:       kind.lowest + 50*random.Int64N(steps+1),
		Stock:       1_000 + 10*random.IntN(901),
	}
}

// isbn returns the valid ISBN-13 of a book's number. Multiplying by a number that has no factor
// in common with 10^8 scatters the numbers and keeps them apart.
func isbn(number int) string {
	digits := fmt.Sprintf("9799%08d", (number*73_687_871+51_423_769)%100_000_000)
	sum := 0
	for i, digit := range digits {
		weight := 1 + 2*(i%2)
		sum += weight * int(digit-'0')
	}
	return fmt.Sprintf("%s%d", digits, (10-sum%10)%10)
}
