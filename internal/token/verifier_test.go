package token_test

import (
	"crypto/ed25519"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"banyan/internal/fault"
	"banyan/internal/token"
)

func TestVerifier(t *testing.T) {
	t.Parallel()

	t.Run("a token issued is the person it was issued to", func(t *testing.T) {
		t.Parallel()
		p := publish(t, seed(0))
		v := p.verifier()
		for range 3 {
			id, err := v.Authenticate(carrying(issue(t, seed(0), time.Minute)))
			require.NoError(t, err)
			require.Equal(t, alice, id)
		}
		require.EqualValues(t, 1, p.fetches.Load(), "the keys are fetched once")
	})
	t.Run("a token that was verified stops holding when it expires", func(t *testing.T) {
		t.Parallel()
		v := publish(t, seed(0)).verifier()
		raw := issue(t, seed(0), -3*time.Second) // within the leeway for another two seconds
		_, err := v.Authenticate(carrying(raw))
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			_, err := v.Authenticate(carrying(raw))
			return fault.KindOf(err) == fault.Unauthenticated
		}, 5*time.Second, 20*time.Millisecond)
	})
	t.Run("many first requests at once make one fetch", func(t *testing.T) {
		t.Parallel()
		p := publish(t, seed(0))
		v := p.verifier()
		raw := issue(t, seed(0), time.Minute)
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if _, err := v.Authenticate(carrying(raw)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 1, p.fetches.Load())
	})
}

// TestVerifierRefuses holds every token that somebody might try against one verifier.
func TestVerifierRefuses(t *testing.T) {
	t.Parallel()
	key, other := seed(0), seed(1)
	v := publish(t, key).verifier()
	eddsa := jwt.SigningMethodEdDSA

	// altered signs a good token after changing its header or its claims.
	altered := func(change func(header map[string]any, c jwt.MapClaims)) string {
		header, c := user(t, key)
		change(header, c)
		return forge(t, eddsa, key, header, c)
	}
	claim := func(name string, value any) string {
		return altered(func(_ map[string]any, c jwt.MapClaims) { c[name] = value })
	}
	header, c := user(t, key)
	service, err := token.NewCaller(issuer, key).Token(token.Audience)
	require.NoError(t, err)
	good := forge(t, eddsa, key, header, c)
	_, err = v.Authenticate(carrying(good))
	require.NoError(t, err, "what is not altered must pass, or this table proves nothing")

	for name, raw := range map[string]string{
		"alg none":                          forge(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, header, c),
		"HS256 with the public key":         forge(t, jwt.SigningMethodHS256, []byte(public(key)), header, c),
		"another key under this one's name": forge(t, eddsa, other, header, c),
		"an unknown key":                    issue(t, other, time.Minute),
		"no key named":                      altered(func(h map[string]any, _ jwt.MapClaims) { delete(h, "kid") }),
		"expired":                           issue(t, key, -time.Minute),
		"no expiry":                         altered(func(_ map[string]any, c jwt.MapClaims) { delete(c, "exp") }),
		"issued in the future":              claim("iat", time.Now().Add(time.Minute).Unix()),
		"not valid yet":                     claim("nbf", time.Now().Add(time.Minute).Unix()),
		"another audience":                  claim("aud", "elsewhere"),
		"no audience":                       altered(func(_ map[string]any, c jwt.MapClaims) { delete(c, "aud") }),
		"another issuer":                    claim("iss", "somebody"),
		"a subject that is no UUID":         claim("sub", "alice"),
		"another typ":                       altered(func(h map[string]any, _ jwt.MapClaims) { h["typ"] = "JWT" }),
		"no typ":                            altered(func(h map[string]any, _ jwt.MapClaims) { h["typ"] = nil }),
		"a header that must be understood":  altered(func(h map[string]any, _ jwt.MapClaims) { h["crit"] = []string{"b64"} }),
		"a service token":                   service,
		"a service token naming the key":    altered(func(h map[string]any, _ jwt.MapClaims) { h["typ"] = "service+jwt" }),
		"longer than 4 KiB":                 claim("role", strings.Repeat("x", 4<<10)),
		"a cut signature":                   good[:len(good)-2],
		"an opaque token":                   "vJ8mZk3rQ0",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := v.Authenticate(carrying(raw))
			require.ErrorIs(t, err, token.ErrUnauthenticated)
		})
	}
	t.Run("no header at all", func(t *testing.T) {
		t.Parallel()
		_, err := v.Authenticate(httptest.NewRequest(http.MethodGet, "/", nil))
		require.ErrorIs(t, err, token.ErrUnauthenticated)
	})
	t.Run("two headers, one of them good", func(t *testing.T) {
		t.Parallel()
		r := carrying(good)
		r.Header.Add("Authorization", "Bearer "+good)
		_, err := v.Authenticate(r)
		require.ErrorIs(t, err, token.ErrUnauthenticated)
	})
}

