package token_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"banyan/internal/token"
)

const issuer = "issuer"

var alice = token.Identity{Subject: uuid.MustParse("019ab6f0-0000-7000-8000-000000000001"), Role: "customer"}

// seed makes a key that is the same in every run.
func seed(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(rune('a'+n)), ed25519.SeedSize)))
}

func public(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

func encode(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// publisher serves a key set that a test may exchange or take away.
type publisher struct {
	*httptest.Server
	body    atomic.Pointer[[]byte] // nil: answers 500
	fetches atomic.Int32
	hold    chan struct{} // unless nil, an answer goes out once it is closed
}

func publish(t *testing.T, keys ...ed25519.PrivateKey) *publisher {
	p := &publisher{}
	p.set(keys...)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		body := p.body.Load()
		p.fetches.Add(1)
		if p.hold != nil {
			<-p.hold
		}
		if body == nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_, _ = w.Write(*body)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *publisher) set(keys ...ed25519.PrivateKey) {
	body := token.NewSigner(issuer, keys).JWKS()
	p.body.Store(&body)
}

func (p *publisher) verifier() *token.Verifier { return verifierOf(p) }

// verifierOf knows the instances of an issuer.
func verifierOf(instances ...*publisher) *token.Verifier {
	var urls []string
	for _, p := range instances {
		urls = append(urls, p.URL)
	}
	return token.NewVerifier(token.VerifierConfig{
		Issuer: issuer, IssuerURL: strings.Join(urls, ","), HTTP: instances[0].Client(), Log: slog.New(slog.DiscardHandler),
	})
}

// carrying returns a request with the token in its Authorization header.
func carrying(raw string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer "+raw)
	return r
}

func issue(t testing.TB, key ed25519.PrivateKey, ttl time.Duration) string {
	raw, err := token.NewSigner(issuer, []ed25519.PrivateKey{key}).Issue(alice, ttl)
	require.NoError(t, err)
	return raw
}

// user returns the header and claims of a good user token signed by key, for forging.
func user(t *testing.T, key ed25519.PrivateKey) (map[string]any, jwt.MapClaims) {
	var c jwt.MapClaims
	parsed, _, err := jwt.NewParser().ParseUnverified(issue(t, key, time.Minute), &c)
	require.NoError(t, err)
	return parsed.Header, c
}

// forge signs any header and claims by any method.
func forge(t *testing.T, method jwt.SigningMethod, key any, header map[string]any, c jwt.MapClaims) string {
	forged := jwt.NewWithClaims(method, c)
	for name, value := range header {
		if name != "alg" {
			forged.Header[name] = value
		}
	}
	raw, err := forged.SignedString(key)
	require.NoError(t, err)
	return raw
}
