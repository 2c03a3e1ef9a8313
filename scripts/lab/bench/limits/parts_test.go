package limits

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/bench/budget"
)

func TestEveryProbeHasBudgets(t *testing.T) {
	for _, p := range probes(Options{Cold: true}) {
		require.Len(t, p.rows, 1, p.what)
		for _, key := range p.keys {
			line, err := budget.Find(key)
			require.NoError(t, err, p.what)
			require.Equal(t, p.rows[0], line.Row, p.what)
		}
	}
	require.Empty(t, probes(Options{Only: []int{4}}), "the mixes are not measured here")
}

func TestRunSaysThatThereIsNothingToMeasure(t *testing.T) {
	_, err := Run(t.Context(), Options{Only: []int{4}})
	require.ErrorContains(t, err, "no probe for the rows [4]")
}

func TestAProbeThatHangsEnds(t *testing.T) {
	p := probe{within: 50 * time.Millisecond, measure: func(ctx context.Context, _ *world) ([]Figure, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	_, err := p.run(t.Context(), nil)
	require.ErrorContains(t, err, "it took longer than 50ms")
	p.measure = func(context.Context, *world) ([]Figure, error) { return nil, skip("nginx is not installed") }
	_, err = p.run(t.Context(), nil)
	require.EqualError(t, err, "nginx is not installed")
}

func TestTheMedian(t *testing.T) {
	require.Equal(t, 2.0, median([]float64{9, 1, 2}))
	require.Equal(t, 1.5, median([]float64{2, 1}))
}

// Calls of the orders service: one after the other, at once, and one that calls on.
func TestTheCriticalPath(t *testing.T) {
	start := time.Now()
	at := func(from, to, what string, began, end int) *call {
		return &call{From: from, To: to, What: what,
			began: start.Add(time.Duration(began) * time.Millisecond), end: start.Add(time.Duration(end) * time.Millisecond)}
	}
	calls := []*call{
		at("orders", "inventory", "reserve", 10, 20),
		at("orders", "payments", "charge", 21, 40),
		at("payments", "accounts", "keys", 22, 30),
		at("orders", "catalog", "beside the reservation", 11, 19),
		at("orders", "shipping", "after the answer", 90, 110),
		at("shipping", "inventory", "somebody else's", 12, 14),
	}
	var path []string
	for _, c := range criticalPath(calls, "orders", start, start.Add(100*time.Millisecond)) {
		path = append(path, c.What)
	}
	require.Equal(t, []string{"reserve", "charge", "keys"}, path)
	require.Empty(t, criticalPath(nil, "orders", start, start))
}

// Only what happens while all clients work counts: two runs of client 0 and one of client 1, in a second.
func TestTheRateOfPgbench(t *testing.T) {
	log := "0 1 500 0 100 0\n1 1 900 0 101 0\n0 2 500 0 101 500000\n1 2 500 0 101 600000\n0 3 500 0 102 0\n1 3 1 0 103 0\n"
	rate, err := runRate(strings.NewReader(log))
	require.NoError(t, err)
	require.InDelta(t, 3.0, rate, 0.001)
	_, err = runRate(strings.NewReader("0 1 500 0 100 0\n"))
	require.ErrorContains(t, err, "give them more to do")
	_, err = runRate(strings.NewReader(""))
	require.ErrorContains(t, err, "empty")
	_, err = runRate(strings.NewReader("an error\n"))
	require.ErrorContains(t, err, `the line "an error"`)
}

func TestTheScriptOfPgbench(t *testing.T) {
	work := &recorded{trips: [][]statement{
		{{sql: "select 1 where $1 > 0"}},
		{{sql: "insert into a values ($1, $2)"}, {sql: "delete from b where id = $1"}},
	}}
	b := bench{columns: []column{{1, 0}, {2, 0}}}
	script := b.write(work, map[string]string{"s0_1": ":s0_1", "s1_1": ":s1_1_COPY", "s1_2": "null", "s2_1": ":s2_1_COPY"})
	require.Contains(t, script, "select s1_1_0, s2_1_0, s1_1_1, s2_1_1, s1_1_2, s2_1_2, s1_1_3, s2_1_3 from limits_work where n = :row \\gset\n")
	require.Contains(t, script, "select 1 where :s0_1 > 0;\n\\startpipeline\ninsert into a values (:s1_1_1, null);\ndelete from b where id = :s2_1_1;\n\\endpipeline\n")
	require.Equal(t, perRun, strings.Count(script, "\\startpipeline"))
}

func TestWhatIsRecordedCanBePutAnew(t *testing.T) {
	old, other := uuid.New(), uuid.New()
	s := statement{sql: "select @b, @a", args: []any{pgx.QueryExecModeExec, pgx.NamedArgs{"a": old, "b": "x"}}}
	require.NoError(t, s.positional(t.Context()))
	require.Equal(t, "select $1, $2", s.sql)
	require.Equal(t, []any{"x", old}, s.args)

	to := (&recorded{ids: map[uuid.UUID]bool{old: true, uuid.Nil: true}}).fresh(map[uuid.UUID]uuid.UUID{old: other}, map[string]string{"key": "new"})
	require.Equal(t, other, to.apply(old))
	require.Equal(t, []uuid.UUID{other}, to.apply([]uuid.UUID{old}))
	require.NotEqual(t, uuid.Nil, to.apply(uuid.Nil), "an id that nobody gave is a new one")
	require.Equal(t, "new", to.apply("key"))
	require.Equal(t, 7, to.apply(7))
}
