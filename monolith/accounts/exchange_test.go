package accounts

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"banyan/internal/token"
)

// exchange asks for a signed token as one of the services does, or with any other
// credential, and holds the answer against its description.
func (s farShop) exchange(caller, body string) (int, map[string]any) {
	s.t.Helper()
	credential := caller
	if key, ok := s.keys[caller]; ok {
		var err error
		credential, err = token.NewCaller(caller, key).Token("accounts")
		require.NoError(s.t, err)
	}
	status, answer := s.ask("POST", "/internal/v1/sessions/exchange", credential, body)
	kind := "application/json"
	if status != 200 {
		kind = "application/problem+json"
	}
	described(s.t, "/internal/v1/sessions/exchange", status, kind, answer)
	return status, answer
}

func body(session string) string { return `{"token":"` + session + `"}` }

// described fails the test if the answer is not one that the document describes.
func described(t *testing.T, path string, status int, kind string, answer any) {
	t.Helper()
	file, err := os.ReadFile("../../docs/api/internal/accounts.yaml")
	require.NoError(t, err)
	doc, err := openapi3.NewLoader().LoadFromData(file)
	require.NoError(t, err)
	require.NoError(t, doc.Validate(t.Context(), openapi3.EnableExamplesValidation()))
	for _, operation := range doc.Paths.Value(path).Operations() {
		response := operation.Responses.Status(status)
		require.NotNil(t, response, "%d is not described", status)
		require.Contains(t, response.Value.Content, kind)
		require.NoError(t, response.Value.Content[kind].Schema.Value.VisitJSON(answer))
	}
}

// verifier checks signed tokens as every other service does.
func (s farShop) verifier() *token.Verifier {
	server := httptest.NewServer(s.http)
	s.t.Cleanup(server.Close)
	return token.NewVerifier(token.VerifierConfig{Issuer: "accounts", IssuerURL: server.URL})
}

func TestExchange(t *testing.T) {
	t.Parallel()
	s := newFarShop(t)
	s.register("ada@example.org")
	verifier := s.verifier()
	session := s.signIn("ada@example.org")

	t.Run("gives the gateway a token that every service understands", func(t *testing.T) {
		t.Parallel()
		status, signed := s.exchange("gateway", body(session))
		require.Equal(t, 200, status, signed)
		require.EqualValues(t, 60, signed["expires_in"])
		id, err := verifier.Verify(t.Context(), signed["token"].(string))
		require.NoError(t, err)
		_, me := s.ask("GET", "/v1/accounts/me", session, "")
		require.Equal(t, token.Identity{Subject: uuid.MustParse(me["id"].(string)), Role: "customer"}, id)
	})
	t.Run("is for the gateway alone", func(t *testing.T) {
		t.Parallel()
		_, signed := s.exchange("gateway", body(session))
		for name, caller := range map[string]string{
			"another service": "orders", "nobody": "", "a customer": session, "a signed customer": signed["token"].(string),
		} {
			status, _ := s.exchange(caller, body(session))
			require.Equal(t, 403, status, name)
		}
	})
	t.Run("refuses what is no session", func(t *testing.T) {
		t.Parallel()
		ended, expired := s.signIn("ada@example.org"), s.signIn("ada@example.org")
		for _, live := range []string{ended, expired} {
			status, _ := s.exchange("gateway", body(live))
			require.Equal(t, 200, status)
		}
		status, _ := s.ask("DELETE", "/v1/sessions/current", ended, "")
		require.Equal(t, 204, status)
		hash := hashToken(expired)
		_, err := s.pool.Exec(t.Context(), `update sessions set expires_at = now() where token_hash = $1`, hash[:])
		require.NoError(t, err)
		for name, session := range map[string]string{
			"ended": ended, "expired": expired, "made up": newToken(), "empty": "", "short": "x", "long": strings.Repeat("x", 4096),
		} {
			status, problem := s.exchange("gateway", body(session))
			require.Equal(t, 401, status, name)
			require.Equal(t, "urn:banyan:problem:unauthenticated", problem["type"], name)
		}
	})
	t.Run("gives no token that outlives its session", func(t *testing.T) {
		t.Parallel()
		session := s.signIn("ada@example.org")
		hash := hashToken(session)
		_, err := s.pool.Exec(t.Context(), `update sessions set expires_at = now() + interval '20 seconds' where token_hash = $1`, hash[:])
		require.NoError(t, err)
		status, signed := s.exchange("gateway", body(session))
		require.Equal(t, 200, status)
		require.InDelta(t, 19, signed["expires_in"], 2)
	})
	t.Run("is asked in the one way that is described", func(t *testing.T) {
		t.Parallel()
		for _, wrong := range []string{`{"session":"x"}`, `{"token":7}`, `{`} {
			status, _ := s.exchange("gateway", wrong)
			require.Equal(t, 400, status, wrong)
		}
	})
	t.Run("says that it cannot know while the database is away", func(t *testing.T) {
		t.Parallel()
		s := newFarShop(t)
		s.pool.Close()
		status, _ := s.exchange("gateway", body(newToken()))
		require.NotEqual(t, 401, status)
		require.GreaterOrEqual(t, status, 500)
	})
}

func TestKeys(t *testing.T) {
	t.Parallel()
	s := newFarShop(t)
	res := httptest.NewRecorder()
	s.http.ServeHTTP(res, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/internal/v1/keys", nil))
	require.Equal(t, 200, res.Code)
	require.Equal(t, "application/jwk-set+json", res.Header().Get("Content-Type"))
	require.Equal(t, "public, max-age=60", res.Header().Get("Cache-Control"))
	var set map[string]any
	require.NoError(t, json.Unmarshal(res.Body.Bytes(), &set))
	described(t, "/internal/v1/keys", res.Code, "application/jwk-set+json", set)
	require.Len(t, set["keys"], 2, "the ones that will sign later are known before")
}
