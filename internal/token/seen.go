package token

import (
	"crypto/sha256"
	"sync"
	"time"
)

// seen remembers what was verified, by the token's hash. It holds at most two
// generations: a full one is put aside, and the one before it forgotten. That
// bounds the memory without a list to keep in order on every hit.
type seen[T any] struct {
	mu       sync.RWMutex
	new, old map[[sha256.Size]byte]verdict[T]
	size     int // entries per generation
}

type verdict[T any] struct {
	value   T
	expires time.Time
}

func newSeen[T any](size int) *seen[T] {
	return &seen[T]{new: map[[sha256.Size]byte]verdict[T]{}, size: size}
}

// get returns what was found out about a token that has not expired.
func (s *seen[T]) get(hash [sha256.Size]byte) (T, bool) {
	s.mu.RLock()
	v, ok := s.new[hash]
	if !ok {
		v, ok = s.old[hash]
	}
	s.mu.RUnlock()
	if !ok || !time.Now().Before(v.expires) {
		var none T
		return none, false
	}
	return v.value, true
}

func (s *seen[T]) put(hash [sha256.Size]byte, value T, expires time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.new) >= s.size {
		s.old, s.new = s.new, make(map[[sha256.Size]byte]verdict[T], s.size)
	}
	s.new[hash] = verdict[T]{value, expires}
}
