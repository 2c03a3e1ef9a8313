package limits

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	pgxuuid "github.com/vgarvardt/pgx-google-uuid/v5"

	"banyan/internal/local"
	"banyan/internal/postgres"
)

// perRun is how many pieces of work a run of the script does. It fetches their arguments, which pgbench can't make
// itself, in one more round trip, so that has to be spread over a few; and as each copy of a statement is
// prepared for itself, over not too many.
const perRun = 4

// workTable holds the arguments that change, a row per run of the script.
const workTable = "limits_work"

// bench is a piece of recorded work as a script for pgbench.
type bench struct {
	appURL  string
	script  string
	columns []column          // of the work's table, in its order
	fixed   map[string]string // variables that are the same each time
	types   [][]uint32        // of the statements' parameters
	dir     string
}

// column is an argument that changes.
type column struct {
	statement, arg int // among all statements of the work
}

// newBench writes the script. Whether an argument changes is seen from two examples.
func newBench(ctx context.Context, appURL, dir string, work *recorded, one, other substitution) (*bench, error) {
	b := &bench{appURL: appURL, dir: dir, fixed: map[string]string{}}
	conn, err := b.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))

	texts := map[string]string{} // what stands for an argument: a variable, or null
	at := 0
	for _, trip := range work.trips {
		for _, s := range trip {
			described, err := conn.Prepare(ctx, "", s.sql)
			if err != nil {
				return nil, fmt.Errorf("prepare a recorded statement: %w", err)
			}
			if len(described.ParamOIDs) != len(s.args) {
				return nil, fmt.Errorf("a recorded statement has %d parameters and %d arguments: %s", len(described.ParamOIDs), len(s.args), s.sql)
			}
			b.types = append(b.types, described.ParamOIDs)
			for n, arg := range s.args {
				name := fmt.Sprintf("s%d_%d", at, n+1)
				first, null, err := encode(conn.TypeMap(), described.ParamOIDs[n], one.apply(arg))
				if err != nil {
					return nil, err
				}
				second, _, err := encode(conn.TypeMap(), described.ParamOIDs[n], other.apply(arg))
				if err != nil {
					return nil, err
				}
				switch {
				case null: // a variable can't be
					texts[name] = "null"
				case first == second:
					b.fixed[name] = first
					texts[name] = ":" + name
				default:
					b.columns = append(b.columns, column{at, n})
					texts[name] = ":" + name + "_COPY"
				}
			}
			at++
		}
	}
	if most := 1600; len(b.columns)*perRun >= most {
		return nil, fmt.Errorf("%d arguments change, too many for a table", len(b.columns))
	}
	b.script = b.write(work, texts)
	return b, nil
}

var parameter = regexp.MustCompile(`\$[0-9]+`)

// write is the script: fetch the arguments, then the round trips, perRun times. A batch is a pipeline: one
// implicit transaction, as with pgx.
func (b *bench) write(work *recorded, texts map[string]string) string {
	var script strings.Builder
	var names []string
	for copy := range perRun {
		for _, c := range b.columns {
			names = append(names, fmt.Sprintf("s%d_%d_%d", c.statement, c.arg+1, copy))
		}
	}
	script.WriteString("\\set n :n + 1\n\\set row :client_id * :per_client + :n\n")
	fmt.Fprintf(&script, "select %s from %s where n = :row \\gset\n", strings.Join(names, ", "), workTable)
	for copy := range perRun {
		at := 0
		for _, trip := range work.trips {
			if len(trip) > 1 {
				script.WriteString("\\startpipeline\n")
			}
			for _, s := range trip {
				sql := parameter.ReplaceAllStringFunc(s.sql, func(p string) string {
					return strings.Replace(texts[fmt.Sprintf("s%d_%s", at, p[1:])], "_COPY", "_"+strconv.Itoa(copy), 1)
				})
				script.WriteString(strings.TrimSpace(sql) + ";\n")
				at++
			}
			if len(trip) > 1 {
				script.WriteString("\\endpipeline\n")
			}
		}
	}
	return script.String()
}

// encode is an argument as text, as the server reads it.
func encode(types *pgtype.Map, oid uint32, arg any) (text string, null bool, err error) {
	encoded, err := types.Encode(oid, pgtype.TextFormatCode, arg, nil)
	if err != nil {
		return "", false, fmt.Errorf("write an argument as text: %w", err)
	}
	return string(encoded), encoded == nil, nil
}

func (b *bench) connect(ctx context.Context) (*pgx.Conn, error) {
	conn, err := postgres.Connect(ctx, b.appURL)
	if err != nil {
		return nil, err
	}
	pgxuuid.Register(conn.TypeMap())
	return conn, nil
}

