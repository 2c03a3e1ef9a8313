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
	needed := demand(len(c.shop.books), checkouts)
	return c.prepare(func(client *shop.Client) error {
		staff := &shop.Person{Client: client, Email: seed.StaffEmail, Token: c.staff}
		const atOnce = 100
		for from := 0; from < len(c.shop.books); from += atOnce {
			books := c.shop.books[from:min(from+atOnce, len(c.shop.books))]
			there, err := available(ctx, staff, books)
			if err != nil {
				return fmt.Errorf("look how many copies there are: %w", err)
			}
			for i, book := range books {
				const most = 1_000_000 // in one delivery
				if missing := needed[from+i] - there[book.ID.String()]; missing > 0 {
					if err := staff.Deliver(ctx, book.ID.String(), min(missing, most)); err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
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
	ids := make([]string, 0, len(books))
	for _, book := range books {
		ids = append(ids, book.ID.String())
	}
	var found shop.List[shop.Book]
	if err := staff.Ask(ctx, http.MethodGet, "/v1/books?ids="+strings.Join(ids, ","), nil, &found); err != nil {
		return nil, err
	}
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
