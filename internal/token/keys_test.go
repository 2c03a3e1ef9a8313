package token_test

import (
	"crypto/ed25519"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/internal/token"
)

func TestParseSigningKeys(t *testing.T) {
	t.Parallel()
	a, b := encode(seed(0).Seed()), encode(seed(1).Seed())

	keys, err := token.ParseSigningKeys(a + ", " + b)
	require.NoError(t, err)
	require.Equal(t, []ed25519.PrivateKey{seed(0), seed(1)}, keys)

	for name, c := range map[string]struct{ text, problem string }{
		"nothing":        {"", "key 1"},
		"a short key":    {a + ",AAAA", "key 2"},
		"not base64":     {"secret!", "key 1"},
		"one twice":      {a + "," + b + "," + a, "key 3 is key 1 again"},
		"trailing comma": {a + ",", "key 2"},
	} {
		t.Run(name+" is refused without printing a secret", func(t *testing.T) {
			t.Parallel()
			_, err := token.ParseSigningKeys(c.text)
			require.ErrorContains(t, err, c.problem)
			for secret := range strings.SplitSeq(c.text, ",") {
				if secret != "" {
					require.NotContains(t, err.Error(), secret)
				}
			}
		})
	}
}

func TestParseCallers(t *testing.T) {
	t.Parallel()
	a, b := encode(public(seed(0))), encode(public(seed(1)))

	c := encode(public(seed(2)))
	callers, err := token.ParseCallers("front=" + a + ", back=" + b + ",front=" + c)
	require.NoError(t, err)
	require.Equal(t, map[string][]ed25519.PublicKey{
		"front": {public(seed(0)), public(seed(2))}, "back": {public(seed(1))},
	}, callers)

	callers, err = token.ParseCallers(" ")
	require.NoError(t, err)
	require.Empty(t, callers)

	for name, c := range map[string]struct{ text, problem string }{
		"no name":         {"=" + a, "caller 1"},
		"no key":          {"front", "caller 1"},
		"a short key":     {"front=AAAA", "caller front"},
		"one key twice":   {"front=" + a + ",front=" + a, "caller front has a key that front has already"},
		"one key for two": {"front=" + a + ",back=" + a, "caller back has a key that front has already"},
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			t.Parallel()
			_, err := token.ParseCallers(c.text)
			require.ErrorContains(t, err, c.problem)
		})
	}
}

// TestJWKS holds the published form against the example key of RFC 8037, appendix A.
func TestJWKS(t *testing.T) {
	t.Parallel()
	example, err := token.ParseSigningKey("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
	require.NoError(t, err)
	require.JSONEq(t, `{"keys": [{
		"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig",
		"kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
		"x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`,
		string(token.NewSigner(issuer, []ed25519.PrivateKey{example}).JWKS()))

	t.Run("publishes every key and no private one", func(t *testing.T) {
		t.Parallel()
		var set struct{ Keys []map[string]string }
		require.NoError(t, json.Unmarshal(token.NewSigner(issuer, []ed25519.PrivateKey{seed(0), seed(1)}).JWKS(), &set))
		require.Len(t, set.Keys, 2)
		require.NotContains(t, set.Keys[0], "d")
		require.NotEqual(t, set.Keys[0]["kid"], set.Keys[1]["kid"])
	})
}

func TestBearer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		header string
		want   string
	}{
		"the scheme has no case":     {"bEARER abc", "abc"},
		"more spaces":                {"Bearer   abc ", "abc"},
		"no credential":              {"Bearer ", ""},
		"no space":                   {"Bearerabc", ""},
		"another scheme":             {"Basic abc", ""},
		"two credentials":            {"Bearer abc def", ""},
		"a control character":        {"Bearer a\x01c", ""},
		"beyond ASCII":               {"Bearer ä", ""},
		"4 KiB is the most":          {"Bearer " + strings.Repeat("a", 4096), strings.Repeat("a", 4096)},
		"one byte more is too much":  {"Bearer " + strings.Repeat("a", 4097), ""},
		"a tab is not the separator": {"Bearer\tabc", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := token.Bearer(http.Header{"Authorization": {c.header}})
			require.Equal(t, c.want, got)
			require.Equal(t, c.want != "", ok)
		})
	}
}

func FuzzBearer(f *testing.F) {
	for _, s := range []string{"Bearer abc", "bearer  abc", "Bearer a b", "Basic abc", "Bearer", " Bearer a", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		got, ok := token.Bearer(http.Header{"Authorization": {header}})
		if !ok {
			require.Empty(t, got)
			return
		}
		require.Len(t, strings.Fields(header), 2)
		require.True(t, strings.EqualFold(strings.Fields(header)[0], "Bearer"))
		require.Equal(t, strings.Fields(header)[1], got)
		require.LessOrEqual(t, len(got), 4096)
	})
}
