package main

import (
	"encoding/json"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"banyan/docs/api"
)

// told are the registrations that the others are told of, oldest first.
func (s shop) told() []accountData {
	s.t.Helper()
	rows, err := s.pool.Query(s.t.Context(), `select data from outbox where type = 'account.registered' order by position`)
	require.NoError(s.t, err)
	all, err := pgx.CollectRows(rows, pgx.RowTo[accountData])
	require.NoError(s.t, err)
	return all
}

func TestEvent(t *testing.T) {
	t.Parallel()
	s := newShop(t)
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

func TestOtherSchemas(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	for _, table := range []string{"monolith.accounts", "catalog.books", "notifications.contacts"} {
		_, err := s.pool.Exec(t.Context(), `select from `+table)
		var refused *pgconn.PgError
		require.ErrorAs(t, err, &refused, table)
		require.Equal(t, "42501", refused.Code, table)
	}
}
