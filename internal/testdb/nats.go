package testdb

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/internal/local"
)

// natsBinary is built at most once per process.
var natsBinary = sync.OnceValues(func() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return local.FindNATS(ctx)
})

// NATS starts a nats-server with JetStream for this test alone, and returns its URL. It stops when
// the test ends, and its streams are gone then.
func NATS(t testing.TB) string {
	t.Helper()
	binary, err := natsBinary()
	require.NoError(t, err)
	server, err := local.StartNATS(t.Context(), local.NATSOptions{Dir: t.TempDir(), Binary: binary})
	require.NoError(t, err)
	t.Cleanup(func() {
		// Nothing in it is wanted any more, so there is nothing to wait for.
		server.Process().Kill()
	})
	return server.URL()
}
