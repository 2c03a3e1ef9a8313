package events

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Stream is the one stream that holds every event.
const Stream = "EVENTS"

// How long things are kept. An event can reach a consumer as late as
// outboxRetention (published again at the last moment) plus streamRetention
// (read at the last moment) after it came the first time, which is 4 days. The
// inbox must still know it then.
//
// A consumer gives up on an event that is older than patience: it becomes a dead
// letter. The stream still has the event then for another day, in which a
// consumer whose database is away can put it aside. Later the stream would
// forget it, and nobody would know. A dead letter has no age: a replay works for
// as long as the row is there, and does not need the stream.
const (
	outboxRetention = 24 * time.Hour
	streamRetention = 72 * time.Hour
	inboxRetention  = 7 * 24 * time.Hour
	patience        = 48 * time.Hour
)

// Connect opens a connection to the broker for the process called name, and
// keeps trying for ever: a broker that is away, now or later, must not stop a
// process whose outbox can wait. The URL holds the user and the password.
//
// Each process gets its answers under an inbox prefix of its own, _INBOX_name,
// which is all that its user may subscribe to (deploy/nats.conf). With the
// common prefix, every process could read every answer.
func Connect(ctx context.Context, url, name string, log *slog.Logger) (*nats.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	if name == "" || strings.ContainsAny(name, " \t.*>") {
		return nil, fmt.Errorf("connect to NATS: %q is no name for a process: it must fit into a subject", name)
	}
	var last atomic.Value // the text of the last error, logged once until another comes
	nc, err := nats.Connect(url,
		nats.Name(name),
		nats.CustomInboxPrefix("_INBOX_"+name),
		nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1),
		nats.IgnoreAuthErrorAbort(), // a password that was changed on one side only
		nats.ReconnectWait(250*time.Millisecond),
		nats.ReconnectJitter(100*time.Millisecond, 100*time.Millisecond),
		// Nothing is sent later that was said while the broker was away. The
		// relay has to look at the stream first, and it keeps everything anyway.
		nats.ReconnectBufSize(-1),
		nats.Timeout(2*time.Second),
		nats.PingInterval(10*time.Second),
		nats.MaxPingsOutstanding(2),
		nats.ConnectHandler(func(nc *nats.Conn) {
			log.Info("connected to NATS", "url", nc.ConnectedUrlRedacted())
		}),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("NATS is away; trying until it is back", "error", err)
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) {
			last.Store("")
			log.Info("reconnected to NATS", "url", nc.ConnectedUrlRedacted())
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			if last.Swap(err.Error()) != err.Error() {
				log.Error("NATS refused something", "error", err)
			}
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	if !nc.IsConnected() {
		log.Warn("NATS is not there yet; trying until it is")
	}
	return nc, nil
}

// Provision makes the stream, or brings it up to date. Services may not do so;
// whoever sets the broker up does, as its admin.
func Provision(ctx context.Context, js jetstream.JetStream) error {
	_, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name:        Stream,
		Description: "every event of every area",
		Subjects:    []string{"events.>"},
		Storage:     jetstream.FileStorage,
		MaxAge:      streamRetention,
		// Within this window the broker itself drops what comes twice. It saves
		// the consumers work; what makes effects happen once is their inbox.
		Duplicates: 2 * time.Minute,
	})
	if err != nil {
		return fmt.Errorf("make the stream %s: %w", Stream, err)
	}
	return nil
}

// explain adds what to do to an error that a person can act on.
func explain(err error) error {
	if errors.Is(err, jetstream.ErrStreamNotFound) || errors.Is(err, jetstream.ErrNoStreamResponse) {
		return fmt.Errorf("%w: make the stream %s first, as the broker's admin (events.Provision)", err, Stream)
	}
	return err
}
