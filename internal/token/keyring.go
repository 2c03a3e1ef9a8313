package token

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	keysFresh   = 5 * time.Minute // keys older than this are fetched again, in the background
	keysPause   = time.Second     // at least this long between two fetches
	keysTimeout = 2 * time.Second // for one fetch
	maxJWKS     = 64 << 10        // bytes of a key set
)

// keySet is what one or more fetches brought, and what was verified with it. The two
// go together so that a withdrawn key takes the tokens it signed with it.
type keySet struct {
	keys map[string]ed25519.PublicKey // by kid
	seen *seen[Identity]
}

// keyRing fetches and keeps an issuer's keys.
type keyRing struct {
	url    string
	http   *http.Client
	log    *slog.Logger
	set    atomic.Pointer[keySet]
	flight singleflight.Group
	due    atomic.Int64 // Unix nanoseconds after which the keys are no longer fresh

	mu      sync.Mutex
	tried   time.Time // when the last fetch ended
	failure error     // how it ended
}

// current returns the keys at hand, nil before the first fetch, without waiting.
// If they are old it starts a fetch.
func (k *keyRing) current() *keySet {
	set := k.set.Load()
	if set == nil {
		return nil
	}
	now := time.Now()
	due := k.due.Load()
	if now.UnixNano() > due && k.due.CompareAndSwap(due, now.Add(keysTimeout).UnixNano()) {
		// The fetch has a deadline, and nobody waits for what it brings.
		k.flight.DoChan("keys", k.load)
	}
	return set
}

// fetch returns keys newer than known, or the same ones if the last fetch was a
// moment ago: made-up key ids must not turn into requests to the issuer. An error
// means that nobody knows whether there are newer ones.
func (k *keyRing) fetch(ctx context.Context, known *keySet) (*keySet, error) {
	if set := k.set.Load(); set != known {
		return set, nil
	}
	select {
	case r := <-k.flight.DoChan("keys", k.load):
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*keySet), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// load fetches the keys unless the last attempt was a moment ago; then it repeats
// that one's outcome. Only the singleflight calls it, so there is one at a time.
func (k *keyRing) load() (any, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.tried.IsZero() && time.Since(k.tried) < keysPause {
		return k.set.Load(), k.failure
	}
	keys, err := k.get()
	k.tried, k.failure = time.Now(), err
	if err != nil {
		k.log.Warn("cannot fetch the token keys", "url", k.url, "error", err)
		k.due.Store(k.tried.Add(keysTimeout).UnixNano())
		return nil, err
	}
	k.due.Store(k.tried.Add(keysFresh).UnixNano())
	set := k.set.Load()
	same := func(a, b ed25519.PublicKey) bool { return bytes.Equal(a, b) }
	if set == nil || !maps.EqualFunc(set.keys, keys, same) {
		set = &keySet{keys: keys, seen: newSeen[Identity](maxSeen)}
		k.set.Store(set)
	}
	return set, nil
}

func (k *keyRing) get() (map[string]ed25519.PublicKey, error) {
	// A deadline of its own, not a request's: the answer serves all who wait.
	ctx, cancel := context.WithTimeout(context.Background(), keysTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := k.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("get %s: answered %s", k.url, resp.Status)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxJWKS))
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", k.url, err)
	}
	return parseJWKS(body)
}
