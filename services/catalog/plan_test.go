package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// A page costs the same wherever it is in the list: it is read off an index,
// from its first book on.
func TestPlans(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	_, err := s.pool.Exec(t.Context(), `
		insert into books (id, isbn, title, authors, subject, published_on, price)
		select gen_random_uuid(), lpad(n::text, 13, '0'), md5(n::text) || ' ' || md5((n % 100)::text),
			array[md5((n % 700)::text)], 'subject ' || n % 20, date '2000-01-01' + n % 9000, 100 + n % 3000
		from generate_series(1, 5000) as n`)
	require.NoError(t, err)
	_, err = s.owner.Exec(t.Context(), `vacuum analyze`)
	require.NoError(t, err)

	for sort, index := range map[string]string{"title": "title", "price": "price", "newest": "age"} {
		for subject, prefix := range map[string]string{"": "books_by_", "subject 7": "books_subject_by_"} {
			for _, deep := range []bool{false, true} {
				t.Run(fmt.Sprintf("by %s, shelf %q, deep %t", sort, subject, deep), func(t *testing.T) {
					t.Parallel()
					s := s.in(t)
					q := Search{Sort: sort, Subject: subject, Limit: 20}
					if deep {
						all := q
						all.Limit = 10000
						books, err := s.Search(t.Context(), all)
						require.NoError(t, err)
						after := books[len(books)/2].position(sort)
						q.After = &after
					}
					require.NoError(t, q.Validate())
					for mode, plan := range s.plans(q) {
						require.Contains(t, plan, prefix+index, mode)
						require.NotContains(t, plan, "Sort", mode)
						require.NotContains(t, plan, "Seq Scan on books", mode)
						if deep {
							require.Regexp(t, `Index Cond: .*ROW\(`, plan, mode+": it begins at the position")
						}
						if subject != "" {
							require.Regexp(t, `Index Cond: .*subject = `, plan, mode)
						}
					}
				})
			}
		}
	}
	t.Run("words are looked up", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		// The beginnings of the MD5 sums of 1 and 2.
		for mode, plan := range s.plans(Search{Words: "c4ca42 c4ca", Sort: "title", Limit: 20}) {
			require.Contains(t, plan, "Bitmap Index Scan on books_words", mode)
			require.NotContains(t, plan, "book_query(", mode+": the words are made once, not for each book")
		}
	})
}

// plans are how PostgreSQL finds what the search asks for: once for its values,
// and once for any, which is what it may go over to after a few calls.
func (s shop) plans(q Search) map[string]string {
	s.t.Helper()
	text, named := q.statement()
	sql, args, err := named.RewriteQuery(s.t.Context(), nil, text, nil)
	require.NoError(s.t, err)
	var values []string
	for _, a := range args {
		values = append(values, "'"+strings.ReplaceAll(fmt.Sprint(a), "'", "''")+"'")
	}
	plans := map[string]string{}
	for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
		err := pgx.BeginFunc(s.t.Context(), s.pool, func(tx pgx.Tx) error {
			_, err := tx.Conn().PgConn().Exec(s.t.Context(),
				"set local plan_cache_mode = "+mode+"; prepare searching as "+sql).ReadAll()
			if err != nil {
				return err
			}
			rows, err := tx.Query(s.t.Context(), "explain (costs off) execute searching ("+strings.Join(values, ", ")+")", pgx.QueryExecModeSimpleProtocol)
			if err != nil {
				return err
			}
			lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
			plans[mode] = strings.Join(lines, "\n")
			if err == nil {
				_, err = tx.Exec(s.t.Context(), "deallocate searching")
			}
			return err
		})
		require.NoError(s.t, err)
	}
	return plans
}
