package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"banyan/scripts/lab/gauge"
	"banyan/scripts/lab/up"
)

const (
	postgresName = "postgres"
	// background is what PostgreSQL does besides answering: writing the log and the pages, vacuuming, and whatever
	// connections did that came and went within a round.
	background = postgresName + " background"
)

// accountant knows how much CPU time each process of the lab has used. On a system without /proc it knows
// nothing, and says so.
type accountant struct {
	processes  []up.ProcessState
	postmaster int       // 0: the server is not the lab's
	conn       *pgx.Conn // to ask which of the server's processes works for whom
}

// openAccounts connects to the server of the lab.
func openAccounts(ctx context.Context, state *up.State) (*accountant, error) {
	a := &accountant{}
	for _, process := range state.Processes {
		switch {
		case process.PID == 0:
		case process.Name == postgresName:
			a.postmaster = process.PID
		default:
			a.processes = append(a.processes, process)
		}
	}
	conn, err := connectAs(ctx, state, "") // any of the databases will do: each sees the whole server
	if err != nil {
		return nil, err
	}
	a.conn = conn
	return a, nil
}

func (a *accountant) close(ctx context.Context) {
	if a != nil {
		_ = a.conn.Close(context.WithoutCancel(ctx))
	}
}

// spending is the CPU time that was used up to a moment.
type spending struct {
	at        time.Time
	known     bool // false: this system does not tell
	processes map[int]spender
	reaped    time.Duration // of the server's processes that have ended
	generator time.Duration
	machine   gauge.Machine
}

type spender struct {
	name string
	cpu  time.Duration
}

// now takes stock.
func (a *accountant) now(ctx context.Context) (*spending, error) {
	s := &spending{at: time.Now(), processes: map[int]spender{}, generator: generatorTime()}
	if a == nil {
		return s, nil
	}
	var err error
	if s.machine, err = gauge.ReadMachine(); err != nil {
		return s, nil // no /proc: macOS
	}
	for _, process := range a.processes {
		times, err := gauge.ReadProcess(process.PID)
		if err != nil {
			return nil, fmt.Errorf("read the CPU time of %s (pid %d): %w", process.Name, process.PID, err)
		}
		s.processes[process.PID] = spender{process.Name, times.Used}
	}
	s.known = true
	if a.postmaster == 0 {
		return s, nil
	}
	times, err := gauge.ReadProcess(a.postmaster)
	if err != nil {
		return nil, fmt.Errorf("read the CPU time of PostgreSQL: %w", err)
	}
	s.processes[a.postmaster], s.reaped = spender{background, times.Used}, times.Reaped
	backends, err := a.backends(ctx)
	if err != nil {
		return nil, err
	}
	for pid, name := range backends {
		if times, err := gauge.ReadProcess(pid); err == nil { // it may have ended just now
			s.processes[pid] = spender{name, times.Used}
		}
	}
	return s, nil
}

// backends names the server's processes by the role that they work for: "postgres catalog_app". Those that work for
// the lab or the benchmark are left out.
func (a *accountant) backends(ctx context.Context) (map[int]string, error) {
	rows, err := a.conn.Query(ctx, `
		select pid, case when backend_type = 'client backend' then $1 || ' ' || usename else $2 end
		from pg_stat_activity
		where backend_type <> 'client backend' or usename like '%\_app'`, postgresName, background)
	if err != nil {
		return nil, fmt.Errorf("ask PostgreSQL for its processes: %w", err)
	}
	names := map[int]string{}
	var pid int
	var name string
	_, err = pgx.ForEachRow(rows, []any{&pid, &name}, func() error {
		names[pid] = name
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("ask PostgreSQL for its processes: %w", err)
	}
	return names, nil
}

// bill is the CPU time that was used between two moments.
type bill struct {
	known     bool
	elapsed   time.Duration
	lab       map[string]time.Duration // by process
	generator time.Duration
	others    time.Duration // programs that have nothing to do with the lab
	stolen    time.Duration // by the host of a virtual machine
}

// since is the bill from an earlier moment up to this one.
func (s *spending) since(earlier *spending) *bill {
	b := &bill{
		known:     s.known && earlier.known,
		elapsed:   s.at.Sub(earlier.at),
		lab:       map[string]time.Duration{},
		generator: s.generator - earlier.generator,
		stolen:    s.machine.Stolen - earlier.machine.Stolen,
	}
	if !b.known {
		return b
	}
	ended := s.reaped - earlier.reaped
	for pid, then := range earlier.processes {
		if _, lives := s.processes[pid]; !lives {
			ended -= then.cpu // what it used before belongs to the time before
		}
	}
	b.lab[background] = max(ended, 0)
	for pid, now := range s.processes {
		b.lab[now.name] += now.cpu - earlier.processes[pid].cpu
	}
	b.others = max(s.machine.Busy-earlier.machine.Busy-b.generator-b.total(), 0)
	return b
}

// total is what the lab used.
func (b *bill) total() (sum time.Duration) {
	for _, cpu := range b.lab {
		sum += cpu
	}
	return sum
}

// add makes another bill part of this one.
func (b *bill) add(other *bill) {
	b.known = b.known && other.known
	b.elapsed += other.elapsed
	for name, cpu := range other.lab {
		b.lab[name] += cpu
	}
	b.generator += other.generator
	b.others += other.others
	b.stolen += other.stolen
}
