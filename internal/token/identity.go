package token

import (
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"banyan/internal/fault"
)

// Audience is the audience of every user token: any process that takes one
// takes it for the same person, so there is nothing to tell apart.
const Audience = "services"

// The typ headers. A user token's is that of RFC 9068.
const (
	typUser    = "at+jwt"
	typService = "service+jwt"
)

const (
	maxToken = 4 << 10         // bytes; a token of ours has about 350
	leeway   = 5 * time.Second // how far two clocks may be apart
	maxSeen  = 1 << 14         // verified tokens remembered per generation
)

var (
	// ErrUnauthenticated says that the request carries no token, or none that holds.
	// It does not say which, since that would only help whoever forges one.
	ErrUnauthenticated = fault.New(fault.Unauthenticated, "", "Sign in first: this needs a valid bearer token.")

	// ErrUnavailable says that a token cannot be judged now, because the keys cannot be fetched.
	ErrUnavailable = fault.New(fault.Unavailable, "", "Who is calling cannot be checked right now. Try again soon.").After(time.Second)

	// ErrNotAdmitted says that this endpoint is for other callers.
	ErrNotAdmitted = fault.New(fault.Forbidden, "", "This endpoint is not for you.")
)

// Identity is the person on whose behalf a request is made.
type Identity struct {
	Subject uuid.UUID
	Role    string
}

// claims is the body of both kinds of token; a service token has no role.
type claims struct {
	jwt.RegisteredClaims
	Role string `json:"role,omitempty"`
}

// Bearer returns the credential of the request's Authorization header, as RFC 6750
// spells it. ok is false without exactly one such header, with another scheme, and
// for a credential that is empty, has other than visible ASCII characters or is
// longer than 4 KiB.
func Bearer(h http.Header) (credential string, ok bool) {
	values := h["Authorization"]
	if len(values) != 1 {
		return "", false
	}
	scheme, credential, found := strings.Cut(values[0], " ")
	if !found || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	credential = strings.Trim(credential, " ")
	if credential == "" || len(credential) > maxToken {
		return "", false
	}
	for i := range len(credential) {
		if credential[i] <= ' ' || credential[i] > '~' {
			return "", false
		}
	}
	return credential, true
}

// parse checks everything about a token but its issuer's meaning: the signature by
// the key that key chooses, the algorithm, the typ, the audience and the times.
func parse(raw, typ, audience string, key jwt.Keyfunc) (*claims, error) {
	var c claims
	t, err := jwt.ParseWithClaims(raw, &c, key,
		jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}),
		jwt.WithStrictDecoding(),
		jwt.WithAudience(audience),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(leeway),
	)
	if err != nil {
		return nil, err
	}
	// "crit" lists what a reader must understand or refuse; we understand none of it.
	if _, critical := t.Header["crit"]; critical || t.Header["typ"] != typ {
		return nil, jwt.ErrTokenUnverifiable
	}
	return &c, nil
}
