package testdb

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"banyan/internal/postgres"
)

// childMark, if set, makes the test binary another test process: it makes a database and waits.
const childMark = "TESTDB_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childMark) == "" {
		os.Exit(m.Run())
	}
	if err := beChild(); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test has seen enough, or is gone
}

func beChild() error {
	server, err := theServer()
	if err != nil {
		return err
	}
	history, err := readHistory(tree(""))
	if err != nil {
		return err
	}
	name := testPrefix + strings.TrimPrefix(fmt.Sprint(os.Getpid()), "-")
	if err := server.clone(context.Background(), history, name); err != nil {
		return err
	}
	fmt.Println(server.url(server.superuser.User, name))
	return nil
}

// startChild starts another test process; line is the superuser's URL of the database it has made.
func startChild(t *testing.T, env ...string) (line func() string, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), childMark+"=yes"), env...)
	_, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	kill = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	t.Cleanup(kill)
	lines := bufio.NewReader(out)
	return func() string {
		t.Helper()
		line, err := lines.ReadString('\n')
		require.NoError(t, err)
		require.NotContains(t, line, "error:")
		return strings.TrimSpace(line)
	}, kill
}

// tree is a small set of migrations; different text makes another template.
func tree(text string) fstest.MapFS {
	file := func(content string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(content)} }
	return fstest.MapFS{
		"bootstrap.sql": file(`
			do $$
			declare
				name text;
			begin
				foreach name in array array['trunk', 'leaf'] loop
					if not exists (select from pg_roles where rolname = name || '_owner') then
						execute format('create role %I login', name || '_owner');
						execute format('create role %I login', name || '_app');
					end if;
					execute format('create schema %I authorization %I', name, name || '_owner');
					execute format('grant usage on schema %I to %I', name, name || '_app');
					execute format('alter default privileges for role %I in schema %I grant select, insert on tables to %I',
						name || '_owner', name, name || '_app');
					execute format('alter role %I set search_path = %I', name || '_owner', name);
					execute format('alter role %I set search_path = %I', name || '_app', name);
				end loop;
				if not exists (select from pg_roles where rolname = 'gardener') then
					create role gardener login;
				end if;
				execute format('revoke all on database %I from public', current_database());
				execute format('grant connect on database %I to trunk_owner, trunk_app, leaf_owner, leaf_app', current_database());
			end
			$$;
			select 'a second statement';`),
		"trunk/00001_rings.sql":  file("-- " + text + "\n-- +goose Up\ncreate table rings (year int primary key);\n"),
		"leaf/00001_veins.sql":   file("-- +goose Up\ncreate table veins (id int);\n"),
		"extract/00001_move.sql": file("not even SQL"),
		"extract/01-leaf/go.sql": file("not even SQL"),
		"notes/README.md":        file("no schema"),
	}
}

func ask[T any](t *testing.T, url, sql string, args ...any) T {
	t.Helper()
	conn, err := postgres.Connect(t.Context(), url)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	var value T
	require.NoError(t, conn.QueryRow(t.Context(), sql, args...).Scan(&value))
	return value
}
