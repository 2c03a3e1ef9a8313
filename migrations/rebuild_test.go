package migrations_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"banyan/internal/testdb"
	"banyan/migrations"
)

// The statements of docs/operations.md that tell events again work on today's
// tables, and make what docs/api/events describes.
func TestRebuild(t *testing.T) {
	t.Parallel()
	facts := map[string]struct {
		sql   string
		types []string
	}{
		"accounts": {`
			insert into accounts (id, email, name, password_hash, role, created_at)
			values (gen_random_uuid(), 'ada@example.org', 'Ada', 'x', 'customer', now())`, []string{"account.registered"}},
		"catalog": {`
			insert into books (id, isbn, title, authors, subject, price)
			values (gen_random_uuid(), '9780142437247', 'Moby-Dick', '{Melville}', 'fiction', 1299)`, []string{"book.added"}},
		"inventory": {`insert into stock (book_id, on_hand, reserved) values (gen_random_uuid(), 3, 1)`, []string{"stock.changed"}},
		"orders": {`
			with made as (
			  insert into orders (id, account_id, status, total, shipping_address, placed_at, cancel_reason)
			  values
			    (gen_random_uuid(), gen_random_uuid(), 'shipped', 1299, '{"name":"A","street":"S","city":"C","postcode":"P","country":"GB"}', now(), null),
			    (gen_random_uuid(), gen_random_uuid(), 'cancelled', 1299, '{}', now(), 'customer'),
			    (gen_random_uuid(), gen_random_uuid(), 'pending', 1299, '{}', now(), null)
			  returning id
			)
			insert into order_items (order_id, position, book_id, title, quantity, unit_price)
			select id, 1, gen_random_uuid(), 'Moby-Dick', 1, 1299 from made`, []string{"order.cancelled", "order.paid"}},
		"shipping": {`
			insert into shipments (id, order_id, account_id, status, tracking_number, address, created_at)
			values (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'dispatched', 'BN7', '{}', now())`, []string{"shipment.dispatched"}},
	}
	page, err := os.ReadFile("../docs/operations.md")
	require.NoError(t, err)
	told := map[string]string{}
	for _, block := range regexp.MustCompile("(?s)```sql\n-- ([a-z]+)(.*?)```").FindAllStringSubmatch(string(page), -1) {
		told[block[1]] = "--" + block[2]
	}
	require.ElementsMatch(t, slices.Collect(maps.Keys(facts)), slices.Collect(maps.Keys(told)))

	db := testdb.New(t, migrations.FS)
	for service, fact := range facts {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			pool := db.Pool(service + "_app")
			_, err := pool.Exec(t.Context(), fact.sql)
			require.NoError(t, err)
			_, err = pool.Exec(t.Context(), told[service])
			require.NoError(t, err)
			rows, err := pool.Query(t.Context(), `select type, data::text from outbox order by type`)
			require.NoError(t, err)
			type event struct {
				Type string
				Data string
			}
			events, err := pgx.CollectRows(rows, pgx.RowToStructByPos[event])
			require.NoError(t, err)
			var types []string
			for _, e := range events {
				types = append(types, e.Type)
				golden, err := os.ReadFile(filepath.Join("../docs/api/events", e.Type+".json"))
				require.NoError(t, err)
				require.Equal(t, shape(t, golden), shape(t, []byte(e.Data)), e.Type)
			}
			require.Equal(t, fact.types, types)
		})
	}
}

// shape is JSON with a type's name for each value, and the first of each list.
func shape(t *testing.T, text []byte) any {
	t.Helper()
	var of func(any) any
	of = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			shapes := map[string]any{}
			for k, member := range v {
				shapes[k] = of(member)
			}
			return shapes
		case []any:
			return []any{of(v[0])}
		case string:
			return "text"
		case float64:
			return "number"
		}
		return v
	}
	var v any
	require.NoError(t, json.Unmarshal(text, &v))
	return of(v)
}
