package crash

import (
	"iter"
	"math/rand/v2"
	"time"

	"banyan/scripts/lab/history"
)

// plan is all that happens in a crash run, as far as it can be known beforehand. It follows from the seed alone;
// how the machine's time falls between the steps does not.
type plan struct {
	customers [][]history.Visit
	kills     iter.Seq[kill] // without end
}

// kill is the end of one process.
type kill struct {
	after  time.Duration // since the process killed before was back
	victim string
}

// drawKills are random draws that are no customer's, so that more customers do not change when a process dies.
const drawKills = 2

// makePlan shares the checkouts out over the customers, who all buy the same few books, so that they are in
// each other's way.
func makePlan(seed uint64, checkouts, customers int, books, victims []string) plan {
	p := plan{customers: make([][]history.Visit, customers), kills: makeKills(seed, victims)}
	for i := range p.customers {
		random := history.RandomOf(seed, i)
		visits := checkouts / customers
		if i < checkouts%customers {
			visits++
		}
		for range visits {
			p.customers[i] = append(p.customers[i], history.Draw(random, books))
		}
	}
	return p
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