func TestRotation(t *testing.T) {
	t.Parallel()
	old, next := seed(0), seed(1)
	first := issue(t, old, time.Minute)
	second := issue(t, next, time.Minute)

	// settled waits until the verifier may fetch again and says the expected thing.
	settled := func(t *testing.T, v *token.Verifier, raw string, ok bool) {
		require.Eventually(t, func() bool {
			_, err := v.Authenticate(carrying(raw))
			return (err == nil) == ok
		}, 5*time.Second, 50*time.Millisecond)
	}

	t.Run("the second key's tokens verify after a refresh, and the first key's still do", func(t *testing.T) {
		t.Parallel()
		p := publish(t, old)
		v := p.verifier()
		settled(t, v, first, true)
		p.set(next, old)
		settled(t, v, second, true)
		settled(t, v, first, true)
	})
	t.Run("a withdrawn key takes the tokens that were verified with it", func(t *testing.T) {
		t.Parallel()
		p := publish(t, old)
		v := p.verifier()
		settled(t, v, first, true)
		p.set(next)
		settled(t, v, second, true)
		settled(t, v, first, false)
	})
	t.Run("keys at hand stay good while the issuer is down", func(t *testing.T) {
		t.Parallel()
		p := publish(t, old)
		v := p.verifier()
		settled(t, v, first, true)
		p.body.Store(nil)
		_, err := v.Authenticate(carrying(second))
		require.ErrorIs(t, err, token.ErrUnavailable, "nobody can say whether this key is a new one")
		_, err = v.Authenticate(carrying(issue(t, old, 2*time.Minute)))
		require.NoError(t, err)
	})
}

// TestRotationSteps goes through the steps with two instances of the issuer, which are restarted one after the other.
// At no moment is a token refused that either of them has signed.
func TestRotationSteps(t *testing.T) {
	t.Parallel()
	old, next := seed(0), seed(1)

	t.Run("in the order of the book", func(t *testing.T) {
		t.Parallel()
		one, two := publish(t, old), publish(t, old)
		v := verifierOf(one, two)
		good := func(key ed25519.PrivateKey) {
			t.Helper()
			_, err := v.Authenticate(carrying(issue(t, key, time.Minute)))
			require.NoError(t, err)
		}
		good(old)
		one.set(old, next) // 1
		good(old)
		two.set(old, next)
		good(old)
		one.set(next, old) // 2
		good(next)
		good(old) // the other one still signs with it
		two.set(next, old)
		good(next)
		good(old)     // signed before
		one.set(next) // 3
		good(next)
		two.set(next)
		good(next)
	})
	t.Run("a new key is found whichever instance publishes it", func(t *testing.T) {
		t.Parallel()
		one, two := publish(t, old), publish(t, old)
		v := verifierOf(one, two)
		for _, key := range []ed25519.PrivateKey{old, next, old} {
			two.set(next, old) // before its neighbour knows, which is not how it should be done
			_, err := v.Authenticate(carrying(issue(t, key, time.Minute)))
			require.NoError(t, err)
		}
	})
	t.Run("nor does it matter that an instance is away", func(t *testing.T) {
		t.Parallel()
		one, two := publish(t, old), publish(t, next, old)
		one.body.Store(nil)
		_, err := verifierOf(one, two).Authenticate(carrying(issue(t, next, time.Minute)))
		require.NoError(t, err)
	})
	t.Run("an issuer that moves is asked where it was and where it will be", func(t *testing.T) {
		t.Parallel()
		was, will := publish(t, old), publish(t, old)
		will.body.Store(nil)
		v := verifierOf(was, will)
		_, err := v.Authenticate(carrying(issue(t, old, time.Minute)))
		require.NoError(t, err)
		was.Close() // from now on it refuses connections
		_, err = v.Authenticate(carrying(issue(t, old, 2*time.Minute)))
		require.NoError(t, err, "between the two, the keys at hand are good")
		will.set(next, old)
		for _, key := range []ed25519.PrivateKey{next, old} {
			_, err = v.Authenticate(carrying(issue(t, key, 3*time.Minute)))
			require.NoError(t, err)
		}
	})
	t.Run("a key that was published just after a fetch is found", func(t *testing.T) {
		t.Parallel()
		p := publish(t, old)
		v := p.verifier()
		_, err := v.Authenticate(carrying(issue(t, old, time.Minute)))
		require.NoError(t, err, "this fetched the keys")
		p.set(next, old)
		_, err = v.Authenticate(carrying(issue(t, next, time.Minute)))
		require.NoError(t, err)
	})
	t.Run("a key that was published during a fetch is found", func(t *testing.T) {
		t.Parallel()
		p := publish(t, old)
		v := p.verifier()
		p.hold = make(chan struct{})
		waits := make(chan error, 2)
		verify := func(key ed25519.PrivateKey) {
			_, err := v.Authenticate(carrying(issue(t, key, time.Minute)))
			waits <- err
		}
		go verify(old)
		require.Eventually(t, func() bool { return p.fetches.Load() == 1 }, 5*time.Second, time.Millisecond)
		p.set(next, old) // the answer that is held was made before
		go verify(next)
		time.Sleep(50 * time.Millisecond) // for it to wait for the same fetch
		close(p.hold)
		require.NoError(t, <-waits)
		require.NoError(t, <-waits)
	})
}

