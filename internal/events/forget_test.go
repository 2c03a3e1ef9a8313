package events_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What was replayed goes when its inbox row does; what was not waits for somebody.
func TestForgets(t *testing.T) {
	t.Parallel()
	w := provisioned(t)
	_, err := w.consumer.Exec(t.Context(), `
		insert into dead_letters (consumer, event_id, type, subject, headers, body, error, died_at, replayed_at)
		select 'orders', gen_random_uuid(), type, '', '{}'::json, ''::bytea, '', now() - interval '30 days', replayed_at
		from (values
			('old', now() - interval '8 days'), ('young', now() - interval '6 days'), ('not replayed', null)
		) as letters (type, replayed_at)
		union all
		select 'orders', gen_random_uuid(), 'old', '', '{}'::json, ''::bytea, '', now() - interval '30 days', now() - interval '20 days'
		from generate_series(1, 2500)`)
	require.NoError(t, err)
	_, err = w.consumer.Exec(t.Context(), `
		insert into inbox (consumer, event_id, handled_at)
		select name, gen_random_uuid(), now() - make_interval(days => age)
		from (values ('orders', 8), ('orders', 6), ('somebody else', 8)) as handled (name, age)
		union all
		select 'orders', gen_random_uuid(), now() - interval '8 days'
		from generate_series(1, 2500)`)
	require.NoError(t, err)
	for range 2 { // instances
		w.consume(write)
	}
	soon(t, func() bool { return w.number(w.consumer, `select count(*) from inbox`) == 2 }, "the old inbox rows go")
	soon(t, func() bool { return w.number(w.consumer, `select count(*) from dead_letters`) == 2 }, "the old letters go")
	require.Equal(t, []string{"not replayed", "young"}, w.column(w.consumer, `select type from dead_letters order by type`))
}
