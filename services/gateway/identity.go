package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/singleflight"

	"banyan/internal/fault"
	"banyan/internal/token"
	"banyan/internal/web"
)

const (
	exchangeTimeout = 2 * time.Second  // to ask accounts
	maxTokenCache   = 30 * time.Second // a logout elsewhere may take this long to be noticed here
	refusedTime     = time.Second      // how long a token that is no session is not asked about again
)

// tokenCacheTTL is how long an exchanged token is used again. Zero exchanges every time.
type tokenCacheTTL time.Duration

// UnmarshalText reads TOKEN_CACHE.
func (t *tokenCacheTTL) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err != nil || d < 0 || d > maxTokenCache {
		return fmt.Errorf("the token cache is a time from 0s to %s, not %q", maxTokenCache, text)
	}
	*t = tokenCacheTTL(d)
	return nil
}

// identities exchanges session tokens, which clients hold and which say nothing, for
// signed ones, which services can read (the phantom-token pattern). What is known of a token does not depend on the table
// of routes: who exchanges tokens may change, the key that signs them does not.
type identities struct {
	ttl   time.Duration
	known *sessions
}

func newIdentities(ttl time.Duration) *identities {
	return &identities{ttl: ttl, known: newSessions(maxSessions)}
}

// exchange is where a table's session tokens are exchanged: accounts, or the monolith while it has accounts.
type exchange struct {
	addresses []string
	accounts  *web.Client
	flight    singleflight.Group
}

// exchangeAt is that of the table before, if it has the same addresses. It is nil without addresses.
func exchangeAt(addresses []string, before *table) *exchange {
	switch {
	case len(addresses) == 0:
		return nil
	case before != nil && before.exchange != nil && slices.Equal(before.exchange.addresses, addresses):
		return before.exchange
	}
	return &exchange{addresses: addresses}
}

// sign lets the exchange know by whom it is asked. It happens once, before the table is in force.
func (e *exchange) sign(bearer func() (string, error)) {
	if e.accounts == nil {
		e.accounts = web.NewClient(web.ClientConfig{Base: strings.Join(e.addresses, ","), Timeout: exchangeTimeout, Bearer: bearer})
	}
}

// closeIdle closes the idle connections to one address, and reports whether the exchange has it.
func (e *exchange) closeIdle(base string) bool {
	return e != nil && e.accounts != nil && e.accounts.CloseIdle(base)
}

func (e *exchange) close() {
	for _, base := range e.addresses {
		e.closeIdle(base)
	}
}

// credentials returns the Authorization header that the route's upstream is to get for
// this request, nil for none. A token that is no session gives none: whether an
// endpoint needs one is for the service behind to say, as in the monolith. The error
// is Unavailable if accounts cannot say.
func (i *identities) credentials(r *http.Request, to *route, at *exchange) ([]string, error) {
	if to.Token == tokenPass {
		return r.Header["Authorization"], nil
	}
	if to.public(r) {
		return nil, nil
	}
	session, ok := token.Bearer(r.Header)
	if !ok {
		return nil, nil
	}
	hash := sha256.Sum256([]byte(session))
	if authorization, ok := i.known.get(hash); ok {
		return authorization, nil
	}
	// Many requests of one page come at once; one exchange serves them all, even if
	// the one that began it goes away.
	ctx := context.WithoutCancel(r.Context())
	authorization, err, _ := at.flight.Do(string(hash[:]), func() (any, error) {
		return i.exchange(ctx, at, session, hash)
	})
	if err != nil {
		return nil, err
	}
	return authorization.([]string), nil
}

func (i *identities) exchange(ctx context.Context, at *exchange, session string, hash tokenHash) ([]string, error) {
	var signed struct {
		Token     string `json:"token"`
		ExpiresIn int    `json:"expires_in"` // seconds
	}
	err := at.accounts.Do(ctx, http.MethodPost, "/internal/v1/sessions/exchange", map[string]string{"token": session}, &signed)
	switch {
	case fault.KindOf(err) == fault.Unauthenticated:
		i.known.refuse(hash)
		return nil, nil
	case err != nil:
		// Whatever else it is, accounts has not said that this is nobody: never a 401.
		return nil, errAway.Because(err)
	}
	authorization := []string{"Bearer " + signed.Token}
	// The service must still find it valid, so no longer than half its life.
	life := time.Duration(signed.ExpiresIn) * time.Second
	i.known.remember(hash, authorization, min(i.ttl, life/2))
	return authorization, nil
}

// endsSession reports whether this request, if it succeeds, is a logout.
func endsSession(r *http.Request) bool {
	return r.Method == http.MethodDelete && r.URL.Path == "/v1/sessions/current"
}

// end forgets the session whose token the request carries, and keeps it forgotten.
func (i *identities) end(r *http.Request) {
	if session, ok := token.Bearer(r.Header); ok {
		i.known.end(sha256.Sum256([]byte(session)))
	}
}
