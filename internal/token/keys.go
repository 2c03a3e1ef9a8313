package token

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// ParseSigningKey reads one private key: the base64 of an Ed25519 seed of 32 bytes.
func ParseSigningKey(s string) (ed25519.PrivateKey, error) {
	seed, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s))
	if err != nil || len(seed) != ed25519.SeedSize {
		// The text is a secret: no part of it may reach a log.
		return nil, fmt.Errorf("a signing key is the base64 of %d bytes", ed25519.SeedSize)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// ParseSigningKeys reads a comma-separated list of private keys, of which the first signs.
func ParseSigningKeys(s string) ([]ed25519.PrivateKey, error) {
	var keys []ed25519.PrivateKey
	for i, part := range strings.Split(s, ",") {
		key, err := ParseSigningKey(part)
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
		for j, other := range keys {
			if key.Equal(other) {
				return nil, fmt.Errorf("key %d is key %d again", i+1, j+1)
			}
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// ParseCallers reads who may call: "name=<base64 public key>", separated by commas. A name may stand there with
// several keys, any of which is its own. An empty text admits nobody.
func ParseCallers(s string) (map[string][]ed25519.PublicKey, error) {
	callers := map[string][]ed25519.PublicKey{}
	if strings.TrimSpace(s) == "" {
		return callers, nil
	}
	owners := map[string]string{} // by key
	for i, part := range strings.Split(s, ",") {
		name, text, found := strings.Cut(strings.TrimSpace(part), "=")
		if !found || name == "" {
			return nil, fmt.Errorf("caller %d: expected name=<base64 public key>", i+1)
		}
		key, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(key) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("caller %s: a public key is the base64 of %d bytes", name, ed25519.PublicKeySize)
		}
		if owner, twice := owners[string(key)]; twice {
			return nil, fmt.Errorf("caller %s has a key that %s has already", name, owner)
		}
		owners[string(key)] = name
		callers[name] = append(callers[name], key)
	}
	return callers, nil
}

// jwk is a public key as RFC 8037 writes it.
type jwk struct {
	Kty string `json:"kty"`
	Crv string `json:"crv"`
	Alg string `json:"alg"`
	Use string `json:"use"`
	Kid string `json:"kid"`
	X   string `json:"x"`
}

// jwks is a set of them (RFC 7517).
type jwks struct {
	Keys []jwk `json:"keys"`
}

func publish(key ed25519.PublicKey) jwk {
	return jwk{
		Kty: "OKP", Crv: "Ed25519", Alg: "EdDSA", Use: "sig",
		Kid: thumbprint(key),
		X:   base64.RawURLEncoding.EncodeToString(key),
	}
}

// thumbprint names a key by itself (RFC 7638 over the members RFC 8037 prescribes),
// so that nobody has to hand out names.
func thumbprint(key ed25519.PublicKey) string {
	sum := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + base64.RawURLEncoding.EncodeToString(key) + `"}`))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// parseJWKS returns the Ed25519 keys of a published set by kid. Keys of other types
// are passed over; a set with none of ours is an error.
func parseJWKS(body []byte) (map[string]ed25519.PublicKey, error) {
	var set jwks
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, fmt.Errorf("read the key set: %w", err)
	}
	keys := make(map[string]ed25519.PublicKey, len(set.Keys))
	for _, k := range set.Keys {
		if k.Kty != "OKP" || k.Crv != "Ed25519" || k.Kid == "" {
			continue
		}
		key, err := base64.RawURLEncoding.DecodeString(k.X)
		if err != nil || len(key) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("read the key set: key %q is not %d bytes of base64url", k.Kid, ed25519.PublicKeySize)
		}
		keys[k.Kid] = key
	}
	if len(keys) == 0 {
		return nil, errors.New("read the key set: it has no Ed25519 key")
	}
	return keys, nil
}
