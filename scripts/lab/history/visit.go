package history

import (
	"context"
	"math/rand/v2"
	"time"

	"banyan/scripts/lab/shop"
)

// Visit is one checkout of a customer.
type Visit struct {
	After   time.Duration // since the visit before
	Lines   []shop.Line
	Card    string
	GivesUp bool // on the first request that gets no answer
}

// cards are the card tokens of a hundred checkouts.
var cards = []struct {
	token string
	share int
}{
	{"tok_visa", 78}, {"tok_declined", 7}, {"tok_flaky", 7}, {"tok_timeout", 5}, {"tok_slow", 3},
}

// RandomOf are the random draws of one customer, who are told apart, so that more customers do not change another's visits.
// The sequences from 2<<32 on are for what an experiment draws from the same seed.
func RandomOf(seed uint64, customer int) *rand.Rand {
	return rand.New(rand.NewPCG(seed, 1<<32|uint64(customer)))
}

// Draw makes the next visit of a customer who wants some of these books.
func Draw(random *rand.Rand, books []string) Visit {
	v := Visit{
		After:   time.Duration(random.IntN(500)) * time.Millisecond,
		Card:    drawCard(random),
		GivesUp: random.IntN(10) == 0,
	}
	for _, n := range random.Perm(len(books))[:1+random.IntN(min(3, len(books)))] {
		v.Lines = append(v.Lines, shop.Line{BookID: books[n], Quantity: 1 + random.IntN(2)})
	}
	return v
}

func drawCard(random *rand.Rand) string {
	n := random.IntN(100)
	for _, card := range cards {
		if n -= card.share; n < 0 {
			return card.token
		}
	}
	return cards[0].token
}

// popular is how many books the customers fight for.
const popular = 6

// PopularBooks are the few that all customers buy, so that they are in each other's way.
func PopularBooks(ctx context.Context, p *shop.Person) (ids []string, err error) {
	best, err := p.Bestsellers(ctx, popular)
	for _, b := range best {
		ids = append(ids, b.ID)
	}
	return ids, err
}
