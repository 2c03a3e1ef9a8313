package contract_test

import (
	"net/http"
	"testing"
)

func TestAccess(t *testing.T) {
	t.Parallel()

	t.Run("without a token is refused", func(t *testing.T) {
		t.Parallel()
		operations(t, operation.padlocked, func(t *testing.T, o operation) {
			o.call(anybody(t), unknownID()).refused(http.StatusUnauthorized, "unauthenticated")
		})
	})

	t.Run("with a made-up token is refused", func(t *testing.T) {
		t.Parallel()
		operations(t, operation.padlocked, func(t *testing.T, o operation) {
			v := anybody(t)
			v.token = "made-up-" + word()
			o.call(v, unknownID()).refused(http.StatusUnauthorized, "unauthenticated")
		})
	})

	for name, value := range map[string]string{
		"with another scheme than Bearer": "Basic c3RhZmY6YmFueWFu",
		"with an empty token":             "Bearer ",
		"with no scheme":                  word(),
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			t.Parallel()
			anybody(t).send(http.MethodGet, "/v1/accounts/me", nil, header{"Authorization", value}).
				refused(http.StatusUnauthorized, "unauthenticated")
		})
	}

	// Nothing that a client can send is an identity, except its token.
	for _, name := range []string{"X-Account-Id", "X-User-Id", "X-Role", "X-Forwarded-User"} {
		t.Run("with the header "+name+" alone is refused", func(t *testing.T) {
			t.Parallel()
			anybody(t).send(http.MethodGet, "/v1/cart", nil, header{name, "staff"}).
				refused(http.StatusUnauthorized, "unauthenticated")
		})
	}

	t.Run("to what is public needs no token, and minds no wrong one", func(t *testing.T) {
		t.Parallel()
		public := func(o operation) bool { return !o.padlocked() && o.method == http.MethodGet && o.inPath == "" }
		operations(t, public, func(t *testing.T, o operation) {
			v := anybody(t)
			o.call(v, "").is(http.StatusOK)
			v.token = "made-up-" + word()
			o.call(v, "").is(http.StatusOK)
		})
	})

	t.Run("of a customer to what is for staff is refused", func(t *testing.T) {
		t.Parallel()
		ada := customer(t)
		operations(t, operation.forStaff, func(t *testing.T, o operation) {
			o.call(ada.in(t), unknownID()).refused(http.StatusForbidden, "forbidden")
		})
	})
}
