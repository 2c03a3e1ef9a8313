package differ

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"

	"banyan/scripts/lab/seed"
)

// perSequence is how many requests a sequence has: enough for a purchase, its cancellation and what follows, and few
// enough that a person can read them.
const perSequence = 50

// Catalogue is what the generator knows of the books that both sides began with.
type Catalogue struct {
	IDs      []string
	Subjects []string
}

// CatalogueOf reads it out of the seeded data.
func CatalogueOf(data *seed.Data) Catalogue {
	var c Catalogue
	for _, book := range data.Books {
		c.IDs = append(c.IDs, book.ID.String())
		if !slices.Contains(c.Subjects, book.Subject) {
			c.Subjects = append(c.Subjects, book.Subject)
		}
	}
	return c
}

// Generate makes the sequences of a seed, with so many requests in all. The same seed always makes the same.
func Generate(seed uint64, requests int, books Catalogue) [][]Step {
	var sequences [][]Step
	for number := 0; requests > 0; number++ {
		g := &generator{
			random: rand.New(rand.NewPCG(seed, uint64(number))),
			books:  books,
			most:   min(requests, perSequence),
		}
		sequences = append(sequences, g.sequence())
		requests -= g.most
	}
	return sequences
}

// generator makes one sequence. It keeps a rough idea of what the shop will hold, so that most of what it asks makes
// sense; whether it does is for the shop to say.
type generator struct {
	random *rand.Rand
	books  Catalogue
	most   int
	steps  []Step

	added    []int            // steps that added a book
	isbns    int              // used
	filled   map[string]bool  // whose cart may hold something
	bought   map[string][]int // steps that bought, by who
	sent     []int            // steps that listed a shipment
	arrivals int              // newcomers
}

// move is something that people do, in one request or a few.
type move struct {
	weight int
	make   func(g *generator)
}

func (g *generator) sequence() []Step {
	g.filled, g.bought = map[string]bool{}, map[string][]int{}
	moves := slices.Concat(accountMoves, bookMoves, listMoves, stockMoves, cartMoves, orderMoves, afterwardsMoves, routerMoves,
		[]move{{1, fullShelf}})
	total := 0
	for _, m := range moves {
		total += m.weight
	}
	for range 3 {
		addBook(g)
		g.deliver(g.added[len(g.added)-1], 1+g.random.IntN(12))
	}
	// Early and not as a move like others: sequences go side by side, so all full carts are filled at about the same time.
	if len(g.books.IDs) > mostTitles && g.chance(20) {
		fullCart(g)
	}
	for len(g.steps) < g.most {
		chosen := g.random.IntN(total)
		for _, m := range moves {
			if chosen -= m.weight; chosen < 0 {
				m.make(g)
				break
			}
		}
	}
	return g.steps[:g.most]
}

// add appends a step and returns its number.
func (g *generator) add(s Step) int {
	s.ID = len(g.steps)
	g.steps = append(g.steps, s)
	return s.ID
}

func (g *generator) get(as, format string, args ...any) int {
	return g.add(Step{As: as, Method: http.MethodGet, Path: fmt.Sprintf(format, args...)})
}

// send is a step with a body, which says it is JSON.
func (g *generator) send(as, method, path, body string) int {
	return g.add(Step{As: as, Method: method, Path: path, Body: body})
}

func pick[T any](g *generator, from ...T) T { return from[g.random.IntN(len(from))] }

// chance is true so many times in a hundred.
func (g *generator) chance(percent int) bool { return g.random.IntN(100) < percent }

func (g *generator) customer() string { return pick(g, alice, alice, alice, bob) }

func (g *generator) anybody() string { return pick(g, alice, bob, staff, staff, nobody, liar) }

// ownBook is a placeholder for the id of a book that only this sequence knows.
func (g *generator) ownBook() string { return fmt.Sprintf("<s%d.id>", pick(g, g.added...)) }

// anyBook is a book to read or to buy, and whether others buy it, too.
func (g *generator) anyBook() (id string, shared bool) {
	if g.chance(25) && len(g.books.IDs) > 0 {
		return pick(g, g.books.IDs...), true
	}
	return g.ownBook(), false
}

// order is a placeholder for the id of an order of somebody's, or of none.
func (g *generator) order(of string) string {
	if orders := g.bought[of]; len(orders) > 0 {
		return fmt.Sprintf("<s%d.id>", pick(g, orders...))
	}
	return unknownID
}

// noIDs cannot be read as one, or belong to nothing.
var noIDs = []string{"7", "not-a-uuid", "019f0a3b7c4d7e5f8a6b0c1d2e3f4a5b", unknownID, unknownID,
	"019F0A3B-7C4D-7E5F-8A6B-0C1D2E3F4A5B", "{" + unknownID + "}", "00000000-0000-0000-0000-000000000000", "%20", "..%2f"}

func (g *generator) noID() string { return pick(g, noIDs...) }

// spoiled makes bodies that cannot be read out of one that can.
func (g *generator) spoiled(fine string) string {
	return pick(g, "{", "[]", "null", "7", `"text"`, fine[:len(fine)-1], fine+" {}", "["+fine+"]",
		`{"surprise":1,`+fine[1:], "{quantity: 1}", "\x00", `{"":{}}`, fine[:len(fine)-1]+`,"id":"x"}`)
}

// otherMedia are content types that no operation takes as they are; empty leaves the header out.
var otherMedia = []string{"text/plain", "application/xml", "application/x-www-form-urlencoded", "nonsense", "",
	"application/json; charset=latin1; x"}

// mistake sends a fine body in a way that is wrong whatever it says.
func (g *generator) mistake(as, method, path, fine string, header map[string]string) {
	s := Step{As: as, Method: method, Path: path, Body: fine, Header: map[string]string{}}
	for name, value := range header {
		s.Header[name] = value
	}
	switch g.random.IntN(5) {
	case 0:
		s.Header["Content-Type"] = pick(g, otherMedia...)
	case 1:
		s.Body = fine + fmt.Sprintf("%*s", 64<<10, "") // one that is too long
	case 2:
		s.Header["Content-Encoding"] = "gzip"
	default:
		s.Body = g.spoiled(fine)
	}
	g.add(s)
}
