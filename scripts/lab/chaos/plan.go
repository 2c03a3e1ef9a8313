package chaos

import (
	"iter"
	"math/rand/v2"
	"time"

	"banyan/scripts/lab/shop"
)

// plan is all that happens in a crash run, as far as it can be known beforehand. It follows from the seed alone;
// how the machine's time falls between the steps does not.
type plan struct {
	customers [][]visit
	kills     iter.Seq[kill] // without end
}

// visit is one checkout of a customer.
type visit struct {
	after   time.Duration // since the visit before
	lines   []shop.Line
	card    string
	givesUp bool // on the first request that gets no answer
}

// kill is the end of one process.
type kill struct {
	after  time.Duration // since the process killed before was back
	victim string
}

// cards are the card tokens of a hundred checkouts.
var cards = []struct {
	token string
	share int
}{
	{"tok_visa", 78}, {"tok_declined", 7}, {"tok_flaky", 7}, {"tok_timeout", 5}, {"tok_slow", 3},
}

// Random draws are told apart by these, so that more customers do not change when a process dies.
const (
	drawVisits = iota + 1
	drawKills
)

// makePlan shares the checkouts out over the customers, who all buy the same few books, so that they are in
// each other's way.
func makePlan(seed uint64, checkouts, customers int, books, victims []string) plan {
	p := plan{customers: make([][]visit, customers), kills: makeKills(seed, victims)}
	for i := range p.customers {
		random := rand.New(rand.NewPCG(seed, drawVisits<<32|uint64(i)))
		visits := checkouts / customers
		if i < checkouts%customers {
			visits++
		}
		for range visits {
			p.customers[i] = append(p.customers[i], makeVisit(random, books))
		}
	}
	return p
}

func makeVisit(random *rand.Rand, books []string) visit {
	v := visit{
		after:   time.Duration(random.IntN(500)) * time.Millisecond,
		card:    drawCard(random),
		givesUp: random.IntN(10) == 0,
	}
	for _, n := range random.Perm(len(books))[:1+random.IntN(min(3, len(books)))] {
		v.lines = append(v.lines, shop.Line{BookID: books[n], Quantity: 1 + random.IntN(2)})
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

func makeKills(seed uint64, victims []string) iter.Seq[kill] {
	return func(yield func(kill) bool) {
		random := rand.New(rand.NewPCG(seed, drawKills<<32))
		for {
			next := kill{
				after:  300*time.Millisecond + time.Duration(random.IntN(1200))*time.Millisecond,
				victim: victims[random.IntN(len(victims))],
			}
			if !yield(next) {
				return
			}
		}
	}
}
