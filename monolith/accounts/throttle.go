package accounts

import (
	"container/heap"
	"crypto/sha256"
	"errors"
	"strings"
	"sync"
	"time"

	"banyan/internal/fault"
)

// How often a sign-in may fail. For one e-mail address from one place, ten times at
// once and then once a minute. From all places together more often, or anybody could
// keep the owner out; and where the owner has signed in before, that second limit
// does not count at all.
var (
	fromOnePlace = pace{most: 10, every: time.Minute}
	fromAnywhere = pace{most: 50, every: 10 * time.Second}
)

// What is remembered, at most. A wrong guess costs a hash, and is remembered for a
// minute: to fill the first takes 500 guesses a second, more than the process can check.
const (
	maxAllowances = 1 << 15 // those that are not full
	maxTrusted    = 1 << 14 // places where an owner has signed in, in each of two generations
)

var errGuessing = fault.New(fault.Throttled, "too-many-guesses", "Too many wrong passwords for this e-mail address. Please wait a little.")

// pace is how many may fail at once, and how long it takes to regain one.
type pace struct {
	most  int
	every time.Duration
}

// allowance is how many sign-ins may still fail. One time says it: when it is full
// again. From then on it is like one that nobody has touched, and is not needed.
type allowance struct {
	name  tokenHash
	full  time.Time
	index int // in the order of full
}

// guesses counts sign-ins that failed, whether or not anybody has the address, so
// that being refused says nothing about it. It is kept in memory: each process counts
// for itself, and a restart forgets. When there are too many allowances, the one that
// is full first goes. So a guesser who has spent one can't make us forget it by
// addresses that are made up: each of those is full again sooner.
type guesses struct {
	mu      sync.Mutex
	spent   map[tokenHash]*allowance
	byFull  allowances
	most    int // allowances
	trusted trust
}

func newGuesses() *guesses {
	return &guesses{
		spent: map[tokenHash]*allowance{}, most: maxAllowances,
		trusted: trust{most: maxTrusted, new: map[tokenHash]bool{}},
	}
}

// guess is a sign-in under way, which counts as failed until it ends otherwise.
type guess struct {
	all             *guesses
	place, anywhere tokenHash // whose allowances it took from; anywhere is zero if from none
}

// begin admits a sign-in, or returns a Throttled fault. from says where it comes
// from; a client that can make it up is still held by the limit for all places. One that is
// refused leaves nothing behind.
func (g *guesses) begin(email, from string) (guess, error) {
	email = strings.ToLower(email)
	// Hashes are of one size, and no list of addresses in memory.
	t := guess{all: g, place: sha256.Sum256([]byte(email + "\x00" + from))}
	anywhere := sha256.Sum256([]byte(email))
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if wait := g.wait(t.place, fromOnePlace, now); wait > 0 {
		return guess{}, errGuessing.After(wait)
	}
	wait := g.wait(anywhere, fromAnywhere, now)
	if wait > 0 && !g.trusted.has(t.place) {
		return guess{}, errGuessing.After(wait)
	}
	if wait == 0 {
		g.take(anywhere, fromAnywhere, now)
		t.anywhere = anywhere
	}
	g.take(t.place, fromOnePlace, now)
	return t, nil
}

// end says what became of it: nil if the password was right. What could not be
// judged gives back what it took.
func (t guess) end(err error) {
	if errors.Is(err, ErrWrongCredentials) {
		return
	}
	g := t.all
	g.mu.Lock()
	defer g.mu.Unlock()
	g.giveBack(t.place, fromOnePlace)
	g.giveBack(t.anywhere, fromAnywhere)
	if err == nil {
		g.forget(t.place)
		g.trusted.add(t.place)
	}
}

// wait is how long until one more may fail; zero is now.
func (g *guesses) wait(name tokenHash, p pace, now time.Time) time.Duration {
	a := g.spent[name]
	if a == nil {
		return 0
	}
	return max(0, a.full.Sub(now)-time.Duration(p.most-1)*p.every)
}

// take lets one fail.
func (g *guesses) take(name tokenHash, p pace, now time.Time) {
	a := g.spent[name]
	if a == nil {
		if len(g.spent) >= g.most {
			g.forget(g.byFull[0].name)
		}
		a = &allowance{name: name, full: now}
		g.spent[name] = a
		heap.Push(&g.byFull, a)
	}
	if a.full.Before(now) {
		a.full = now
	}
	a.full = a.full.Add(p.every)
	heap.Fix(&g.byFull, a.index)
}

func (g *guesses) giveBack(name tokenHash, p pace) {
	if a := g.spent[name]; a != nil {
		a.full = a.full.Add(-p.every)
		heap.Fix(&g.byFull, a.index)
	}
}

func (g *guesses) forget(name tokenHash) {
	if a := g.spent[name]; a != nil {
		heap.Remove(&g.byFull, a.index)
		delete(g.spent, name)
	}
}

// allowances is a heap: the one that is full first is the first.
type allowances []*allowance

func (h allowances) Len() int           { return len(h) }
func (h allowances) Less(i, j int) bool { return h[i].full.Before(h[j].full) }
func (h allowances) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *allowances) Push(a any) {
	a.(*allowance).index = len(*h)
	*h = append(*h, a.(*allowance))
}

func (h *allowances) Pop() any {
	last := len(*h) - 1
	a := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return a
}

// trust holds addresses together with the places where their owners have signed in.
// Only the right password gets in, so made-up addresses don't. It holds at most two
// generations: a full one is put aside, and the one before it forgotten.
type trust struct {
	new, old map[tokenHash]bool
	most     int // in a generation
}

func (t *trust) has(place tokenHash) bool { return t.new[place] || t.old[place] }

func (t *trust) add(place tokenHash) {
	if len(t.new) >= t.most && !t.new[place] {
		t.old, t.new = t.new, map[tokenHash]bool{}
	}
	t.new[place] = true
}