// fetchPause is less than lies between two fetches.
const fetchPause = 190 * time.Millisecond

func TestFetchingKeys(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"an answer that is no JSON":   "hello",
		"a set without a key of ours": `{"keys":[{"kty":"RSA","kid":"1"}]}`,
		"a key of the wrong length":   `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1","x":"AAAA"}]}`,
	} {
		t.Run(name+" makes verification unavailable, not denied", func(t *testing.T) {
			t.Parallel()
			p := publish(t, seed(0))
			bytes := []byte(body)
			p.body.Store(&bytes)
			_, err := p.verifier().Authenticate(carrying(issue(t, seed(0), time.Minute)))
			require.ErrorIs(t, err, token.ErrUnavailable)
		})
	}
	t.Run("the issuer being down is unavailable, and it is not asked again at once", func(t *testing.T) {
		t.Parallel()
		p := publish(t, seed(0))
		p.body.Store(nil)
		v := p.verifier()
		start := time.Now()
		for range 20 {
			_, err := v.Authenticate(carrying(issue(t, seed(0), time.Minute)))
			require.ErrorIs(t, err, token.ErrUnavailable)
		}
		require.LessOrEqual(t, int(p.fetches.Load()), 1+int(time.Since(start)/fetchPause))
	})
	t.Run("made-up key ids do not hammer the issuer", func(t *testing.T) {
		t.Parallel()
		p := publish(t, seed(0))
		v := p.verifier()
		start := time.Now()
		var wg sync.WaitGroup
		for i := range 25 {
			raw := issue(t, seed(byte(i+1)), time.Minute)
			wg.Go(func() {
				if _, err := v.Authenticate(carrying(raw)); !errors.Is(err, token.ErrUnauthenticated) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		require.LessOrEqual(t, int(p.fetches.Load()), 1+int(time.Since(start)/fetchPause))
		require.Less(t, time.Since(start), 2*time.Second, "nobody waits for more than two fetches")
	})
	t.Run("a token that names no key causes no fetch", func(t *testing.T) {
		t.Parallel()
		p := publish(t, seed(0))
		_, err := p.verifier().Authenticate(carrying("opaque"))
		require.ErrorIs(t, err, token.ErrUnauthenticated)
		require.Zero(t, p.fetches.Load())
	})
}

func BenchmarkVerify(b *testing.B) {
	key := seed(0)
	body := token.NewSigner(issuer, []ed25519.PrivateKey{key}).JWKS()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) }))
	defer server.Close()
	v := token.NewVerifier(token.VerifierConfig{Issuer: issuer, IssuerURL: server.URL})
	r := carrying(issue(b, key, time.Hour))
	for b.Loop() {
		if _, err := v.Authenticate(r); err != nil {
			b.Fatal(err)
		}
	}
}
