package bench

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"banyan/internal/events"
	"banyan/internal/postgres"
	"banyan/internal/testdb"
	"banyan/migrations"
	"banyan/scripts/lab/seed"
	"banyan/scripts/lab/up"
	"banyan/scripts/lab/workload"
)

// seeded is the small data set, made once for all tests.
var seeded = sync.OnceValue(func() *seed.Data { return seed.Generate(seed.Small) })

// known is what the browsers know of it.
var known = sync.OnceValue(func() *workload.Catalogue { return workload.NewCatalogue(seeded()) })

// twoShops is one database with both sides' data.
func twoShops(t *testing.T) *testdb.DB {
	t.Helper()
	db := testdb.New(t, migrations.FS)
	data := seeded()
	for _, schema := range migrations.Schemas {
		owner, err := postgres.Connect(t.Context(), db.URL(schema+"_owner"))
		require.NoError(t, err)
		require.NoError(t, seed.Copy(t.Context(), owner, schema, data))
		require.NoError(t, owner.Close(t.Context()))
	}
	return db
}

func TestWhatTheSidesHold(t *testing.T) {
	t.Parallel()
	db := twoShops(t)
	t.Run("is inspected", func(t *testing.T) { testInspection(t, db) })
	t.Run("is compared", func(t *testing.T) { testData(t, db) })
}

func testData(t *testing.T, db *testdb.DB) {
	admin := db.Superuser()
	compared := func() []string {
		data := map[string]map[string]AreaData{}
		for home, step := range map[string]up.Step{up.Monolith: up.Ladder[0], up.Services: up.Ladder[up.LastStep]} {
			var err error
			data[home], err = readData(t.Context(), db.SuperuserURL(), home, step)
			require.NoError(t, err)
			require.Len(t, data[home], len(kinds))
			for kind, found := range data[home] {
				require.Positive(t, found.Rows, kind)
			}
		}
		return differences(data)
	}
	require.Empty(t, compared(), "both were seeded alike")

	changes := []struct{ sql, back, says string }{
		{`update catalog.books set price = price + 1 where isbn = (select min(isbn) from catalog.books)`,
			`update catalog.books set price = price - 1 where isbn = (select min(isbn) from catalog.books)`, "the books of the two differ"},
		{`update inventory.stock set on_hand = on_hand + 1 where book_id = (select min(id::text)::uuid from catalog.books)`,
			`update inventory.stock set on_hand = on_hand - 1 where book_id = (select min(id::text)::uuid from catalog.books)`, "the stock of the two differ"},
		{`update monolith.orders set status = 'shipped' where id = (select max(id::text)::uuid from monolith.orders where status = 'paid')`,
			"", "the orders of the two differ"},
		{`insert into accounts.accounts (id, email, name, password_hash, role, created_at)
			values (gen_random_uuid(), 'somebody@banyan.example', 'Somebody', '', 'customer', now())`,
			`delete from accounts.accounts where email = 'somebody@banyan.example'`, "the monolith has 1001 accounts and the services have 1002"},
	}
	for _, c := range changes {
		_, err := admin.Exec(t.Context(), c.sql)
		require.NoError(t, err)
		require.Contains(t, compared(), c.says)
		if c.back != "" {
			_, err = admin.Exec(t.Context(), c.back)
			require.NoError(t, err)
		}
	}

	t.Run("that differ make a run invalid before it begins", func(t *testing.T) {
		url := db.SuperuserURL()
		in := &lab{state: &up.State{Databases: map[string]string{up.Monolith: url, up.Services: url}}}
		sides := []*side{{name: up.Monolith, home: up.Monolith, lab: in}, {step: 8, name: up.Services, home: up.Services, lab: in}}
		r := newReport("small", Quick(), sides)
		run := &runner{sides: sides}
		require.NoError(t, run.compareData(t.Context(), r))
		r.judge()
		require.False(t, r.Valid)
		require.Len(t, r.Reasons, 1)
		require.Contains(t, r.Reasons[0], "do not hold the same data: the orders of the two differ")
		require.Contains(t, r.Reasons[0], "lab up --fresh")
	})
}

func testInspection(t *testing.T, db *testdb.DB) {
	address := testdb.NATS(t)
	connection, err := nats.Connect(address)
	require.NoError(t, err)
	t.Cleanup(connection.Close)
	js, err := jetstream.New(connection)
	require.NoError(t, err)
	require.NoError(t, events.Provision(t.Context(), js))
	outside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ledger" {
			for line := range bytes.Lines(seed.LedgerLines(seeded(), r.FormValue("merchant"))) {
				_, _ = w.Write(line)
			}
			return
		}
		_ = json.NewEncoder(w).Encode([]string{}) // no mail: nobody has ordered since
	}))
	t.Cleanup(outside.Close)
	url := db.SuperuserURL()
	state := &up.State{
		Step: up.LastStep, Databases: map[string]string{up.Monolith: url, up.Services: url}, NATSURL: address, OutsideURL: outside.URL, StartedAt: time.Now(),
	}
	inspectors, err := openInspectors(t.Context(), state, []string{up.Monolith, up.Services})
	require.NoError(t, err)
	t.Cleanup(inspectors.close)
	rules, broken, err := inspectors.inspect(t.Context(), "browsing")
	require.NoError(t, err)
	require.Empty(t, broken)
	require.Greater(t, rules, 20)

	t.Run("knows the rules by their names", func(t *testing.T) {
		verdicts, err := inspectors[up.Services].Check(t.Context())
		require.NoError(t, err)
		names := map[string]bool{}
		for _, v := range verdicts {
			names[v.Rule] = true
		}
		for _, group := range [][]string{oversold, charges, lost} {
			for _, name := range group {
				require.True(t, names[name], name)
			}
		}
	})

	t.Run("makes a run invalid that has sold what was not there", func(t *testing.T) {
		_, err := db.Superuser().Exec(t.Context(), `
			update inventory.stock set on_hand = on_hand + 1 where book_id = (select min(id::text)::uuid from catalog.books)`)
		require.NoError(t, err)
		_, broken, err := inspectors.inspect(t.Context(), "ordering")
		require.NoError(t, err)
		_, err = db.Superuser().Exec(t.Context(), `
			update inventory.stock set on_hand = on_hand - 1 where book_id = (select min(id::text)::uuid from catalog.books)`)
		require.NoError(t, err)
		r := aReport()
		r.Inspected, r.Broken = 30, broken
		r.judge()
		require.False(t, r.Valid)
		require.Empty(t, r.Ratios)
		require.Contains(t, r.Reasons[0], "after ordering a rule of lab verify does not hold for the services (what came in is in stock or sold)")
		require.False(t, *r.Budgets["14 oversold"].Met)
		require.Equal(t, 1.0, r.Budgets["14 oversold"].Value)
		require.True(t, *r.Budgets["14 charged-twice"].Met)
	})
}
