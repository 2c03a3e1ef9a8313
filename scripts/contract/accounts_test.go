package contract_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRegistration(t *testing.T) {
	t.Parallel()

	t.Run("makes an account that can sign in, in whatever case it writes its address", func(t *testing.T) {
		t.Parallel()
		v := anybody(t)
		email := "Ada." + newEmail()
		ada := into[account](v.post("/v1/accounts", registration(email)).is(http.StatusCreated))
		require.Equal(t, email, ada.Email)
		require.Equal(t, "Ada Lovelace", ada.Name)
		require.Equal(t, "customer", ada.Role)

		s := v.signIn(strings.ToUpper(email), password)
		require.Equal(t, ada, s.Account)
		require.True(t, s.ExpiresAt.After(time.Now()), "a new session has not expired")
		v.token = s.Token
		require.Equal(t, ada, into[account](v.get("/v1/accounts/me").is(http.StatusOK)))

		t.Run("which is taken then, in any case", func(t *testing.T) {
			v := v.in(t)
			v.post("/v1/accounts", registration(strings.ToUpper(email))).refused(http.StatusConflict, "email-taken")
		})
	})

	t.Run("counts characters, not bytes", func(t *testing.T) {
		t.Parallel()
		long := registration(newEmail()).with("name", strings.Repeat("é", 200)).with("password", strings.Repeat("é", 128))
		anybody(t).post("/v1/accounts", long).is(http.StatusCreated)
	})

	fine := registration(newEmail())
	unacceptable := map[string]struct {
		body  object
		field string
	}{
		"no e-mail address":             {fine.without("email"), "email"},
		"null for an address":           {fine.with("email", nil), "email"},
		"an address without an @":       {fine.with("email", "ada.example.org"), "email"},
		"an address with nothing at it": {fine.with("email", "ada@"), "email"},
		"an address of 255 characters":  {fine.with("email", strings.Repeat("a", 243)+"@example.org"), "email"},
		"no password":                   {fine.without("password"), "password"},
		"a password of 7 characters":    {fine.with("password", "1234567"), "password"},
		"a password of 129 characters":  {fine.with("password", strings.Repeat("p", 129)), "password"},
		"no name":                       {fine.without("name"), "name"},
		"an empty name":                 {fine.with("name", ""), "name"},
		"a name of 201 characters":      {fine.with("name", strings.Repeat("n", 201)), "name"},
		"a name with U+0000":            {fine.with("name", "Ada\x00"), "name"},
	}
	for name, c := range unacceptable {
		t.Run("refuses "+name, func(t *testing.T) {
			t.Parallel()
			anybody(t).post("/v1/accounts", c.body).blames(http.StatusUnprocessableEntity, "invalid", c.field)
		})
	}

	t.Run("names everything that is wrong at once", func(t *testing.T) {
		t.Parallel()
		r := anybody(t).post("/v1/accounts", object{})
		for _, field := range []string{"email", "password", "name"} {
			r.blames(http.StatusUnprocessableEntity, "invalid", field)
		}
	})

	t.Run("cannot read an address that is a number", func(t *testing.T) {
		t.Parallel()
		anybody(t).post("/v1/accounts", fine.with("email", 7)).blames(http.StatusBadRequest, "malformed", "email")
	})

	t.Run("gives nobody a role", func(t *testing.T) {
		t.Parallel()
		anybody(t).post("/v1/accounts", fine.with("role", "staff")).blames(http.StatusBadRequest, "malformed", "role")
	})
}

func TestSigningIn(t *testing.T) {
	t.Parallel()

	t.Run("with a wrong password looks like doing so with an unknown address", func(t *testing.T) {
		t.Parallel()
		v := anybody(t)
		wrong := v.post("/v1/sessions", object{"email": "staff@banyan.example", "password": "not the password"})
		unknown := v.post("/v1/sessions", object{"email": newEmail(), "password": "not the password"})
		wrong.refused(http.StatusUnauthorized, "wrong-credentials")
		wrong.same(unknown)
	})

	t.Run("with what could never be registered is merely wrong", func(t *testing.T) {
		t.Parallel()
		anybody(t).post("/v1/sessions", object{"email": "nobody", "password": "x"}).refused(http.StatusUnauthorized, "wrong-credentials")
	})

	for _, field := range []string{"email", "password"} {
		t.Run("needs "+field, func(t *testing.T) {
			t.Parallel()
			body := object{"email": newEmail(), "password": password}.without(field)
			anybody(t).post("/v1/sessions", body).blames(http.StatusUnprocessableEntity, "invalid", field)
		})
	}

	t.Run("as staff gives a staff account", func(t *testing.T) {
		t.Parallel()
		me := into[account](staff(t).get("/v1/accounts/me").is(http.StatusOK))
		require.Equal(t, "staff", me.Role)
	})
}

func TestSigningOut(t *testing.T) {
	t.Parallel()
	email := newEmail()
	phone := anybody(t)
	phone.post("/v1/accounts", registration(email)).is(http.StatusCreated)
	laptop := phone
	phone.token = phone.signIn(email, password).Token
	laptop.token = laptop.signIn(email, password).Token
	require.NotEqual(t, phone.token, laptop.token)
	phone.get("/v1/accounts/me").is(http.StatusOK)

	phone.delete("/v1/sessions/current").is(http.StatusNoContent)

	// Caches may honour the token for 30 s more. The second on top is for the request itself.
	within(t, 31*time.Second, "the token no longer opens anything", func() bool {
		r := phone.get("/v1/accounts/me")
		if r.status == http.StatusUnauthorized {
			r.refused(http.StatusUnauthorized, "unauthenticated")
			return true
		}
		r.is(http.StatusOK)
		return false
	})
	phone.delete("/v1/sessions/current").refused(http.StatusUnauthorized, "unauthenticated")
	laptop.get("/v1/accounts/me").is(http.StatusOK)  // the other session goes on
	phone.get("/v1/books?limit=1").is(http.StatusOK) // what is public stays so, even with a dead token
}
