package testprocess

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"io"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"banyan/internal/postgres"
	"banyan/internal/testdb"
)

// Handover checks that a service refuses to start while it may not insert into the
// table by which its area is owned, that it starts then to stand by, and starts for good
// once it may.
func Handover(t *testing.T, db *testdb.DB, area, table string, run Program) {
	t.Helper()
	w := New(t, "accounts")
	public, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	seed, nowhere := base64.StdEncoding.EncodeToString(private.Seed()), "http://127.0.0.1:1"
	environ := []string{ // what any of the services asks for
		"ADDR=127.0.0.1:0", "OPS_ADDR=127.0.0.1:0", "NATS_URL=" + w.BrokerURL, "DATABASE_URL=" + db.URL(area+"_app"),
		"SIGNING_KEYS=" + seed, "SERVICE_KEY=" + seed, "CALLERS=orders=" + base64.StdEncoding.EncodeToString(public),
		"ACCOUNTS_URL=" + w.IssuerURL, "INVENTORY_URL=" + nowhere, "PAYMENTS_URL=" + nowhere, "SHIPPING_URL=" + nowhere,
		"PROCESSOR_URL=" + nowhere, "PROCESSOR_KEY=secret", "SMTP_ADDR=127.0.0.1:1",
	}
	may := func(grant, to string) {
		t.Helper()
		sql := fmt.Sprintf("%s insert on %s %s %s", grant, pgx.Identifier{area, table}.Sanitize(), to, area+"_app")
		_, err := db.Superuser().Exec(t.Context(), sql)
		require.NoError(t, err)
	}

	may("revoke", "from")
	err = run(t.Context(), environ, io.Discard)
	require.ErrorIs(t, err, postgres.ErrNotOwner)
	require.ErrorContains(t, err, "the area "+area+" is still (or again) the monolith's: start the service with STANDBY=true, or hand the area over")
	w.Run(run, append(environ, "STANDBY=true")...)
	may("grant", "to")
	w.Run(run, environ...)
}
