package hostile_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/internal/token"
)

// serviceToken is what a service sends to another.
func serviceToken(t *testing.T, caller, audience string) string {
	t.Helper()
	raw, err := token.NewCaller(caller, keyOf(t, caller)).Token(audience)
	require.NoError(t, err)
	return raw
}

const anID = "019f0a3b-7c4d-7e5f-8a6b-0c1d2e3f4a5b"

// internals are the endpoints that services have for each other.
var internals = []struct{ service, caller, path string }{
	{"accounts", "gateway", "/internal/v1/sessions/exchange"},
	{"inventory", "orders", "/internal/v1/reservations"},
	{"payments", "orders", "/internal/v1/charges"},
	{"shipping", "orders", "/internal/v1/shipments/" + anID + "/cancel"},
}

func TestInternalEndpoints(t *testing.T) {
	t.Parallel()
	front := gateway(t)
	ada := front.ada(t)
	for _, e := range internals {
		t.Run("of "+e.service, func(t *testing.T) {
			t.Parallel()
			d := service(t, e.service)
			right := serviceToken(t, e.caller, e.service)
			// It is let in, and then told that its request makes no sense.
			d.ask(t, "POST", e.path, `{"nonsense":1}`, bearer(right)).refused(http.StatusBadRequest)

			wrong := forgeries(t, right, keyOf(t, e.caller))
			wrong["a customer's signed token"] = signed(t, ada.ID, "customer")
			wrong["a signed token of the staff"] = signed(t, ada.ID, "staff")
			wrong["a customer's session"] = ada.session
			for _, other := range []string{"gateway", "orders"} {
				if other != e.caller {
					wrong["the token of "+other] = serviceToken(t, other, e.service)
				}
				for _, audience := range []string{"accounts", "inventory", "payments", "shipping", "services", ""} {
					if other != e.caller || audience != e.service {
						wrong[other+"'s token for "+audience] = serviceToken(t, other, audience)
					}
				}
			}
			for what, raw := range wrong {
				a := d.ask(t, "POST", e.path, `{"nonsense":1}`, bearer(raw))
				require.Equal(t, http.StatusForbidden, a.status, "%s\n%s", what, a.body)
			}
			d.ask(t, "POST", e.path, `{"nonsense":1}`).refused(http.StatusForbidden)
			d.ask(t, "POST", e.path, `{"nonsense":1}`, claims(ada.ID)...).refused(http.StatusForbidden)
		})
	}
}

func TestInternalPathsFromTheStreet(t *testing.T) {
	t.Parallel()
	at(t, doors(t), func(t *testing.T, d door) {
		credentials := []string{"X-Nothing: 1", bearer(d.staff(t).session)}
		if d.name == "gateway" {
			credentials = append(credentials, bearer(serviceToken(t, "gateway", "accounts")))
		}
		paths := []string{
			"/internal/v1/keys", "/internal", "/INTERNAL/v1/keys", "//internal/v1/keys", "/./internal/v1/keys", "/v1/internal/v1/keys",
			"/v1/../internal/v1/keys", "/v1/sessions/../../internal/v1/keys", "/v1/sessions/..%2f..%2finternal/v1/keys",
			"/v1/sessions/%2e%2e/%2e%2e/internal/v1/keys", "/v1/sessions/..;/..;/internal/v1/keys", "/v1/sessions/..\\..\\internal/v1/keys",
			"/%69nternal/v1/keys", "/internal%2fv1/keys", "/v1/accounts/internal/v1/keys", "http://accounts/internal/v1/keys",
		}
		for _, e := range internals {
			paths = append(paths, e.path, "/v1/sessions/../.."+e.path)
		}
		for _, path := range paths {
			for _, credential := range credentials {
				for _, method := range []string{"GET", "POST"} {
					a := d.wire(t, method+" "+path+" HTTP/1.1", credential, "Content-Length: 0", "Connection: close")
					a.is(http.StatusNotFound, http.StatusBadRequest)
					require.NotContains(t, string(a.body), `"keys"`)
				}
			}
		}
	})
}

// What operators and developers use is on another port, or nowhere.
func TestOperatorsPages(t *testing.T) {
	t.Parallel()
	names := []string{"accounts", "catalog", "inventory", "orders", "payments", "shipping", "notifications"}
	at(t, everywhere(t, names...), func(t *testing.T, d door) {
		for _, path := range []string{
			"/metrics", "/debug/pprof/", "/debug/pprof/cmdline", "/debug/pprof/heap", "/debug/vars", "/debug", "/livez", "/readyz",
			"/routes", "/admin", "/admin/keys", "/v1/keys", "/keys", "/.well-known/jwks.json", "/internal/v1/callers",
			"/internal/v1/keys/rotate", "/.env", "/.git/config", "/config", "/env",
		} {
			d.ask(t, "GET", path, "").refused(http.StatusNotFound)
			d.ask(t, "POST", path, "{}").refused(http.StatusNotFound)
		}
		// The public keys can be read at accounts, and at no place be changed.
		for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
			d.ask(t, method, "/internal/v1/keys", "{}").refused(http.StatusNotFound, http.StatusMethodNotAllowed)
		}
		d.ask(t, "TRACE", "/v1/cart", "").is(http.StatusNotFound, http.StatusMethodNotAllowed)
	})
	t.Run("the published keys are public halves only", func(t *testing.T) {
		t.Parallel()
		set := into[struct{ Keys []map[string]any }](service(t, "accounts").ask(t, "GET", "/internal/v1/keys", "").is(http.StatusOK))
		require.NotEmpty(t, set.Keys)
		for _, key := range set.Keys {
			require.NotContains(t, key, "d", "d is the private half")
			require.NotContains(t, key, "k")
		}
	})
}