// load puts the arguments of all pieces of work into the table, which owner owns.
func (b *bench) load(ctx context.Context, ownerURL string, work *recorded, pieces []substitution) error {
	var names []string
	for copy := range perRun {
		for _, c := range b.columns {
			names = append(names, fmt.Sprintf("s%d_%d_%d", c.statement, c.arg+1, copy))
		}
	}
	conn, err := postgres.Connect(ctx, ownerURL)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	pgxuuid.Register(conn.TypeMap())
	if _, err := conn.Exec(ctx, `drop table if exists `+workTable); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, `create table `+workTable+` (n int primary key, `+strings.Join(names, " text, ")+` text)`); err != nil {
		return err
	}
	statements := slices.Concat(work.trips...)
	runs := len(pieces) / perRun
	_, err = conn.CopyFrom(ctx, pgx.Identifier{workTable}, append([]string{"n"}, names...), pgx.CopyFromSlice(runs, func(run int) ([]any, error) {
		row := []any{run + 1}
		for copy := range perRun {
			for _, c := range b.columns {
				text, _, err := encode(conn.TypeMap(), b.types[c.statement][c.arg], pieces[run*perRun+copy].apply(statements[c.statement].args[c.arg]))
				if err != nil {
					return nil, err
				}
				row = append(row, text)
			}
		}
		return row, nil
	}))
	if err == nil {
		_, err = conn.Exec(ctx, `analyze `+workTable)
	}
	return err
}

// run lets pgbench do the work that was loaded, and returns the pieces per second. Each client's first run,
// in which it connects and prepares, is left out, and so is the end, when some have nothing left to do.
func (b *bench) run(ctx context.Context, pieces int) (float64, error) {
	install, err := local.FindPostgres(ctx)
	if err != nil {
		return 0, err
	}
	program := filepath.Join(install.Bin, "pgbench")
	if _, err := os.Stat(program); err != nil {
		return 0, skip("pgbench is not installed beside PostgreSQL (" + install.Bin + ")")
	}
	script := filepath.Join(b.dir, "checkout.pgbench")
	if err := os.WriteFile(script, []byte(b.script), 0o600); err != nil {
		return 0, err
	}
	logs := filepath.Join(b.dir, "pgbench_log")
	if err := removeLogs(logs); err != nil {
		return 0, err
	}
	perClient := pieces / perRun / clients
	args := []string{"--no-vacuum", "--protocol=prepared", "--client=" + strconv.Itoa(clients), "--jobs=2",
		"--transactions=" + strconv.Itoa(perClient), "--log", "--log-prefix=" + logs, "--file=" + script,
		"--define=n=0", "--define=per_client=" + strconv.Itoa(perClient)}
	for name, value := range b.fixed {
		args = append(args, "--define="+name+"="+value)
	}
	config, err := postgres.ParseConfig(b.appURL)
	if err != nil {
		return 0, errors.New("the database's URL can't be read")
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = b.dir
	cmd.Env = append(local.PostgresEnv(), "PGHOST="+config.Host, "PGPORT="+strconv.Itoa(int(config.Port)),
		"PGUSER="+config.User, "PGPASSWORD="+config.Password, "PGDATABASE="+config.Database, "PGSSLMODE=disable")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("pgbench: %w: %s", err, out)
	}
	files, err := filepath.Glob(logs + ".*")
	if err != nil || len(files) == 0 {
		return 0, fmt.Errorf("pgbench left no log at %s: %w", logs, err)
	}
	var readers []io.Reader
	for _, file := range files {
		opened, err := os.Open(file)
		if err != nil {
			return 0, err
		}
		defer opened.Close()
		readers = append(readers, opened)
	}
	runs, err := runRate(io.MultiReader(readers...))
	return runs * perRun, err
}

func removeLogs(prefix string) error {
	files, err := filepath.Glob(prefix + ".*")
	for _, file := range files {
		err = errors.Join(err, os.Remove(file))
	}
	return err
}

// runRate reads pgbench's log, a line per run: client, number, duration, script, and the end in seconds and microseconds. The
// result is the runs per second between the moment when the last client had done its first, and that when the first
// client had done its last.
func runRate(log io.Reader) (float64, error) {
	ends := map[int][]float64{}
	for lines := bufio.NewScanner(log); lines.Scan(); {
		var client, number, duration, script, seconds, micros int
		if _, err := fmt.Sscan(lines.Text(), &client, &number, &duration, &script, &seconds, &micros); err != nil {
			return 0, fmt.Errorf("pgbench's log has the line %q: %w", lines.Text(), err)
		}
		ends[client] = append(ends[client], float64(seconds)+float64(micros)/1e6)
	}
	if len(ends) == 0 {
		return 0, errors.New("pgbench's log is empty")
	}
	from, to := 0.0, 0.0
	for _, of := range ends {
		slices.Sort(of)
		from = max(from, of[0])
		if last := of[len(of)-1]; to == 0 || last < to {
			to = last
		}
	}
	var done int
	for _, of := range ends {
		for _, end := range of {
			if end > from && end <= to {
				done++
			}
		}
	}
	if to <= from || done == 0 {
		return 0, errors.New("pgbench's clients did not work at the same time: give them more to do")
	}
	return float64(done) / (to - from), nil
}
