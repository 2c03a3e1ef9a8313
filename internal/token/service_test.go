package token_test

import (
	"crypto/ed25519"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"banyan/internal/token"
)

func TestAdmission(t *testing.T) {
	t.Parallel()
	front, back := seed(0), seed(1)
	a := token.NewAdmission("vault", map[string][]ed25519.PublicKey{"front": {public(front)}, "back": {public(back)}})
	mayFront := a.Require("front")

	sign := func(name string, key ed25519.PrivateKey, audience string) string {
		raw, err := token.NewCaller(name, key).Token(audience)
		require.NoError(t, err)
		return raw
	}
	service := func(change func(header map[string]any, c jwt.MapClaims)) string {
		var c jwt.MapClaims
		parsed, _, err := jwt.NewParser().ParseUnverified(sign("front", front, "vault"), &c)
		require.NoError(t, err)
		change(parsed.Header, c)
		return forge(t, jwt.SigningMethodEdDSA, front, parsed.Header, c)
	}

	t.Run("a caller that the endpoint names may call it, again and again", func(t *testing.T) {
		t.Parallel()
		raw := sign("front", front, "vault")
		require.NoError(t, mayFront(carrying(raw)))
		require.NoError(t, mayFront(carrying(raw)))
	})
	t.Run("a known caller that it does not name is forbidden", func(t *testing.T) {
		t.Parallel()
		raw := sign("back", back, "vault")
		require.NoError(t, a.Require("front", "back")(carrying(raw)))
		require.ErrorIs(t, mayFront(carrying(raw)), token.ErrNotAdmitted)
		require.ErrorIs(t, a.Require()(carrying(raw)), token.ErrNotAdmitted)
	})
	for name, raw := range map[string]string{
		"a token for another service":        sign("front", front, "mint"),
		"one caller under the other's name":  sign("front", back, "vault"),
		"a caller nobody knows":              sign("stranger", seed(2), "vault"),
		"a user token":                       issue(t, front, time.Minute),
		"a user token for this very service": service(func(h map[string]any, _ jwt.MapClaims) { h["typ"] = "at+jwt" }),
		"expired":                            service(func(_ map[string]any, c jwt.MapClaims) { c["exp"] = time.Now().Add(-time.Minute).Unix() }),
		"no expiry":                          service(func(_ map[string]any, c jwt.MapClaims) { delete(c, "exp") }),
		"an opaque token":                    "vJ8mZk3rQ0",
	} {
		t.Run("refused: "+name, func(t *testing.T) {
			t.Parallel()
			require.ErrorIs(t, mayFront(carrying(raw)), token.ErrNotAdmitted)
		})
	}
}

// TestServiceKeyRotation goes through the steps, with two instances of who calls and of who is called. At each
// moment every instance of the one may call every instance of the other.
func TestServiceKeyRotation(t *testing.T) {
	t.Parallel()
	old, next := seed(0), seed(1)
	knows := func(keys ...ed25519.PrivateKey) func(*http.Request) error {
		var text []string
		for _, key := range keys {
			text = append(text, "front="+encode(public(key)))
		}
		callers, err := token.ParseCallers(strings.Join(text, ","))
		require.NoError(t, err)
		return token.NewAdmission("vault", callers).Require("front")
	}
	signs := func(key ed25519.PrivateKey) string {
		raw, err := token.NewCaller("front", key).Token("vault")
		require.NoError(t, err)
		return raw
	}
	for _, moment := range []struct {
		name   string
		caller [2]ed25519.PrivateKey
		called [2]func(*http.Request) error
	}{
		{"one of the called knows the new key", [2]ed25519.PrivateKey{old, old}, [2]func(*http.Request) error{knows(old, next), knows(old)}},
		{"one of the callers signs with it", [2]ed25519.PrivateKey{next, old}, [2]func(*http.Request) error{knows(old, next), knows(old, next)}},
		{"all callers sign with it", [2]ed25519.PrivateKey{next, next}, [2]func(*http.Request) error{knows(old, next), knows(old, next)}},
		{"one of the called has forgotten the old one", [2]ed25519.PrivateKey{next, next}, [2]func(*http.Request) error{knows(next), knows(old, next)}},
	} {
		for _, key := range moment.caller {
			for _, called := range moment.called {
				require.NoError(t, called(carrying(signs(key))), moment.name)
			}
		}
	}
	require.ErrorIs(t, knows(next)(carrying(signs(old))), token.ErrNotAdmitted, "the old key is worth nothing in the end")
}

func TestCaller(t *testing.T) {
	t.Parallel()
	c := token.NewCaller("front", seed(0))
	first, err := c.Token("vault")
	require.NoError(t, err)

	t.Run("reuses a token, also among many goroutines", func(t *testing.T) {
		t.Parallel()
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				again, err := c.Token("vault")
				if err != nil || again != first {
					t.Errorf("got %q, %v", again, err)
				}
			})
		}
		wg.Wait()
	})
	t.Run("signs another for another service", func(t *testing.T) {
		t.Parallel()
		other, err := c.Token("mint")
		require.NoError(t, err)
		require.NotEqual(t, first, other)
	})
}
