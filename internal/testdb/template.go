package testdb

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/jackc/pgx/v5"

	"banyan/internal/postgres"
)

const (
	templatePrefix = "banyan_template_"
	testPrefix     = "banyan_test_"
	keptTemplates  = 8 // of other hashes: of other branches, and of other checkouts
)

// template is a migrated database to clone from.
type template struct {
	name string
	// grants are statements on the database itself, with %s for its name: a clone does not inherit them.
	grants []string
}

// history is what a template is made of.
type history struct {
	fsys      fs.FS
	bootstrap string
	schemas   []string // in the order of their names
	hash      string
}

// readHistory finds bootstrap.sql and the folders of migrations, and hashes all of it. Folders with no
// SQL directly in them, and extract, whose steps are taken one at a time, are no schemas.
func readHistory(fsys fs.FS) (history, error) {
	h := history{fsys: fsys}
	sum := sha256.New()
	fmt.Fprintln(sum, "2") // of how a template is made; the first kind had the server's own locale
	read := func(name string) (string, error) {
		content, err := fs.ReadFile(fsys, name)
		if err != nil {
			return "", fmt.Errorf("read the migrations: %w", err)
		}
		fmt.Fprintf(sum, "%s %d\n%s", name, len(content), content)
		return string(content), nil
	}

	var err error
	if h.bootstrap, err = read("bootstrap.sql"); err != nil {
		return history{}, err
	}
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return history{}, fmt.Errorf("read the migrations: %w", err)
	}
	for _, entry := range entries {
		if !entry.IsDir() || entry.Name() == "extract" {
			continue
		}
		files, err := fs.Glob(fsys, path.Join(entry.Name(), "*.sql"))
		if err != nil {
			return history{}, fmt.Errorf("read the migrations: %w", err)
		}
		for _, file := range files {
			if _, err := read(file); err != nil {
				return history{}, err
			}
		}
		if len(files) > 0 {
			h.schemas = append(h.schemas, entry.Name())
		}
	}
	h.hash = fmt.Sprintf("%x", sum.Sum(nil))[:16]
	return h, nil
}

// template returns the template of these migrations, made if it is missing.
func (s *server) template(ctx context.Context, h history) (template, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := templatePrefix + h.hash
	if known, ok := s.templates[name]; ok {
		return known, nil
	}
	made := template{name: name}
	err := s.locked(ctx, func(conn *pgx.Conn) error {
		ready, err := isTemplate(ctx, conn, name)
		if err != nil {
			return err
		}
		if !ready {
			if err := s.makeTemplate(ctx, conn, name, h); err != nil {
				return fmt.Errorf("make the template database: %w", err)
			}
			if err := dropOld(ctx, conn, name); err != nil {
				return fmt.Errorf("drop old test databases: %w", err)
			}
		}
		if err := setPasswords(ctx, conn, rolesOf(h.schemas)...); err != nil {
			return err
		}
		made.grants, err = grantsOf(ctx, conn, name)
		return err
	})
	if err != nil {
		return template{}, err
	}
	s.templates[name] = made
	for _, role := range rolesOf(h.schemas) {
		s.passwords[role] = true
	}
	return made, nil
}

// forget makes the next call of template look again.
func (s *server) forget(t template) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.templates, t.name)
}

func isTemplate(ctx context.Context, conn *pgx.Conn, name string) (bool, error) {
	var ready bool
	err := conn.QueryRow(ctx, `select datistemplate and not datallowconn from pg_database where datname = $1`, name).Scan(&ready)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for the template database: %w", err)
	}
	return ready, nil
}

// makeTemplate makes the database, which becomes a template in the last statement: one that was left
// half made is none.
func (s *server) makeTemplate(ctx context.Context, conn *pgx.Conn, name string, h history) error {
	if _, err := conn.Exec(ctx, `drop database if exists `+name+` with (force)`); err != nil {
		return err
	}
	if err := postgres.CreateDatabase(ctx, conn, name); err != nil {
		return err
	}
	if err := s.bootstrap(ctx, name, h.bootstrap); err != nil {
		return fmt.Errorf("bootstrap.sql: %w", err)
	}
	if err := setPasswords(ctx, conn, rolesOf(h.schemas)...); err != nil {
		return err
	}
	for _, schema := range h.schemas {
		folder, err := fs.Sub(h.fsys, schema)
		if err != nil {
			return err
		}
		if _, err := postgres.Migrate(ctx, s.roleURL(ownerOf(schema), name), folder); err != nil {
			return err
		}
	}
	_, err := conn.Exec(ctx, `alter database `+name+` with is_template true allow_connections false`)
	return err
}

func (s *server) bootstrap(ctx context.Context, database, sql string) error {
	conn, err := s.connect(ctx, database)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.PgConn().Exec(ctx, sql).ReadAll() // the simple protocol takes several statements
	return err
}

// grantsOf reads who may do what with a database.
func grantsOf(ctx context.Context, conn *pgx.Conn, database string) ([]string, error) {
	rows, err := conn.Query(ctx, `
		select format('grant %s on database %%s to %s', lower(privilege_type),
			case when grantee = 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end)
		from pg_database, aclexplode(datacl)
		where datname = $1`, database)
	if err != nil {
		return nil, fmt.Errorf("read the template's grants: %w", err)
	}
	grants, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("read the template's grants: %w", err)
	}
	if len(grants) > 0 {
		grants = append([]string{`revoke all on database %s from public`}, grants...)
	}
	return grants, nil
}

// dropOld drops what nobody will ask for again: the oldest templates of other hashes, and databases of
// tests that were killed. A test process that loses its template that way makes it again.
func dropOld(ctx context.Context, conn *pgx.Conn, current string) error {
	rows, err := conn.Query(ctx, `
		(select datname
		from pg_database
		where starts_with(datname, $1) and datname <> $2
		order by oid desc
		offset $3)
		union all
		select datname
		from pg_database
		where starts_with(datname, $4)
			and (pg_stat_file('base/' || oid || '/PG_VERSION', true)).modification < now() - interval '1 hour'
			and not exists (select from pg_stat_activity where datid = pg_database.oid)`,
		templatePrefix, current, keptTemplates, testPrefix)
	if err != nil {
		return err
	}
	old, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range old {
		if strings.HasPrefix(name, templatePrefix) {
			if _, err := conn.Exec(ctx, `alter database `+name+` with is_template false`); err != nil {
				return err
			}
		}
		if _, err := conn.Exec(ctx, `drop database if exists `+name+` with (force)`); err != nil {
			return err
		}
	}
	return nil
}

func ownerOf(schema string) string { return schema + "_owner" }

func rolesOf(schemas []string) []string {
	var roles []string
	for _, schema := range schemas {
		roles = append(roles, ownerOf(schema), schema+"_app")
	}
	return roles
}
