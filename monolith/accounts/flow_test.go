package accounts

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"banyan/internal/testdb"
	"banyan/internal/web"
	"banyan/migrations"
)

// shop is the module alone behind its routes.
type shop struct {
	*Service
	t    *testing.T
	pool *pgxpool.Pool
	http http.Handler
}

func newShop(t *testing.T, mail Mail, sessionCache time.Duration) shop {
	t.Helper()
	pool := testdb.New(t, migrations.FS).Pool("monolith_app")
	s := New(pool, mail, Far{}, sessionCache)
	e := web.New(web.Options{Log: slog.New(slog.DiscardHandler)})
	Register(e.Group(""), s, web.SignedIn(s.Authenticate), nil)
	return shop{s, t, pool, e}
}

// ask sends a request and returns the status and the answer's JSON.
func (s shop) ask(method, path, token, body string) (int, map[string]any) {
	s.t.Helper()
	req := httptest.NewRequestWithContext(s.t.Context(), method, path, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res := httptest.NewRecorder()
	s.http.ServeHTTP(res, req)
	if res.Body.Len() == 0 {
		return res.Code, nil
	}
	var answer map[string]any
	require.NoError(s.t, json.Unmarshal(res.Body.Bytes(), &answer), res.Body)
	return res.Code, answer
}

func (s shop) count(sql string, args ...any) (n int) {
	s.t.Helper()
	require.NoError(s.t, s.pool.QueryRow(s.t.Context(), sql, args...).Scan(&n))
	return n
}

func (s shop) register(email string) {
	s.t.Helper()
	status, answer := s.ask("POST", "/v1/accounts", "", `{"email":"`+email+`","password":"analytical-engine","name":"Ada"}`)
	require.Equal(s.t, 201, status, answer)
}

func (s shop) signIn(email string) (token string) {
	s.t.Helper()
	status, answer := s.ask("POST", "/v1/sessions", "", `{"email":"`+email+`","password":"analytical-engine"}`)
	require.Equal(s.t, 201, status, answer)
	return answer["token"].(string)
}

// noMail writes to nobody.
type noMail struct{}

func (noMail) QueueWelcome(*pgx.Batch, uuid.UUID, string, string) {}

// brokenMail queues a statement that fails.
type brokenMail struct{}

func (brokenMail) QueueWelcome(b *pgx.Batch, _ uuid.UUID, _, _ string) { b.Queue(`select 1 / 0`) }

// keptMail notes whom it was to write to.
type keptMail struct{ to *[]string }

func (m keptMail) QueueWelcome(_ *pgx.Batch, id uuid.UUID, email, name string) {
	*m.to = append(*m.to, id.String()+" "+email+" "+name)
}

func TestRegistering(t *testing.T) {
	t.Parallel()

	t.Run("makes an account and a mail of welcome", func(t *testing.T) {
		t.Parallel()
		var to []string
		s := newShop(t, keptMail{&to}, 0)
		status, a := s.ask("POST", "/v1/accounts", "", `{"email":"Ada@Example.org","password":"analytical-engine","name":"Ada Lovelace"}`)
		require.Equal(t, 201, status, a)
		require.Equal(t, "Ada@Example.org", a["email"], "the address is kept as it was typed")
		require.Equal(t, "customer", a["role"])
		require.Regexp(t, `Z$`, a["created_at"])
		require.Len(t, a, 5)
		require.Equal(t, []string{a["id"].(string) + " Ada@Example.org Ada Lovelace"}, to)

		status, me := s.ask("GET", "/v1/accounts/me", s.signIn("ada@example.org"), "")
		require.Equal(t, 200, status)
		require.Equal(t, a, me)
	})
	t.Run("with an address that somebody has is refused, however it is spelled", func(t *testing.T) {
		t.Parallel()
		s := newShop(t, noMail{}, 0)
		s.register("ada@example.org")
		status, problem := s.ask("POST", "/v1/accounts", "", `{"email":"ADA@example.ORG","password":"analytical-engine","name":"Eve"}`)
		require.Equal(t, 409, status)
		require.Equal(t, "urn:banyan:problem:email-taken", problem["type"])
		require.Equal(t, 1, s.count(`select count(*) from accounts`))
	})
	t.Run("takes two ways to write an accent for one, but in the password", func(t *testing.T) {
		t.Parallel()
		s := newShop(t, noMail{}, 0)
		const decomposed, composed = `e\u0301`, `é`
		status, a := s.ask("POST", "/v1/accounts", "", `{"email":"zo`+decomposed+`@example.org","password":"caf`+decomposed+`-au-lait","name":"Zo`+decomposed+`"}`)
		require.Equal(t, 201, status, a)
		require.Equal(t, "zo"+composed+"@example.org", a["email"])
		require.Equal(t, "Zo"+composed, a["name"])
		for _, e := range []string{composed, decomposed, "É", `E\u0301`} {
			body := `{"email":"zo` + e + `@example.org","password":"caf` + decomposed + `-au-lait"}`
			status, problem := s.ask("POST", "/v1/accounts", "", body[:len(body)-1]+`,"name":"Eve"}`)
			require.Equal(t, 409, status, problem)
			status, session := s.ask("POST", "/v1/sessions", "", body)
			require.Equal(t, 201, status, session)
			require.Equal(t, a, session["account"])
		}
		status, _ = s.ask("POST", "/v1/sessions", "", `{"email":"zo`+composed+`@example.org","password":"caf`+composed+`-au-lait"}`)
		require.Equal(t, 401, status, "of a password every byte counts")
	})
	t.Run("makes no account if there can be no mail", func(t *testing.T) {
		t.Parallel()
		s := newShop(t, brokenMail{}, 0)
		status, problem := s.ask("POST", "/v1/accounts", "", `{"email":"ada@example.org","password":"analytical-engine","name":"Ada"}`)
		require.Equal(t, 500, status, problem)
		require.Zero(t, s.count(`select count(*) from accounts`))
	})
	t.Run("names everything that is wrong", func(t *testing.T) {
		t.Parallel()
		s := newShop(t, noMail{}, 0)
		status, problem := s.ask("POST", "/v1/accounts", "", `{"email":"a@b\r\nBcc: c@d","name":"x\ny"}`)
		require.Equal(t, 422, status)
		require.Len(t, problem["errors"], 3)
		status, _ = s.ask("POST", "/v1/accounts", "", `{"email":"ada@example.org","password":"analytical-engine","name":"Ada","role":"staff"}`)
		require.Equal(t, 400, status, "nobody makes himself staff")
	})
}

func TestSession(t *testing.T) {
	t.Parallel()

	t.Run("begins with the right password only", func(t *testing.T) {
		t.Parallel()
		s := newShop(t, noMail{}, 0)
		s.register("ada@example.org")
		for name, body := range map[string]string{
			"wrong password":              `{"email":"ada@example.org","password":"difference-engine"}`,
			"unknown address":             `{"email":"eve@example.org","password":"analytical-engine"}`,
			"address nobody can have":     `{"email":"no address","password":"analytical-engine"}`,
			"address with a zero byte":    `{"email":"ada@example.org\u0000","password":"analytical-engine"}`,
			"address with half a rune":    `{"email":"ada@example.org\ud800","password":"analytical-engine"}`,
			"password longer than any is": `{"email":"ada@example.org","password":"` + strings.Repeat("x", 1000) + `"}`,
		} {
			status, problem := s.ask("POST", "/v1/sessions", "", body)
			require.Equal(t, 401, status, name)
			require.Equal(t, "urn:banyan:problem:wrong-credentials", problem["type"], name)
		}
		status, problem := s.ask("POST", "/v1/sessions", "", `{"email":null}`)
		require.Equal(t, 422, status)
		require.Len(t, problem["errors"], 2)

		status, session := s.ask("POST", "/v1/sessions", "", `{"email":"ADA@example.org","password":"analytical-engine"}`)
		require.Equal(t, 201, status)
		require.Regexp(t, `^[A-Za-z0-9_-]{43}$`, session["token"])
		require.Equal(t, "ada@example.org", session["account"].(map[string]any)["email"])
		ends, err := time.Parse(time.RFC3339, session["expires_at"].(string))
		require.NoError(t, err)
		require.WithinDuration(t, time.Now().Add(sessionAge), ends, time.Minute)
	})
	t.Run("is not kept in a form that signs anybody in", func(t *testing.T) {
		t.Parallel()
		s := newShop(t, noMail{}, 0)
		s.register("ada@example.org")
		token := s.signIn("ada@example.org")
		require.Equal(t, 1, s.count(`select count(*) from sessions where token_hash = sha256($1::text::bytea)`, token))
	})
	for name, sessionCache := range map[string]time.Duration{"remembered": time.Minute, "looked up each time": 0} {
		t.Run(name+" ends with the logout at once, and no other with it", func(t *testing.T) {
			t.Parallel()
			s := newShop(t, noMail{}, sessionCache)
			s.register("ada@example.org")
			token, other := s.signIn("ada@example.org"), s.signIn("ada@example.org")
			for range 2 {
				status, _ := s.ask("GET", "/v1/accounts/me", token, "")
				require.Equal(t, 200, status)
			}
			status, _ := s.ask("DELETE", "/v1/sessions/current", token, "")
			require.Equal(t, 204, status)
			for _, method := range []string{"GET /v1/accounts/me", "DELETE /v1/sessions/current"} {
				method, path, _ := strings.Cut(method, " ")
				status, problem := s.ask(method, path, token, "")
				require.Equal(t, 401, status)
				require.Equal(t, "urn:banyan:problem:unauthenticated", problem["type"])
			}
			status, _ = s.ask("GET", "/v1/accounts/me", other, "")
			require.Equal(t, 200, status)
		})
	}
	t.Run("is no longer looked up while it is remembered", func(t *testing.T) {
		t.Parallel()
		s := newShop(t, noMail{}, time.Minute)
		s.register("ada@example.org")
		token := s.signIn("ada@example.org")
		status, _ := s.ask("GET", "/v1/accounts/me", token, "")
		require.Equal(t, 200, status)
		_, err := s.pool.Exec(t.Context(), `delete from sessions`)
		require.NoError(t, err)
		status, _ = s.ask("GET", "/v1/accounts/me", token, "")
		require.Equal(t, 200, status)
		require.Equal(t, maxSessionCache, s.cache.ttl, "but never for longer than the contract allows")
	})
	t.Run("that has expired signs nobody in and is removed", func(t *testing.T) {
		t.Parallel()
		s := newShop(t, noMail{}, 0)
		s.register("ada@example.org")
		old, token := s.signIn("ada@example.org"), s.signIn("ada@example.org")
		hash := hashToken(old)
		_, err := s.pool.Exec(t.Context(), `update sessions set expires_at = now() where token_hash = $1`, hash[:])
		require.NoError(t, err)
		status, _ := s.ask("GET", "/v1/accounts/me", old, "")
		require.Equal(t, 401, status)

		require.NoError(t, s.purge(t.Context()))
		require.Equal(t, 1, s.count(`select count(*) from sessions`))
		status, _ = s.ask("GET", "/v1/accounts/me", token, "")
		require.Equal(t, 200, status)
	})
	t.Run("tokens that nobody was given are refused without a look at the database", func(t *testing.T) {
		t.Parallel()
		s := newShop(t, noMail{}, 0)
		s.pool.Close()
		for _, token := range []string{"", "x", strings.Repeat("x", 42), strings.Repeat("x", 44), "a b"} {
			status, _ := s.ask("GET", "/v1/accounts/me", token, "")
			require.Equal(t, 401, status, "%q", token)
		}
	})
}
