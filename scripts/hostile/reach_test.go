package hostile_test

import (
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"banyan/internal/postgres"
	"banyan/migrations"
)

// A service that was taken over has its own role and its own user, and reaches no
// further than these do.

func TestOtherSchemas(t *testing.T) {
	t.Parallel()
	lab := theLab(t)
	for _, schema := range lab.Schemas() {
		t.Run(schema+" sees its own schema only", func(t *testing.T) {
			t.Parallel()
			address, err := lab.AppURL(schema)
			require.NoError(t, err)
			conn, err := postgres.Connect(t.Context(), address)
			require.NoError(t, err)
			defer conn.Close(t.Context())

			own := map[string]string{"monolith": "accounts"}[schema]
			if own == "" {
				own = "outbox"
			}
			_, err = conn.Exec(t.Context(), `select from `+own+` limit 1`)
			require.NoError(t, err, "what is its own can be read")

			forbidden := []string{
				`create table loot (x int)`, `drop table ` + own, `truncate ` + own, `alter table ` + own + ` add x int`,
				`create schema loot`, `create role mallory superuser`, `set role ` + schema + `_owner`,
				`select rolpassword from pg_authid`, `select pg_read_file('/etc/passwd')`, `copy ` + own + ` to program 'true'`,
			}
			for _, other := range migrations.Schemas {
				if other == schema {
					continue
				}
				forbidden = append(forbidden,
					`select from `+other+`.outbox`, `select from `+other+`.accounts`,
					`insert into `+other+`.outbox default values`, `create table `+other+`.loot (x int)`)
			}
			for _, statement := range forbidden {
				_, err := conn.Exec(t.Context(), statement)
				var refusal *pgconn.PgError
				require.ErrorAs(t, err, &refusal, statement)
				require.Equal(t, "42501", refusal.Code, "%s: %s", statement, refusal.Message)
			}
		})
	}
	t.Run("nobody comes in without a password", func(t *testing.T) {
		t.Parallel()
		address, err := lab.AppURL(lab.Schemas()[0])
		require.NoError(t, err)
		u, err := url.Parse(address)
		require.NoError(t, err)
		for _, user := range []*url.Userinfo{url.User(u.User.Username()), url.UserPassword(u.User.Username(), "wrong")} {
			u.User = user
			_, err = postgres.Connect(t.Context(), u.String())
			var refusal *pgconn.PgError
			require.ErrorAs(t, err, &refusal)
			require.Contains(t, []string{"28P01", "28000"}, refusal.Code)
		}
	})
}

func TestOthersSubjects(t *testing.T) {
	t.Parallel()
	lab := theLab(t)
	if lab.NATSURL == "" {
		t.Skip("the lab runs no broker")
	}
	passwords := secretsOf(t).NATS
	areas := []string{"accounts", "catalog", "inventory", "orders", "payments", "shipping", "notifications"}
	for _, self := range areas {
		t.Run(self+" speaks for itself only", func(t *testing.T) {
			t.Parallel()
			u, err := url.Parse(lab.NATSURL)
			require.NoError(t, err)
			u.User = url.UserPassword(self, passwords[self])
			refusals := make(chan error, 1)
			conn, err := nats.Connect(u.String(), nats.CustomInboxPrefix("_INBOX_"+self),
				nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refusals <- err }))
			require.NoError(t, err)
			defer conn.Close()
			refused := func(what string) {
				t.Helper()
				select {
				case err := <-refusals:
					require.True(t, errors.Is(err, nats.ErrPermissionViolation), "%s: %v", what, err)
				case <-time.After(5 * time.Second):
					require.Fail(t, "the broker refused nothing", what)
				}
			}
			subjects := []string{
				"events.x", "anything", "$JS.API.STREAM.PURGE.EVENTS", "$JS.API.STREAM.DELETE.EVENTS", "$JS.API.STREAM.CREATE.LOOT",
				"$JS.API.STREAM.MSG.DELETE.EVENTS", "$SYS.REQ.SERVER.PING",
			}
			for _, other := range areas {
				if other != self {
					subjects = append(subjects, "events."+other+".made.up", "$JS.API.CONSUMER.MSG.NEXT.EVENTS."+other,
						"$JS.API.CONSUMER.DELETE.EVENTS."+other, "$JS.ACK.EVENTS."+other+".1.1.1.1.1", "_INBOX_"+other+".x")
				}
			}
			for _, subject := range subjects {
				require.NoError(t, conn.Publish(subject, []byte(`{}`)))
				require.NoError(t, conn.Flush())
				refused("publish to " + subject)
			}
			for _, subject := range []string{">", "events.>", "_INBOX.>", "_INBOX_gateway.>", "$SYS.>"} {
				_, err := conn.SubscribeSync(subject)
				require.NoError(t, err)
				require.NoError(t, conn.Flush())
				refused("subscribe to " + subject)
			}
		})
	}
	t.Run("nobody comes in without a password", func(t *testing.T) {
		t.Parallel()
		u, err := url.Parse(lab.NATSURL)
		require.NoError(t, err)
		for _, user := range []*url.Userinfo{nil, url.UserPassword("orders", "wrong"), url.UserPassword("orders", passwords["catalog"])} {
			u.User = user
			_, err := nats.Connect(u.String())
			require.ErrorIs(t, err, nats.ErrAuthorization)
		}
	})
}
