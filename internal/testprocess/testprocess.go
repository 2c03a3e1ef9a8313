// Package testprocess runs a whole process in a test, by its own run function
// and its environment, with what it needs of the world around it: a real broker
// and an issuer of user tokens.
package testprocess

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"banyan/internal/events"
	"banyan/internal/testdb"
	"banyan/internal/token"
	"banyan/internal/web"
)

// World is what is around the process.
type World struct {
	t         testing.TB
	BrokerURL string
	JetStream jetstream.JetStream // with the stream of events
	IssuerURL string              // publishes the keys of People, whatever the path
	People    *token.Signer
}

// New makes a world for one test. Its user tokens come from the issuer.
func New(t testing.TB, issuer string) World {
	t.Helper()
	broker := testdb.NATS(t)
	nc, err := nats.Connect(broker)
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	require.NoError(t, events.Provision(t.Context(), js))

	_, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	people := token.NewSigner(issuer, []ed25519.PrivateKey{key})
	keys := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(people.JWKS()) }))
	t.Cleanup(keys.Close)
	return World{t, broker, js, keys.URL, people}
}

// Run starts the process on free ports and returns its public URL. The test
// fails if it does not start, or does not end well when the test does.
func (w World) Run(run Program, environ ...string) string {
	w.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	public := make(listening, 1)
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, append([]string{"ADDR=127.0.0.1:0", "OPS_ADDR=127.0.0.1:0", "NATS_URL=" + w.BrokerURL}, environ...), public)
	}()
	select {
	case url := <-public:
		w.t.Cleanup(func() {
			stop()
			require.NoError(w.t, <-ended)
		})
		return url
	case err := <-ended:
		stop()
		require.FailNow(w.t, "it does not start", err)
		return ""
	}
}

// Program is the run function of a process.
type Program = func(ctx context.Context, environ []string, stderr io.Writer) error

// Person is a client that is signed in as somebody.
func (w World) Person(url string, id uuid.UUID, role string) *web.Client {
	return web.NewClient(web.ClientConfig{Base: url, Bearer: func() (string, error) {
		return w.People.Issue(token.Identity{Subject: id, Role: role}, time.Minute)
	}})
}

// Tell publishes an event under its subject, events.<area>.<type>, as its owner would.
func (w World) Tell(subject string, data []byte) {
	w.t.Helper()
	typ := strings.SplitN(subject, ".", 3)[2]
	_, err := w.JetStream.PublishMsg(w.t.Context(), &nats.Msg{Subject: subject, Data: data, Header: nats.Header{
		"ce-specversion": {"1.0"}, "ce-id": {uuid.NewString()}, "ce-type": {typ},
		"ce-source": {"test"}, "ce-time": {time.Now().UTC().Format(time.RFC3339Nano)},
	}})
	require.NoError(w.t, err)
}

// Told are the events whose subject begins so, in their order.
func (w World) Told(prefix string) (told []*jetstream.RawStreamMsg) {
	w.t.Helper()
	stream, err := w.JetStream.Stream(w.t.Context(), events.Stream)
	require.NoError(w.t, err)
	for seq := uint64(1); seq <= stream.CachedInfo().State.LastSeq; seq++ {
		msg, err := stream.GetMsg(w.t.Context(), seq)
		require.NoError(w.t, err)
		if strings.HasPrefix(msg.Subject, prefix) {
			told = append(told, msg)
		}
	}
	return told
}

// listening receives a process's log, and gives its public address on.
type listening chan string

func (l listening) Write(line []byte) (int, error) {
	var entry struct{ Msg, Port, Addr string }
	if json.Unmarshal(line, &entry) == nil && entry.Msg == "listening" && entry.Port == "public" {
		l <- "http://" + entry.Addr
	}
	return len(line), nil
}

// Soon waits until what has to come true is true.
func Soon(t testing.TB, check func() bool, what string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !check(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			require.Fail(t, "did not come true in 10 s", what)
		}
	}
}
