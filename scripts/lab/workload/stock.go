package workload

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"

	"banyan/scripts/lab/seed"
	"banyan/scripts/lab/shop"
)

// FillUp has copies delivered of the books of which there might be too few for so many checkouts to come: a
// sold-out book answers faster than one that is bought.
func (c *Clientele) FillUp(ctx context.Context, checkouts float64) error {
	return c.prepare(func(client *shop.Client) error {
		staff := &shop.Person{Client: client, Email: seed.StaffEmail, Token: c.staff}
		return c.fill(checkouts, func(books []seed.Book) (map[string]int, error) {
			there, err := available(ctx, staff, books)
			if err != nil {
				return nil, fmt.Errorf("look how many copies there are: %w", err)
			}
			return there, nil
		}, func(book seed.Book, copies int) error { return staff.Deliver(ctx, book.ID.String(), copies) })
	})
}

// fill looks how many copies there are, a hundred books at a time, and delivers what is missing for so many checkouts.
func (c *Clientele) fill(checkouts float64, look func([]seed.Book) (map[string]int, error), deliver func(seed.Book, int) error) error {
	needed := demand(len(c.shop.books), checkouts)
	const atOnce = 100
	for from := 0; from < len(c.shop.books); from += atOnce {
		books := c.shop.books[from:min(from+atOnce, len(c.shop.books))]
		there, err := look(books)
		if err != nil {
			return err
		}
		for i, book := range books {
			const most = 1_000_000 // in one delivery
			if missing := needed[from+i] - there[book.ID.String()]; missing > 0 {
				if err := deliver(book, min(missing, most)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// demand is how many copies of each book, by rank, so many checkouts can buy at most. Of every hundred copies that are put
// into carts, the curve of script.go gives each book its part; doubled, for chance.
func demand(books int, checkouts float64) []int {
	weights := make([]float64, books)
	sum := 0.0
	for rank := range weights {
		weights[rank] = math.Pow(10+float64(rank), -1.05)
		sum += weights[rank]
	}
	const copiesPerOrder = 2 // a cart of one line mostly, one in ten lines of two or three copies
	needed := make([]int, books)
	for rank, weight := range weights {
		needed[rank] = 100 + int(2*copiesPerOrder*checkouts*weight/sum)
	}
	return needed
}

func available(ctx context.Context, staff *shop.Person, books []seed.Book) (map[string]int, error) {
	var found shop.List[shop.Book]
	if err := staff.Ask(ctx, http.MethodGet, listOf(books), nil, &found); err != nil {
		return nil, err
	}
	return copiesOf(books, found)
}

// listOf is the address of a list of just these books.
func listOf(books []seed.Book) string {
	ids := make([]string, 0, len(books))
	for _, book := range books {
		ids = append(ids, book.ID.String())
	}
	return "/v1/books?ids=" + strings.Join(ids, ",")
}

// copiesOf is how many copies a list has of each book, if it is one of just these.
func copiesOf(books []seed.Book, found shop.List[shop.Book]) (map[string]int, error) {
	if len(found.Items) != len(books) {
		return nil, fmt.Errorf("of %d seeded books it has %d: its data are not the seeded ones", len(books), len(found.Items))
	}
	there := map[string]int{}
	for i, b := range found.Items {
		if err := sameBook(b, books[i]); err != nil {
			return nil, fmt.Errorf("its data are not the seeded ones: %w", err)
		}
		there[b.ID] = b.Available
	}
	return there, nil
}
