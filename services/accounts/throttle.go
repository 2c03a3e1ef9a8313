package main

import (
	"crypto/sha256"
	"errors"
	"math"
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

// maxAllowances is how many addresses and places a generation remembers.
const maxAllowances = 1 << 14

var errGuessing = fault.New(fault.Throttled, "", "Too many wrong passwords for this e-mail address. Please wait a little.")

// pace is a bucket's size, and how long it takes to regain one.
type pace struct {
	most  float64
	every time.Duration
}

// allowance is how many sign-ins may still fail.
type allowance struct {
	pace
	left    float64
	at      time.Time // when left was right
	trusted bool      // somebody has signed in here
}

// guesses counts sign-ins that failed, whether or not anybody has the address, so
// that being refused says nothing about it. It is kept in memory: each process counts
// for itself, and a restart forgets. It holds at most two generations: a full one is
// put aside, and the one before it forgotten.
type guesses struct {
	mu       sync.Mutex
	new, old map[tokenHash]*allowance
	size     int // allowances per generation
}

func newGuesses() *guesses {
	return &guesses{new: map[tokenHash]*allowance{}, size: maxAllowances}
}

// guess is a sign-in under way, which counts as failed until it ends otherwise.
type guess struct {
	all             *guesses
	place, anywhere *allowance
}

// begin admits a sign-in, or returns a Throttled fault. from says where it comes
// from; whoever can make it up is still held by the limit for all places.
func (g *guesses) begin(email, from string) (guess, error) {
	email = strings.ToLower(email)
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	place := g.find(email+"\x00"+from, fromOnePlace, now)
	anywhere := g.find(email, fromAnywhere, now)
	if wait := place.wait(); wait > 0 {
		return guess{}, errGuessing.After(wait)
	}
	if wait := anywhere.wait(); wait > 0 && !place.trusted {
		return guess{}, errGuessing.After(wait)
	}
	place.left--
	anywhere.left = max(anywhere.left-1, 0)
	return guess{g, place, anywhere}, nil
}

// end says what became of it: nil if the password was right. What could not be
// judged gives back what it took.
func (t guess) end(err error) {
	if errors.Is(err, ErrWrongCredentials) {
		return
	}
	t.all.mu.Lock()
	defer t.all.mu.Unlock()
	t.place.left = min(t.place.left+1, t.place.most)
	t.anywhere.left = min(t.anywhere.left+1, t.anywhere.most)
	if err == nil {
		t.place.left, t.place.trusted = t.place.most, true
	}
}

// find returns the allowance under a name, as it is now; a new one is full.
func (g *guesses) find(name string, p pace, now time.Time) *allowance {
	hash := sha256.Sum256([]byte(name)) // of one size, and no list of addresses in memory
	a, ok := g.new[hash]
	if !ok {
		if a, ok = g.old[hash]; !ok {
			a = &allowance{pace: p, left: p.most}
		}
		if len(g.new) >= g.size {
			g.old, g.new = g.new, map[tokenHash]*allowance{}
		}
		g.new[hash] = a
	}
	if !a.at.IsZero() {
		a.left = min(a.left+float64(now.Sub(a.at))/float64(a.every), a.most)
	}
	a.at = now
	return a
}

// wait is how long until one more may fail; zero is now.
func (a *allowance) wait() time.Duration {
	missing := 1 - a.left
	if missing < 1e-9 { // refilling in small steps adds up to a hair less
		return 0
	}
	return time.Duration(math.Ceil(missing * float64(a.every)))
}
