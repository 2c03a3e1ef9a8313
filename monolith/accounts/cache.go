package accounts

import (
	"sync"
	"time"

	"banyan/internal/token"
)

const (
	maxSessionCache = 30 * time.Second // a token logged out elsewhere may work as long
	maxRemembered   = 1 << 14          // sessions per generation

	// How long a logout is remembered at least. No lookup that began before it
	// is still under way then, since requests end sooner.
	tombstoneAge = 30 * time.Second
)

// cache remembers whose sessions are whose for a short time. It holds at most
// two generations: a full one is put aside, and the one before it forgotten.
type cache struct {
	ttl time.Duration

	mu       sync.RWMutex
	new, old map[tokenHash]remembered

	// The tombstones of sessions that ended. Without them a lookup that read its
	// row before a logout would put the session back after it.
	gone, goneBefore map[tokenHash]struct{}
	goneSince        time.Time
}

type remembered struct {
	identity token.Identity
	until    time.Time
}

// newCache remembers for ttl; zero remembers nothing.
func newCache(ttl time.Duration) *cache {
	return &cache{ttl: ttl, new: map[tokenHash]remembered{}, gone: map[tokenHash]struct{}{}}
}

func (c *cache) get(hash tokenHash) (token.Identity, bool) {
	c.mu.RLock()
	r, ok := c.new[hash]
	if !ok {
		r, ok = c.old[hash]
	}
	c.mu.RUnlock()
	if !ok || !time.Now().Before(r.until) {
		return token.Identity{}, false
	}
	return r.identity, true
}

// put remembers a session that was just looked up and ends at expires.
func (c *cache) put(hash tokenHash, id token.Identity, expires time.Time) {
	if c.ttl <= 0 {
		return
	}
	until := time.Now().Add(c.ttl)
	if expires.Before(until) {
		until = expires
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.isGone(hash) {
		return
	}
	if len(c.new) >= maxRemembered {
		c.old, c.new = c.new, map[tokenHash]remembered{}
	}
	c.new[hash] = remembered{id, until}
}

// drop forgets a session that ends and leaves a tombstone.
func (c *cache) drop(hash tokenHash) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.new, hash)
	delete(c.old, hash)
	if now := time.Now(); now.Sub(c.goneSince) > tombstoneAge {
		c.gone, c.goneBefore, c.goneSince = map[tokenHash]struct{}{}, c.gone, now
	}
	c.gone[hash] = struct{}{}
}

func (c *cache) isGone(hash tokenHash) bool {
	if _, ok := c.gone[hash]; ok {
		return true
	}
	_, ok := c.goneBefore[hash]
	return ok
}
