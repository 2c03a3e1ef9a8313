package testdb

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// password is every role's. It protects nothing: it only makes the tests log in as the shop does.
const password = "test"

// setPasswords gives the roles the test password, unless they have it. The caller holds the lock.
func setPasswords(ctx context.Context, conn *pgx.Conn, roles ...string) error {
	secret, err := scramSecret()
	if err != nil {
		return err
	}
	rows, err := conn.Query(ctx, `
		select name
		from unnest($1::text[]) as name
		left join pg_authid on rolname = name
		where rolpassword is distinct from $2`, roles, secret)
	if err != nil {
		return fmt.Errorf("look at the roles' passwords: %w", err)
	}
	lacking, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("look at the roles' passwords (DATABASE_URL has to be a superuser's): %w", err)
	}
	for _, role := range lacking {
		_, err := conn.Exec(ctx, fmt.Sprintf(`alter role %s password '%s'`, pgx.Identifier{role}.Sanitize(), secret))
		if err != nil {
			return fmt.Errorf("set the password of role %s: %w", role, err)
		}
	}
	return nil
}

// scramSecret is the password as PostgreSQL stores it (RFC 5803). Made here it is always the same, so
// that it needs no second writing; and with one iteration in place of 4,096, a login costs no
// measurable time.
func scramSecret() (string, error) {
	const iterations = 1
	salt := []byte("banyan test salt")
	salted, err := pbkdf2.Key(sha256.New, password, salt, iterations, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("hash the test password: %w", err)
	}
	stored := sha256.Sum256(mac(salted, "Client Key"))
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s",
		iterations, encode(salt), encode(stored[:]), encode(mac(salted, "Server Key"))), nil
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
