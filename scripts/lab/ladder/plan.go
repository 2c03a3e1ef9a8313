package ladder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"

	"banyan/internal/postgres"
	"banyan/migrations"
)

// Preview is what a move would do.
type Preview struct {
	Area     string      `json:"area"`
	Step     int         `json:"step"`
	Owner    string      `json:"owner"`
	Stage    string      `json:"stage"`    // "": the move has not begun
	Tables   []TableSize `json:"tables"`   // to be copied
	Files    []File      `json:"files"`    // in the order in which they run
	Findings []Finding   `json:"findings"` // none: the move can begin
}

// TableSize is what there is to copy of a table.
type TableSize struct {
	Table string `json:"table"` // that is written
	Rows  int64  `json:"rows"`
	Bytes int64  `json:"bytes"` // of the rows, without indexes
}

// File is a file of the area's SQL.
type File struct {
	Heading string `json:"heading"` // when it runs
	Name    string `json:"name"`
	SQL     string `json:"sql"`
}

// Finding is something to be dealt with before a move begins.
type Finding struct {
	What   string `json:"what"`
	Do     string `json:"do"`
	Schema bool   `json:"schema,omitempty"` // the service's is not there, or not whole
}

// Plan is what the move of an area would do to this database. It works on a database that
// nothing has moved yet, and changes nothing: its transaction can't write.
func Plan(ctx context.Context, databaseURL, area string) (Preview, error) {
	a, err := areaNamed(area)
	if err != nil {
		return Preview{}, err
	}
	p := Preview{Area: a.Name, Step: a.Step, Owner: Monolith, Tables: []TableSize{}, Findings: []Finding{}}
	err = reading(ctx, databaseURL, func(tx pgx.Tx) error {
		all, err := standings(ctx, tx)
		if err != nil {
			return err
		}
		if stands := all[a.Name]; stands.Stage != "" {
			p.Owner, p.Stage = stands.Owner, stands.Stage
		}
		if p.Files, err = a.files(len(all) > 0); err != nil {
			return err
		}
		if p.Tables, err = a.sizes(ctx, tx, p.Stage); err != nil {
			return err
		}
		for _, look := range []func(context.Context, postgres.Querier, *Preview, map[string]standing) error{
			a.foundStanding, a.foundSchema, a.foundTransactions, a.foundRoom,
		} {
			if err := look(ctx, tx, &p, all); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return p, fmt.Errorf("plan the move of %s: %w", a.Name, err)
	}
	return p, nil
}

func (p *Preview) find(do, what string, args ...any) {
	p.Findings = append(p.Findings, Finding{What: fmt.Sprintf(what, args...), Do: do})
}

// files are the area's SQL, in the order in which it runs.
func (a Area) files(installed bool) ([]File, error) {
	var all []File
	if !installed {
		text, err := fs.ReadFile(migrations.Extract, "changes.sql")
		if err != nil {
			return nil, err
		}
		all = append(all, File{"once per database", "changes.sql", string(text)})
	}
	for _, part := range []struct{ heading, names string }{
		{"when the move begins", "standby derive derive-back note"},
		{"at the switch, in one transaction", "lock refuse-cutover note-back cutover"},
		{"at a rollback, in one transaction", "lock refuse-rollback note rollback"},
		{"when the move is finalized", "retire finalize"},
	} {
		for _, name := range strings.Fields(part.names) {
			text, err := a.sql(name)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, err
			}
			all = append(all, File{part.heading, a.folder() + "/" + name + ".sql", text})
		}
	}
	return all, nil
}

// aView finds the views that a file makes: their names, and their queries.
var aView = regexp.MustCompile(`(?s)create or replace view extract\.(\w+) as\n(.*?);\n`)

// sizes counts the rows of the views, which need not be there yet.
func (a Area) sizes(ctx context.Context, q postgres.Querier, stage string) ([]TableSize, error) {
	sizes := []TableSize{}
	if stage == StageCutOver || stage == StageFinalizing || stage == StageFinalized {
		return sizes, nil
	}
	text, err := a.sql("derive")
	if err != nil {
		return nil, err
	}
	for _, view := range aView.FindAllStringSubmatch(text, -1) {
		s := TableSize{Table: a.Name + "." + strings.TrimPrefix(view[1], a.Name+"_")}
		err := q.QueryRow(ctx, `select count(*), coalesce(sum(pg_column_size(r)), 0) from (`+view[2]+`) r`).Scan(&s.Rows, &s.Bytes)
		if err != nil {
			return nil, fmt.Errorf("count what %s would get: %w", s.Table, err)
		}
		sizes = append(sizes, s)
	}
	return sizes, nil
}

func (a Area) foundStanding(_ context.Context, _ postgres.Querier, p *Preview, all map[string]standing) error {
	if before, ok := inTheWayOf(a, all); !ok {
		p.find("Finalize "+before+" first.", "%s leaves before %s and is not finalized", before, a.Name)
	}
	if stands, begun := all[a.Name]; begun && a.check(stands) != nil {
		p.find("Start again from fresh data.", "the SQL of %s has changed since its move began", a.Name)
	}
	return nil
}

func (a Area) foundSchema(ctx context.Context, q postgres.Querier, p *Preview, _ map[string]standing) error {
	for _, name := range a.wayForth().all() {
		var there bool
		if err := q.QueryRow(ctx, `select to_regclass($1) is not null`, a.Name+"."+name).Scan(&there); err != nil {
			return err
		}
		if !there {
			p.find("Migrate schema "+a.Name+".", "there is no table %s.%s", a.Name, name)
			p.Findings[len(p.Findings)-1].Schema = true
		}
	}
	return nil
}

// aTrigger finds the tables that get triggers.
var aTrigger = regexp.MustCompile(`(?m)^after .* on ([\w.]+)$`)

// foundTransactions looks for those that a trigger would wait for.
func (a Area) foundTransactions(ctx context.Context, q postgres.Querier, p *Preview, _ map[string]standing) error {
	text, err := a.sql("note")
	if err != nil {
		return err
	}
	var noted []string
	for _, table := range aTrigger.FindAllStringSubmatch(text, -1) {
		noted = append(noted, table[1])
	}
	found := func(do, query string, args ...any) error {
		rows, err := q.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		what, err := pgx.CollectRows(rows, pgx.RowTo[string])
		for _, line := range what {
			p.find(do, "%s", line)
		}
		return err
	}
	err = found("Let it end: a trigger waits for it, and writers wait behind the trigger.", `
		select format('a transaction of %s (%s) writes %s since %s s', usename, state,
		  string_agg(distinct l.relation::regclass::text, ', '), extract(epoch from clock_timestamp() - xact_start)::int)
		from pg_stat_activity a
		join pg_locks l on l.pid = a.pid and l.granted and l.mode not in ('AccessShareLock', 'RowShareLock')
		join pg_database d on d.oid = l.database and d.datname = current_database()
		where a.pid <> pg_backend_pid()
		  and xact_start < clock_timestamp() - interval '1 second'
		  and l.relation = any(array(select to_regclass(t)::oid from unnest($1::text[]) t))
		group by a.pid, usename, state, xact_start
		order by xact_start`, noted)
	if err != nil {
		return err
	}
	return found("Commit it or roll it back: it holds its locks until then.", `
		select format('a transaction of %s is prepared since %s: %s', owner, prepared::timestamptz(0), gid)
		from pg_prepared_xacts
		where database = current_database()
		order by prepared`)
}

// roomFactor is how much of the disk a byte of a row takes: its indexes, its journal, and
// the row itself.
const roomFactor = 4

// foundRoom looks at the server's disk, if the server is on this machine: nobody else can
// tell how much room there is.
func (a Area) foundRoom(ctx context.Context, q postgres.Querier, p *Preview, _ map[string]standing) error {
	var folder string
	err := q.QueryRow(ctx, `
		select case when coalesce(inet_server_addr() <<= '127.0.0.0/8' or inet_server_addr() = '::1', true)
		  then current_setting('data_directory') else '' end`).Scan(&folder)
	var disk syscall.Statfs_t
	if err != nil || folder == "" || syscall.Statfs(folder, &disk) != nil {
		return err
	}
	var bytes int64
	for _, t := range p.Tables {
		bytes += t.Bytes
	}
	free := int64(disk.Bavail) * int64(disk.Bsize) // their types differ between systems
	if need := roomFactor * bytes; free < need {
		p.find("Make room on the server's disk.", "the copy may take %d MB, and %d MB are free", need>>20, free>>20)
	}
	return nil
}
