package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"banyan/internal/postgres"
	"banyan/internal/token"
)

// What every statement that reads accounts selects.
const accountColumns = `a.id, a.email, a.name, a.role, a.created_at`

// credentials are an account and what its password must match.
type credentials struct {
	Account
	PasswordHash string
}

func insertAccount(b *pgx.Batch, a Account, passwordHash string) {
	b.Queue(`
		insert into accounts (id, email, name, password_hash, role, created_at)
		values (@id, @email, @name, @password_hash, @role, @created_at)`,
		pgx.NamedArgs{
			"id": a.ID, "email": a.Email, "name": a.Name, "password_hash": passwordHash,
			"role": a.Role, "created_at": a.CreatedAt,
		})
}

func selectAccount(ctx context.Context, q postgres.Querier, id uuid.UUID) (Account, error) {
	rows, err := q.Query(ctx, `select `+accountColumns+` from accounts a where a.id = $1`, id)
	if err != nil {
		return Account{}, err
	}
	a, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Account])
	if errors.Is(err, pgx.ErrNoRows) {
		return Account{}, token.ErrUnauthenticated
	}
	return a, err
}

// selectCredentials finds the account of an address, however it is spelled, or
// returns ErrWrongCredentials.
func selectCredentials(ctx context.Context, q postgres.Querier, email string) (credentials, error) {
	if strings.ContainsRune(email, 0) {
		return credentials{}, ErrWrongCredentials // PostgreSQL refuses such a text, and nobody has it
	}
	rows, err := q.Query(ctx, `
		select `+accountColumns+`, a.password_hash
		from accounts a
		where lower(a.email) = lower($1)`, email)
	if err != nil {
		return credentials{}, err
	}
	c, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[credentials])
	if errors.Is(err, pgx.ErrNoRows) {
		return credentials{}, ErrWrongCredentials
	}
	return c, err
}

func insertSession(ctx context.Context, q postgres.Querier, hash tokenHash, s Session, now time.Time) error {
	_, err := q.Exec(ctx, `
		insert into sessions (token_hash, account_id, created_at, expires_at)
		values (@token_hash, @account_id, @created_at, @expires_at)`,
		pgx.NamedArgs{
			"token_hash": hash[:], "account_id": s.Account.ID, "created_at": now, "expires_at": s.ExpiresAt,
		})
	return err
}

// selectIdentity returns whose session this is and when it ends, or
// token.ErrUnauthenticated.
func selectIdentity(ctx context.Context, q postgres.Querier, hash tokenHash) (id token.Identity, expires time.Time, err error) {
	err = q.QueryRow(ctx, `
		select a.id, a.role, s.expires_at
		from sessions s
		join accounts a on a.id = s.account_id
		where s.token_hash = $1 and s.expires_at > now()`, hash[:]).Scan(&id.Subject, &id.Role, &expires)
	if errors.Is(err, pgx.ErrNoRows) {
		err = token.ErrUnauthenticated
	}
	return id, expires, err
}

func deleteSession(ctx context.Context, q postgres.Querier, hash tokenHash) error {
	_, err := q.Exec(ctx, `delete from sessions where token_hash = $1`, hash[:])
	return err
}

// deleteExpiredSessions passes over rows that another process is deleting.
func deleteExpiredSessions(ctx context.Context, q postgres.Querier, most int) (int, error) {
	done, err := q.Exec(ctx, `
		with next as materialized ( -- once; a subquery might be run again for each row
			select token_hash
			from sessions
			where expires_at <= now()
			order by expires_at
			limit $1
			for update skip locked
		)
		delete from sessions s
		using next
		where s.token_hash = next.token_hash`, most)
	return int(done.RowsAffected()), err
}
