package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// ErrText means that a database cannot hold the text of the world, or does not know that É is é in upper case.
var ErrText = errors.New("the database can't tell that É is é in upper case, so that two spellings of one name would be two names")

// locales are what a new database may get, the best first. Text sorts by code point in all but the last, and all know
// upper and lower case beyond ASCII. PostgreSQL brings the first from version 17 on; of the others each system has some.
var locales = []string{
	`locale_provider builtin builtin_locale 'C.UTF-8' locale 'C'`,
	`locale_provider libc lc_collate 'C' lc_ctype 'C.UTF-8'`,
	`locale_provider libc lc_collate 'C' lc_ctype 'en_US.UTF-8'`,
	`locale_provider icu icu_locale 'und' locale 'C'`,
}

// CreateDatabase makes a database that [CheckText] accepts, whatever locale and encoding the server has. That is
// ErrText on a server that has no fitting locale.
func CreateDatabase(ctx context.Context, conn *pgx.Conn, name string) error {
	for _, locale := range locales {
		_, err := conn.Exec(ctx, `create database `+pgx.Identifier{name}.Sanitize()+` template template0 encoding 'UTF8' `+locale)
		if err == nil {
			return nil
		}
		if !unknownLocale(err) {
			return fmt.Errorf("create database %s: %w", name, err)
		}
	}
	return fmt.Errorf("create database %s: %w: the server has none of the locales C.UTF-8, en_US.UTF-8 and ICU's; "+
		"install one there (locale-gen en_US.UTF-8), or use another server", name, ErrText)
}

// unknownLocale reports whether a server refuses a locale, or the option that names it.
func unknownLocale(err error) bool {
	var refused *pgconn.PgError
	if !errors.As(err, &refused) {
		return false
	}
	switch refused.Code {
	case "42601", "42809", "22023", "0A000": // unknown option, unknown locale, bad value, built without
		return true
	}
	return false
}

// CheckText returns ErrText, with what to do, if a database has a locale or an encoding that will not do.
func CheckText(ctx context.Context, url string) error {
	conn, err := Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("ask for the database's locale: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var name, encoding, locale string
	err = conn.QueryRow(ctx, `
		select datname, pg_encoding_to_char(encoding), datctype
		from pg_database
		where datname = current_database()`).Scan(&name, &encoding, &locale)
	if err != nil {
		return fmt.Errorf("ask for the database's locale: %w", err)
	}
	var knows bool
	if strings.EqualFold(encoding, "UTF8") { // in another one the question can't be asked
		if err := conn.QueryRow(ctx, `select lower('É') = 'é'`).Scan(&knows); err != nil {
			return fmt.Errorf("ask for the database's locale: %w", err)
		}
	}
	if !knows {
		return fmt.Errorf("%w: database %s has encoding %s and locale %s; drop it (drop database %[2]s) and make it again with "+
			"create database %[2]s template template0 encoding 'UTF8' lc_ctype 'C.UTF-8', or use another server", ErrText, name, encoding, locale)
	}
	return nil
}
