package hostile_test

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type object = map[string]any

// encode is one part of a JWT.
func encode(part any) string {
	text, err := json.Marshal(part)
	if err != nil {
		panic(err) // strings and numbers
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// with is a copy in which some members differ; nil removes one.
func with(o object, changes object) object {
	c := object{}
	for _, from := range []object{o, changes} {
		for name, value := range from {
			if c[name] = value; value == nil {
				delete(c, name)
			}
		}
	}
	return c
}

func signEd(header, claims object, key ed25519.PrivateKey) string {
	text := encode(header) + "." + encode(claims)
	return text + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(key, []byte(text)))
}

func signHS(header, claims object, key []byte) string {
	text := encode(header) + "." + encode(claims)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// decodeParts reads header and claims of a genuine token.
func decodeParts(t *testing.T, raw string) (header, claims object) {
	t.Helper()
	parts := strings.Split(raw, ".")
	require.Len(t, parts, 3)
	for i, into := range []*object{&header, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, into))
	}
	return header, claims
}

// forgeries are tokens that nobody may believe, made from a genuine one and, where
// the name says so, with the genuine key.
func forgeries(t *testing.T, genuine string, key ed25519.PrivateKey) map[string]string {
	t.Helper()
	header, body := decodeParts(t, genuine)
	public := key.Public().(ed25519.PublicKey)
	spki, err := x509.MarshalPKIXPublicKey(public)
	require.NoError(t, err)
	pemKey := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki})
	_, eves, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	evesJWK := object{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": base64.RawURLEncoding.EncodeToString(eves.Public().(ed25519.PublicKey))}
	hs := with(header, object{"alg": "HS256"})
	past, later := time.Now().Add(-time.Minute).Unix(), time.Now().Add(time.Hour).Unix()
	parts := strings.Split(genuine, ".")

	forged := map[string]string{
		"alg none":                                 encode(with(header, object{"alg": "none"})) + "." + encode(body) + ".",
		"alg none in another case":                 encode(with(header, object{"alg": "nOnE"})) + "." + encode(body) + ".",
		"alg none with the genuine signature":      encode(with(header, object{"alg": "none"})) + "." + parts[1] + "." + parts[2],
		"no signature":                             parts[0] + "." + parts[1] + ".",
		"two parts":                                parts[0] + "." + parts[1],
		"HS256 with the public key's bytes":        signHS(hs, body, public),
		"HS256 with the public key as base64url":   signHS(hs, body, []byte(base64.RawURLEncoding.EncodeToString(public))),
		"HS256 with the public key as PEM":         signHS(hs, body, pemKey),
		"HS256 with an empty key":                  signHS(hs, body, nil),
		"a promotion under the genuine signature":  parts[0] + "." + encode(with(body, object{"role": "staff"})) + "." + parts[2],
		"another key under the genuine kid":        signEd(header, body, eves),
		"another key under an unknown kid":         signEd(with(header, object{"kid": "unknown"}), body, eves),
		"another key that the header brings along": signEd(with(header, object{"jwk": evesJWK, "kid": nil}), body, eves),
		"another key that the header points to":    signEd(with(header, object{"jku": "http://127.0.0.1:1/keys", "kid": "x"}), body, eves),
		"a kid that is a path":                     signEd(with(header, object{"kid": "../../../../dev/null"}), body, eves),

		"the genuine key, expired":                    signEd(header, with(body, object{"exp": past}), key),
		"the genuine key, never expiring":             signEd(header, with(body, object{"exp": nil}), key),
		"the genuine key, issued in the future":       signEd(header, with(body, object{"iat": later, "exp": later + 60}), key),
		"the genuine key, not valid before later":     signEd(header, with(body, object{"nbf": later, "exp": later + 60}), key),
		"the genuine key, for another audience":       signEd(header, with(body, object{"aud": "elsewhere"}), key),
		"the genuine key, for no audience":            signEd(header, with(body, object{"aud": nil}), key),
		"the genuine key, from another issuer":        signEd(header, with(body, object{"iss": "elsewhere"}), key),
		"the genuine key, from no issuer":             signEd(header, with(body, object{"iss": nil}), key),
		"the genuine key, of another type":            signEd(with(header, object{"typ": "JWT"}), body, key),
		"the genuine key, with a header nobody knows": signEd(with(header, object{"crit": []string{"x"}, "x": true}), body, key),
	}
	if body["sub"] != nil {
		forged["the genuine key, about nobody"] = signEd(header, with(body, object{"sub": "root"}), key)
		forged["the genuine key, under no kid"] = signEd(with(header, object{"kid": nil}), body, key)
	}
	return forged
}

func TestForgedTokens(t *testing.T) {
	t.Parallel()
	gateway := gateway(t)
	ada := gateway.ada(t)
	genuine := signed(t, ada.ID, "customer")
	forged := forgeries(t, genuine, keyOf(t, "accounts"))
	forged["a service's token"] = serviceToken(t, "orders", "services")

	for name, path := range signedInPaths {
		t.Run("at "+name, func(t *testing.T) {
			t.Parallel()
			d := service(t, name)
			require.NotEqual(t, http.StatusUnauthorized, d.ask(t, "GET", path, "", bearer(genuine)).status, "the genuine one is believed")
			for what, raw := range forged {
				a := d.ask(t, "GET", path, "", bearer(raw))
				require.Equal(t, http.StatusUnauthorized, a.status, "%s\n%s", what, a.body)
			}
		})
	}
	t.Run("at catalog", func(t *testing.T) {
		t.Parallel()
		d := service(t, "catalog")
		d.ask(t, "POST", "/v1/books", `{}`, bearer(genuine)).refused(http.StatusForbidden)
		for what, raw := range forged {
			a := d.ask(t, "POST", "/v1/books", `{}`, bearer(raw))
			require.Equal(t, http.StatusUnauthorized, a.status, "%s\n%s", what, a.body)
		}
	})
	t.Run("no signed token is a session", func(t *testing.T) {
		t.Parallel()
		for _, d := range everywhere(t, "accounts") {
			for what, raw := range plus(forged, "the genuine one", genuine) {
				a := d.ask(t, "GET", "/v1/accounts/me", "", bearer(raw))
				require.Equal(t, http.StatusUnauthorized, a.status, "%s %s\n%s", d.name, what, a.body)
			}
		}
		for _, d := range doors(t) {
			d.ask(t, "GET", "/v1/cart", "", bearer(genuine)).refused(http.StatusUnauthorized)
			d.ask(t, "GET", "/v1/cart", "", bearer(signed(t, ada.ID, "staff"))).refused(http.StatusUnauthorized)
		}
	})
}

// plus is a copy with one more.
func plus(all map[string]string, name, value string) map[string]string {
	c := map[string]string{name: value}
	for k, v := range all {
		c[k] = v
	}
	return c
}
