package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"banyan/scripts/lab/seed"
)

// fastest is a rate of checkouts per second that no side of this lab comes near.
const fastest = 5_000

// fillUp has copies delivered of the books of which there might be too few for the seconds of load to come: a
// sold-out book answers faster than one that is bought.
func (s *side) fillUp(ctx context.Context, seconds float64) error {
	c, err := newConn(s.url)
	if err != nil {
		return err
	}
	defer c.close()
	needed := demand(len(s.shop.books), seconds)
	const atOnce = 100
	for from := 0; from < len(s.shop.books); from += atOnce {
		books := s.shop.books[from:min(from+atOnce, len(s.shop.books))]
		there, err := available(ctx, c, books)
		if err != nil {
			return fmt.Errorf("look how many copies there are on the side %s: %w", s.name, err)
		}
		for i, book := range books {
			if missing := needed[from+i] - there[book.ID.String()]; missing > 0 {
				if err := s.deliver(ctx, c, book, missing); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// demand is how many copies of each book, by rank, the load can sell at most. Of every hundred copies that are put
// into carts, the curve of script.go gives each book its part; doubled, for chance.
func demand(books int, seconds float64) []int {
	weights := make([]float64, books)
	sum := 0.0
	for rank := range weights {
		weights[rank] = math.Pow(10+float64(rank), -1.05)
		sum += weights[rank]
	}
	const copiesPerOrder = 2 // a cart of one line mostly, one in ten lines of two or three copies
	needed := make([]int, books)
	for rank, weight := range weights {
		needed[rank] = 100 + int(2*copiesPerOrder*fastest*seconds*weight/sum)
	}
	return needed
}

func available(ctx context.Context, c *conn, books []seed.Book) (map[string]int, error) {
	ids := make([]string, 0, len(books))
	for _, book := range books {
		ids = append(ids, book.ID.String())
	}
	answer, err := c.must(ctx, &request{method: http.MethodGet, path: "/v1/books?ids=" + strings.Join(ids, ",")}, http.StatusOK)
	if err != nil {
		return nil, err
	}
	var found list[book]
	if err := json.Unmarshal(answer.body, &found); err != nil {
		return nil, err
	}
	if len(found.Items) != len(books) {
		return nil, fmt.Errorf("of %d seeded books it has %d: its data are not those of the other side", len(books), len(found.Items))
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

func (s *side) deliver(ctx context.Context, c *conn, book seed.Book, copies int) error {
	const most = 1_000_000 // in one delivery
	body := fmt.Appendf(nil, `{"quantity":%d}`, min(copies, most))
	path := "/v1/stock/" + book.ID.String() + "/deliveries"
	r := &request{method: http.MethodPost, path: path, token: s.staff, key: s.keys + "-" + uuid.NewString(), body: body}
	if _, err := c.must(ctx, r, http.StatusOK); err != nil {
		return fmt.Errorf("have %d copies of %q delivered: %w", copies, book.Title, err)
	}
	return nil
}
