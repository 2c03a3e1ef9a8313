package workload

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
)

const (
	promoted = 5 // books on Home and Search Request
	// A customer makes this many visits on average, then another one takes over the browser.
	visitsPerSession = 50
	// Thoughts are distributed as by TPC-W: a negative exponential, cut off at ten times the mean.
	longestThought = 10
)

// visit is an interaction and everything that chance decides about it, whether it is needed or not: so
// the next visit does not depend on what came of this one.
type visit struct {
	interaction Interaction
	leaves      bool          // the customer leaves first, and the browser's next one comes
	books       [promoted]int // different ones, by rank of popularity
	anyBook     int           // each as likely as the others
	subject     int
	search      search
	quantity    int
	line        int     // of a full cart, to change
	cents       int64   // a new price
	returning   bool    // has an account already
	think       float64 // how long the customer thinks afterwards, as a multiple of the mean
}

// search is what somebody looks for: a word of a title, an author, or a subject.
type search struct {
	by   searchBy
	word int
}

type searchBy int

const (
	byTitle searchBy = iota
	byAuthor
	bySubject
)

// script is the endless sequence of one browser's visits. The same mix, round and browser make the same
// script.
type script struct {
	mix    Mix
	shop   *Catalogue
	random *rand.Rand
	zipf   *rand.Zipf
}

func newScript(shop *Catalogue, mix Mix, seed uint64, round, browser int) *script {
	name := fnv.New64a()
	fmt.Fprintf(name, "%s/%d/%d", mix.Name, round, browser)
	random := rand.New(rand.NewPCG(seed, name.Sum64()))
	// The curve that the seeded orders follow: of a thousand books, the first has 2.4 % of the demand.
	return &script{mix, shop, random, rand.NewZipf(random, 1.05, 10, uint64(len(shop.books)-1))}
}

// next draws the next visit.
func (s *script) next() visit {
	r := s.random
	v := visit{
		leaves:      r.IntN(visitsPerSession) == 0,
		interaction: s.mix.draw(r),
		anyBook:     r.IntN(len(s.shop.books)),
		subject:     r.IntN(len(s.shop.subjects)),
		search:      s.drawSearch(),
		quantity:    1,
		line:        r.IntN(cartLines),
		cents:       499 + 50*r.Int64N(90),
		returning:   r.IntN(5) != 0, // TPC-W: one in five is new
		think:       min(r.ExpFloat64(), longestThought),
	}
	if r.IntN(10) == 0 {
		v.quantity = 2 + r.IntN(2)
	}
	for i := range v.books {
		book := int(s.zipf.Uint64())
		for slices.Contains(v.books[:i], book) {
			book = int(s.zipf.Uint64())
		}
		v.books[i] = book
	}
	return v
}

func (s *script) drawSearch() search {
	drawn := search{by: searchBy(s.random.IntN(3))}
	words := s.shop.subjects
	switch drawn.by {
	case byTitle:
		words = s.shop.titleWords
	case byAuthor:
		words = s.shop.authorWords
	}
	drawn.word = s.random.IntN(len(words))
	return drawn
}
