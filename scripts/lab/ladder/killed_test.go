package ladder

import (
	"context"
	"flag"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"banyan/internal/postgres"
)

// killer cuts the connection before the statement whose turn it is, as a kill does.
type killer struct{ left int }

func (k *killer) TraceQueryStart(ctx context.Context, conn *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	if k.left--; k.left == 0 {
		_ = conn.PgConn().Conn().Close()
	}
	return ctx
}

func (k *killer) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// copyOf makes a database like another one, to which nobody is connected.
func copyOf(t *testing.T, from, name string) (copied string, drop func()) {
	t.Helper()
	address, err := url.Parse(from)
	require.NoError(t, err)
	original := strings.TrimPrefix(address.Path, "/")
	copied = strings.Replace(from, "/"+original, "/"+original+"_"+name, 1)
	address.Path = "/postgres"
	change := func(statement string) {
		conn := connect(t, address.String())
		defer conn.Close(t.Context())
		run(t, conn, statement)
	}
	change(fmt.Sprintf(`create database %s_%s template %[1]s strategy file_copy`, original, name))
	return copied, func() { change(fmt.Sprintf(`drop database %s_%s with (force)`, original, name)) }
}

// everywhere makes TestKilledAnywhere as long as it is thorough, for .ci/weekly.
var everywhere = flag.Bool("everywhere", false, "kill on the way to each step and back, not only to 3 and 5")

// A climb that is killed before any of its statements, and run again, ends as one that
// nobody has killed. So it does when it is killed again and again.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	steps := []int{3, 5}
	if *everywhere {
		steps = []int{2, 3, 4, 5, 6, 7, 8}
	}
	for _, step := range steps {
		t.Run(fmt.Sprint("on the way to step ", step), func(t *testing.T) {
			t.Parallel()
			below := openShop(t)
			require.NoError(t, Climb(t.Context(), below, step-1, quiet))
			whole, drop := copyOf(t, below, "whole")
			require.NoError(t, Climb(t.Context(), whole, step, quiet))
			want := everything(t, whole)
			drop()

			kills := 0
			for died := true; died; kills++ {
				url, drop := copyOf(t, below, fmt.Sprint("killed_", kills))
				config, err := postgres.ParseConfig(url)
				require.NoError(t, err)
				config.Tracer = &killer{left: kills + 1}
				died = climb(t.Context(), config, step, quiet) != nil
				require.NoError(t, Climb(t.Context(), url, step, quiet), "after a kill before statement %d", kills+1)
				require.Equal(t, want, everything(t, url), "after a kill before statement %d", kills+1)
				drop()
			}
			require.Greater(t, kills, 30)
		})
	}
	t.Run("again and again", func(t *testing.T) {
		t.Parallel()
		url, untouched := openShop(t), openShop(t)
		config, err := postgres.ParseConfig(url)
		require.NoError(t, err)
		for kills := 12; ; kills += 5 {
			config.Tracer = &killer{left: kills}
			if climb(t.Context(), config, 8, quiet) == nil {
				break
			}
			require.Less(t, kills, 1000)
		}
		require.NoError(t, Climb(t.Context(), untouched, 8, quiet))
		require.Equal(t, everything(t, untouched), everything(t, url))
	})
}

// A rollback that is killed before any of its statements, and run again, ends as one that
// nobody has killed.
func TestRollbackKilledAnywhere(t *testing.T) {
	t.Parallel()
	for n, trip := range trips {
		if !*everywhere && trip.area != "accounts" && trip.area != "inventory" {
			continue
		}
		require.Equal(t, Areas[n].Name, trip.area)
		t.Run(trip.area, func(t *testing.T) {
			t.Parallel()
			c, conn, owned := cutOverAt(t, trip.area)
			run(t, conn, shopSQL(trip.copied))
			if trip.area == "payments" { // a payment that a rollback opens has an id of its own
				run(t, conn, shopSQL(`
					insert into payments.payments (id, order_id, account_id, status, amount, card_token, created_at)
					values (#126, #26, #16, 'pending', 200, 'tok26', '2026-02-06')`))
			}
			_, err := c.CatchUp(t.Context())
			require.NoError(t, err)
			run(t, conn, shopSQL(trip.last))
			require.NoError(t, conn.Close(t.Context()))
			require.NoError(t, c.Close(t.Context()))

			whole, drop := copyOf(t, owned, "whole")
			require.NoError(t, goBack(t, whole, trip.area, 0))
			want := everything(t, whole)
			drop()
			kills := 0
			for died := true; died; kills++ {
				url, drop := copyOf(t, owned, fmt.Sprint("killed_", kills))
				died = goBack(t, url, trip.area, kills+1) != nil
				require.NoError(t, goBack(t, url, trip.area, 0), "after a kill before statement %d", kills+1)
				require.Equal(t, want, everything(t, url), "after a kill before statement %d", kills+1)
				drop()
			}
			require.Greater(t, kills, 20)
		})
	}
}

// goBack rolls an area back, and is killed before a statement; 0: it is not.
func goBack(t *testing.T, url, area string, kill int) error {
	t.Helper()
	config, a, err := parse(url, area)
	require.NoError(t, err)
	if kill > 0 {
		config.Tracer = &killer{left: kill}
	}
	c, err := open(t.Context(), config, a)
	if err != nil {
		return err
	}
	defer c.Close(t.Context())
	if err := c.Rollback(t.Context(), time.Minute); err != nil {
		return err
	}
	return c.Validate(t.Context())
}
