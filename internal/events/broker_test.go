package events_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/internal/local"
)

var findNATS = sync.OnceValues(func() (string, error) { return local.FindNATS(context.Background()) })

// broker is a nats-server that a test can stop, kill and start again on the
// same port, with the same files.
type broker struct {
	t       testing.TB
	options local.NATSOptions
	server  *local.NATS
}

func newBroker(t testing.TB, change ...func(*local.NATSOptions)) *broker {
	t.Helper()
	binary, err := findNATS()
	require.NoError(t, err)
	b := &broker{t: t, options: local.NATSOptions{Dir: t.TempDir(), Binary: binary}}
	for _, c := range change {
		c(&b.options)
	}
	b.start()
	t.Cleanup(func() { b.server.Process().Kill() })
	return b
}

func (b *broker) URL() string { return b.server.URL() }

func (b *broker) start() {
	b.t.Helper()
	server, err := local.StartNATS(b.t.Context(), b.options)
	require.NoError(b.t, err)
	b.server = server
	b.options.Port = server.Port
}

func (b *broker) stop()   { require.NoError(b.t, b.server.Stop(b.t.Context())) }
func (b *broker) kill()   { b.server.Process().Kill() }
func (b *broker) pause()  { require.NoError(b.t, b.server.Process().SignalAlone(syscall.SIGSTOP)) }
func (b *broker) resume() { require.NoError(b.t, b.server.Process().SignalAlone(syscall.SIGCONT)) }

// messages is the folder in which the server keeps the stream's messages, as
// opposed to how far its consumers are.
func (b *broker) messages() string {
	found, err := filepath.Glob(filepath.Join(b.options.Dir, "jetstream", "*", "streams", "EVENTS", "msgs"))
	require.NoError(b.t, err)
	require.Len(b.t, found, 1)
	return found[0]
}

// snapshot copies the messages. The function that it returns puts them back:
// what a crash leaves that took everything the disk had not seen.
func (b *broker) snapshot() (restore func()) {
	b.t.Helper()
	messages, copied := b.messages(), filepath.Join(b.t.TempDir(), "msgs")
	require.NoError(b.t, os.CopyFS(copied, os.DirFS(messages)))
	return func() {
		require.NoError(b.t, os.RemoveAll(messages))
		require.NoError(b.t, os.CopyFS(messages, os.DirFS(copied)))
	}
}
