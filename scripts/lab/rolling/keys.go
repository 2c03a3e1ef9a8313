package rolling

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"banyan/internal/token"
)

// callers are the services that call others, by who is called.
var callers = map[string]string{"accounts": "gateway", "inventory": "orders", "payments": "orders", "shipping": "orders"}

// called are those of them, in an order.
var called = []string{"accounts", "inventory", "payments", "shipping"}

// pair is a key before and after.
type pair struct{ old, new ed25519.PrivateKey }

// keys are all that are exchanged: the one that signs what customers carry, and the callers' own.
type keys struct {
	users    pair
	services map[string]pair
}

func newKeys() keys {
	newPair := func() (p pair) {
		_, p.old, _ = ed25519.GenerateKey(nil)
		_, p.new, _ = ed25519.GenerateKey(nil)
		return p
	}
	return keys{newPair(), map[string]pair{"gateway": newPair(), "orders": newPair()}}
}

func public(key ed25519.PrivateKey) []byte { return key.Public().(ed25519.PublicKey) }

// signing is what accounts is told: the first signs.
func signing(keys ...ed25519.PrivateKey) string {
	var seeds []string
	for _, key := range keys {
		seeds = append(seeds, base64.StdEncoding.EncodeToString(key.Seed()))
	}
	return "SIGNING_KEYS=" + strings.Join(seeds, ",")
}

func service(key ed25519.PrivateKey) string {
	return "SERVICE_KEY=" + base64.StdEncoding.EncodeToString(key.Seed())
}

// admitting is what a service is told of its caller.
func admitting(caller string, keys ...ed25519.PrivateKey) string {
	var known []string
	for _, key := range keys {
		known = append(known, caller+"="+base64.StdEncoding.EncodeToString(public(key)))
	}
	return "CALLERS=" + strings.Join(known, ",")
}

// environment is how everything begins.
func (k keys) environment() map[string][]string {
	env := map[string][]string{"accounts": {signing(k.users.old)}}
	for name, caller := range callers {
		env[name] = append(env[name], admitting(caller, k.services[caller].old))
	}
	for name, key := range k.services {
		env[name] = append(env[name], service(key.old))
	}
	return env
}

func (r *run) publishNewKey(ctx context.Context, phase *Phase) error {
	return r.signingKeys(ctx, phase, r.keys.users.old, r.keys.users.new)
}

func (r *run) signWithNewKey(ctx context.Context, phase *Phase) error {
	return r.signingKeys(ctx, phase, r.keys.users.new, r.keys.users.old)
}

func (r *run) dropOldKey(ctx context.Context, phase *Phase) error {
	return r.signingKeys(ctx, phase, r.keys.users.new)
}

// signingKeys gives accounts other keys, and sees that it has them.
func (r *run) signingKeys(ctx context.Context, phase *Phase, keys ...ed25519.PrivateKey) error {
	r.lab.SetEnv("accounts", signing(keys...))
	if err := r.restartServices(ctx, phase, "accounts"); err != nil {
		return err
	}
	for _, instance := range instancesOf("accounts") {
		published, err := publishedBy(ctx, r.lab.Process(instance).URL)
		if err != nil {
			return err
		}
		if !slices.EqualFunc(keys, published, func(a ed25519.PrivateKey, b []byte) bool { return bytes.Equal(public(a), b) }) {
			return fmt.Errorf("%s publishes other keys than it was given", instance)
		}
	}
	return nil
}

// publishedBy are the public keys of accounts, the one that signs first.
func publishedBy(ctx context.Context, url string) ([][]byte, error) {
	body, _, err := fetch(ctx, http.MethodGet, url+token.KeysPath, "", "")
	if err != nil {
		return nil, err
	}
	var set struct{ Keys []struct{ X string } }
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, fmt.Errorf("read the keys of accounts: %w", err)
	}
	var keys [][]byte
	for _, key := range set.Keys {
		x, err := base64.RawURLEncoding.DecodeString(key.X)
		if err != nil {
			return nil, fmt.Errorf("read the keys of accounts: %w", err)
		}
		keys = append(keys, x)
	}
	return keys, nil
}

func fetch(ctx context.Context, method, url, bearer, body string) ([]byte, int, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return nil, 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Close = true
	if bearer != "" {
		request.Header.Set("Authorization", "Bearer "+bearer)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, 0, err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	return said, response.StatusCode, err
}

func (r *run) introduceCallers(ctx context.Context, phase *Phase) error {
	return r.callerKeys(ctx, phase, func(p pair) []ed25519.PrivateKey { return []ed25519.PrivateKey{p.old, p.new} })
}

func (r *run) changeCallers(ctx context.Context, phase *Phase) error {
	both := []string{"gateway", "orders"}
	for _, name := range both {
		r.lab.SetEnv(name, service(r.keys.services[name].new))
	}
	return r.restartServices(ctx, phase, both...)
}

func (r *run) forgetCallers(ctx context.Context, phase *Phase) error {
	err := r.callerKeys(ctx, phase, func(p pair) []ed25519.PrivateKey { return []ed25519.PrivateKey{p.new} })
	if err != nil {
		return err
	}
	// What the old key signs has to be worth nothing now, or nothing was exchanged.
	gateway := r.keys.services["gateway"]
	for _, instance := range instancesOf("accounts") {
		for _, as := range []struct {
			key  ed25519.PrivateKey
			want int
		}{{gateway.old, http.StatusForbidden}, {gateway.new, http.StatusUnauthorized}} {
			bearer, err := token.NewCaller("gateway", as.key).Token("accounts")
			if err != nil {
				return err
			}
			_, status, err := fetch(ctx, http.MethodPost, r.lab.Process(instance).URL+"/internal/v1/sessions/exchange", bearer, `{"token":"nobody's"}`)
			if err != nil {
				return err
			}
			if status != as.want {
				return fmt.Errorf("%s answers %d instead of %d to one of the gateway's keys", instance, status, as.want)
			}
		}
	}
	return nil
}

// callerKeys tells those who are called which keys to admit.
func (r *run) callerKeys(ctx context.Context, phase *Phase, of func(pair) []ed25519.PrivateKey) error {
	for _, name := range called {
		r.lab.SetEnv(name, admitting(callers[name], of(r.keys.services[callers[name]])...))
	}
	return r.restartServices(ctx, phase, called...)
}
