package token

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	keysFresh   = 5 * time.Minute        // keys older than this are fetched again, in the background
	keysPause   = 200 * time.Millisecond // at least this long between two fetches
	keysTimeout = 2 * time.Second        // for one fetch
	maxJWKS     = 64 << 10               // bytes of a key set
)

// KeysPath is where an issuer publishes its keys, as [Signer.JWKS].
const KeysPath = "/internal/v1/keys"

// keySet is what one or more fetches brought, and what was verified with it. The two
// go together so that a withdrawn key takes the tokens it signed with it.
type keySet struct {
	keys map[string]ed25519.PublicKey // by kid
	seen *seen[Identity]
}

// keyRing fetches and keeps an issuer's keys.
type keyRing struct {
	urls   []string // one for each instance of the issuer
	http   *http.Client
	log    *slog.Logger
	set    atomic.Pointer[keySet]
	flight singleflight.Group
	due    atomic.Int64 // Unix nanoseconds after which the keys are no longer fresh

	mu      sync.Mutex
	tried   time.Time // when the last fetch ended
	failure error     // how it ended
}

// fetched is what a fetch brought.
type fetched struct {
	set   *keySet
	began time.Time
}

func newKeyRing(issuer string, client *http.Client, log *slog.Logger) *keyRing {
	k := &keyRing{http: client, log: log}
	for base := range strings.SplitSeq(issuer, ",") {
		k.urls = append(k.urls, strings.TrimSuffix(strings.TrimSpace(base), "/")+KeysPath)
	}
	return k
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

// fetch returns other keys than known, if there are any. definite says that nobody had published others after
// since; otherwise it is worth asking again. An error means that nobody knows whether there are newer ones.
func (k *keyRing) fetch(ctx context.Context, known *keySet, since time.Time) (set *keySet, definite bool, err error) {
	if set := k.set.Load(); set != known {
		return set, false, nil
	}
	select {
	case r := <-k.flight.DoChan("keys", k.load):
		if r.Err != nil {
			return nil, true, r.Err
		}
		f := r.Val.(fetched)
		return f.set, f.began.After(since), nil
	case <-ctx.Done():
		return nil, true, ctx.Err()
	}
}

// load fetches the keys. Made-up key ids must not turn into many requests to the issuer, so it waits for a moment
// after the fetch before: for all who ask meanwhile at once, since the key that they ask for may have been published
// just after that fetch. A failure is repeated for that moment instead: an issuer that is away is no reason to wait.
// Only the singleflight calls it, so there is one at a time.
func (k *keyRing) load() (any, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if wait := keysPause - time.Since(k.tried); wait > 0 {
		if k.failure != nil {
			return nil, k.failure
		}
		time.Sleep(wait)
	}
	began := time.Now()
	keys, err := k.get()
	k.tried, k.failure = time.Now(), err
	if err != nil {
		k.log.Warn("cannot fetch the token keys", "urls", k.urls, "error", err)
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
	return fetched{set, began}, nil
}

// get asks every instance of the issuer and takes what any of them publishes: while they are restarted one after the
// other, with other keys, they differ. It fails if none answers.
func (k *keyRing) get() (map[string]ed25519.PublicKey, error) {
	// A deadline of its own, not a request's: the answer serves all who wait.
	ctx, cancel := context.WithTimeout(context.Background(), keysTimeout)
	defer cancel()
	var mu sync.Mutex
	var problems []error
	all := map[string]ed25519.PublicKey{}
	var asking sync.WaitGroup
	for _, url := range k.urls {
		asking.Go(func() {
			keys, err := k.ask(ctx, url)
			mu.Lock()
			defer mu.Unlock()
			problems = append(problems, err)
			maps.Copy(all, keys)
		})
	}
	asking.Wait()
	if len(all) == 0 {
		return nil, errors.Join(problems...)
	}
	return all, nil
}

func (k *keyRing) ask(ctx context.Context, url string) (map[string]ed25519.PublicKey, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	// Minutes pass until the next fetch. A connection kept so long would only hold up the one who publishes, when it stops.
	req.Close = true
	resp, err := k.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("get %s: answered %s", url, resp.Status)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxJWKS))
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", url, err)
	}
	keys, err := parseJWKS(body)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", url, err)
	}
	return keys, nil
}
