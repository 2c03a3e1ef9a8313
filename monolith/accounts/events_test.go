package accounts

import (
	"crypto/ed25519"
	"encoding/json"
	"log/slog"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"banyan/docs/api"
	"banyan/internal/testdb"
	"banyan/internal/token"
	"banyan/internal/web"
	"banyan/migrations"
	"banyan/scripts/lab/ladder"
)

// farShop is the module once notifications is far: it is told of new accounts, and
// takes signed tokens only.
type farShop struct {
	shop
	keys  map[string]ed25519.PrivateKey // of services that accounts knows
	woken *int                          // how often the relay was
}

func newFarShop(t *testing.T) farShop {
	t.Helper()
	db := testdb.New(t, migrations.FS)
	require.NoError(t, ladder.Climb(t.Context(), db.SuperuserURL(), 2, func(string) {}))
	pool, woken := db.Pool("monolith_app"), 0
	s := New(pool, nil, Far{
		Wake: func() { woken++ }, Signer: token.NewSigner("accounts", []ed25519.PrivateKey{newKey(), newKey()}),
	}, maxSessionCache)
	keys := map[string]ed25519.PrivateKey{"gateway": newKey(), "orders": newKey()}
	callers := map[string][]ed25519.PublicKey{}
	for name, key := range keys {
		callers[name] = []ed25519.PublicKey{key.Public().(ed25519.PublicKey)}
	}
	e := web.New(web.Options{Log: slog.New(slog.DiscardHandler)})
	Register(e.Group(""), s, web.SignedIn(s.Authenticate), web.Admit(token.NewAdmission("accounts", callers).Require("gateway")))
	return farShop{shop{s, t, pool, e}, keys, &woken}
}

func newKey() ed25519.PrivateKey {
	_, key, _ := ed25519.GenerateKey(nil)
	return key
}

// told are the registrations that the others are told of, oldest first.
func (s farShop) told() []accountData {
	s.t.Helper()
	rows, err := s.pool.Query(s.t.Context(), `select data from outbox where type = 'account.registered' order by position`)
	require.NoError(s.t, err)
	all, err := pgx.CollectRows(rows, pgx.RowTo[accountData])
	require.NoError(s.t, err)
	return all
}

func TestEvent(t *testing.T) {
	t.Parallel()
	s := newFarShop(t)
	golden := api.Event("account.registered")
	var ada accountData
	require.NoError(t, json.Unmarshal(golden, &ada))
	a, err := s.Create(t.Context(), Registration{Email: ada.Email, Password: "analytical-engine", Name: ada.Name})
	require.NoError(t, err)

	var typ, data string
	require.NoError(t, s.pool.QueryRow(t.Context(), `select type, data from outbox`).Scan(&typ, &data))
	require.Equal(t, "account.registered", typ)
	var written map[string]any
	require.NoError(t, json.Unmarshal([]byte(data), &written))
	require.Equal(t, a.ID.String(), written["account_id"])
	written["account_id"] = ada.AccountID.String() // the one thing that differs
	var want map[string]any
	require.NoError(t, json.Unmarshal(golden, &want))
	require.Equal(t, want, written)
}

func TestTelling(t *testing.T) {
	t.Parallel()

	t.Run("is done once per account, and the relay is woken for it", func(t *testing.T) {
		t.Parallel()
		s := newFarShop(t)
		s.register("ada@example.org")
		status, _ := s.ask("POST", "/v1/accounts", "", `{"email":"ADA@example.org","password":"analytical-engine","name":"Ada"}`)
		require.Equal(t, 409, status)
		require.Len(t, s.told(), 1)
		require.Equal(t, 1, *s.woken)
	})
	t.Run("is a mail while notifications is near", func(t *testing.T) {
		t.Parallel()
		s := newShop(t, noMail{}, 0)
		s.register("ada@example.org")
		require.Zero(t, s.count(`select count(*) from outbox`))
	})
}

// The gateway has no way in while nobody wants signed tokens.
func TestNothingToExchange(t *testing.T) {
	t.Parallel()
	s := newShop(t, noMail{}, 0)
	for method, path := range map[string]string{"POST": "/internal/v1/sessions/exchange", "GET": "/internal/v1/keys"} {
		status, _ := s.ask(method, path, "", "")
		require.Equal(t, 404, status, path)
	}
}
