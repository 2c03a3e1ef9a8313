package main

import (
	"crypto/sha256"
	"sync"
	"time"
)

// maxSessions is how many sessions a generation holds; about 500 bytes each.
const maxSessions = 1 << 14

type tokenHash = [sha256.Size]byte

// sessions remembers for a short time what session tokens are worth. Only hashes of
// them are kept, so that no dump of this process holds one.
type sessions struct {
	mu      sync.RWMutex
	known   generations // exchanged, or ended here
	refused generations // of their own, so that made-up tokens push out no good ones
}

type session struct {
	authorization []string // nil: nobody
	ended         bool     // a tombstone: an exchange that began before the logout must not bring it back
	until         time.Time
}

func newSessions(size int) *sessions {
	return &sessions{known: generations{size: size}, refused: generations{size: size}}
}

// get returns the Authorization header for a token, nil for one that is nobody's; ok
// is false if it must be asked about.
func (s *sessions) get(hash tokenHash) (authorization []string, ok bool) {
	now := time.Now()
	s.mu.RLock()
	defer s.mu.RUnlock()
	if found, ok := s.known.get(hash, now); ok {
		return found.authorization, true
	}
	_, ok = s.refused.get(hash, now)
	return nil, ok
}

// remember keeps what a token was exchanged for, unless the session has ended meanwhile.
func (s *sessions) remember(hash tokenHash, authorization []string, ttl time.Duration) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if found, ok := s.known.get(hash, now); ok && found.ended || ttl <= 0 {
		return
	}
	s.known.put(hash, session{authorization: authorization, until: now.Add(ttl)})
}

// refuse keeps, for a moment, that a token is nobody's.
func (s *sessions) refuse(hash tokenHash) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused.put(hash, session{until: time.Now().Add(refusedTime)})
}

// end keeps that a session is over, for as long as anything begun before could matter.
func (s *sessions) end(hash tokenHash) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known.put(hash, session{ended: true, until: time.Now().Add(maxTokenCache)})
}

// generations is a map that forgets. When the new one is full, it becomes the old one
// and what was old is gone, so nothing has to be kept in order.
type generations struct {
	new, old map[tokenHash]session
	size     int
}

func (g *generations) get(hash tokenHash, now time.Time) (session, bool) {
	found, ok := g.new[hash]
	if !ok {
		found, ok = g.old[hash]
	}
	return found, ok && now.Before(found.until)
}

func (g *generations) put(hash tokenHash, s session) {
	if g.new == nil || len(g.new) >= g.size {
		g.old, g.new = g.new, map[tokenHash]session{}
	}
	g.new[hash] = s
}
