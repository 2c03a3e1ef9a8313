package bench

import (
	"context"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"banyan/scripts/lab/gauge"
	"banyan/scripts/lab/up"
)

// meters read what the parts of the lab count themselves: the processes their requests, PostgreSQL its statements, the
// broker its events.
type meters struct {
	serving []up.ProcessState // with an ops port
	sql     *pgx.Conn         // to database postgres; nil if the server's counters cannot be had
	flow    *flow
}

// openMeters finds out what can be read. What cannot is named in missing.
func openMeters(ctx context.Context, state *up.State, f *flow) (m *meters, missing []string, err error) {
	m = &meters{flow: f}
	for _, process := range state.Processes {
		if process.OpsURL != "" {
			m.serving = append(m.serving, process)
		}
	}
	m.sql, err = openStatements(ctx, state)
	if err != nil {
		return nil, nil, err
	}
	if m.sql == nil {
		missing = append(missing, "SQL statements and rows are left out: the server does not have pg_stat_statements in database postgres")
	}
	return m, missing, nil
}

func (m *meters) close(ctx context.Context) {
	if m != nil && m.sql != nil {
		_ = m.sql.Close(context.WithoutCancel(ctx))
	}
}

// statements is the connection to the server's counters; nil if there is none.
func (m *meters) statements() *pgx.Conn {
	if m == nil {
		return nil
	}
	return m.sql
}

// readings are the counters at a moment.
type readings struct {
	served map[string]int64    // HTTP requests, by process
	lags   map[string]buckets  // from commit to effect, by consumer
	sql    map[string]sqlCount // by role
	server serverCount
	events eventCount
}

// counted is what was counted between two moments.
type counted readings

func (m *meters) read(ctx context.Context) (*readings, error) {
	now := &readings{served: map[string]int64{}, lags: map[string]buckets{}, sql: map[string]sqlCount{}}
	if m == nil {
		return now, nil
	}
	var mu sync.Mutex
	asking, asked := errgroup.WithContext(ctx)
	for _, process := range m.serving {
		asking.Go(func() error {
			shown, err := gauge.ReadMetrics(asked, process.OpsURL)
			if err != nil {
				return fmt.Errorf("ask %s what it has done: %w", process.Name, err)
			}
			mu.Lock()
			defer mu.Unlock()
			now.served[process.Name] = int64(shown.Sum(requestsServed))
			if lag := shown.Buckets(eventsLag); len(lag) > 0 {
				now.lags[process.Name] = lag
			}
			return nil
		})
	}
	err := asking.Wait()
	if err == nil && m.sql != nil {
		now.sql, now.server, err = readStatements(ctx, m.sql)
	}
	if err == nil {
		now.events, err = m.flow.count(ctx)
	}
	return now, err
}

// since is what was done after an earlier look. A counter that went backwards was reset, and is not known.
func (r *readings) since(earlier *readings) *counted {
	c := &counted{served: map[string]int64{}, lags: map[string]buckets{}, sql: map[string]sqlCount{}}
	for name, served := range r.served {
		c.served[name] = max(served-earlier.served[name], 0)
	}
	for name, lag := range r.lags {
		c.lags[name] = lag.since(earlier.lags[name])
	}
	for role, count := range r.sql {
		c.sql[role] = count.minus(earlier.sql[role])
	}
	c.server = serverCount{max(r.server.wal-earlier.server.wal, 0), max(r.server.writes-earlier.server.writes, 0)}
	c.events = eventCount{
		max(r.events.published-earlier.events.published, 0), max(r.events.delivered-earlier.events.delivered, 0),
	}
	return c
}

func newCounted() *counted {
	return &counted{served: map[string]int64{}, lags: map[string]buckets{}, sql: map[string]sqlCount{}}
}

// add makes another round's counts part of these.
func (c *counted) add(other *counted) {
	if other == nil {
		return
	}
	for name, served := range other.served {
		c.served[name] += served
	}
	for name, lag := range other.lags {
		if c.lags[name] == nil {
			c.lags[name] = buckets{}
		}
		c.lags[name].add(lag)
	}
	for role, count := range other.sql {
		c.sql[role] = c.sql[role].plus(count)
	}
	c.server.wal += other.server.wal
	c.server.writes += other.server.writes
	c.events.published += other.events.published
	c.events.delivered += other.events.delivered
}
