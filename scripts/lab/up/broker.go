package up

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"banyan/internal/events"
	"banyan/internal/local"
)

// natsAdmin is the broker's user who makes the stream.
const natsAdmin = "admin"

// natsUsers are the users that deploy/nats.conf knows: the administrator, the trunk and a user per service.
func natsUsers() []string {
	users := []string{natsAdmin, SchemaOf(Trunk)}
	for process, names := range variables {
		if slices.Contains(names, "NATS_URL") {
			users = append(users, process)
		}
	}
	return users
}

// startNATS runs the broker. Port zero takes a free one.
func startNATS(ctx context.Context, root, dir string, port int, secrets *secrets) (*local.NATS, error) {
	return local.StartNATS(ctx, local.NATSOptions{
		Dir:    natsDir(dir),
		Port:   port,
		Config: filepath.Join(root, "deploy", "nats.conf"),
		Env:    natsEnvironment(dir, secrets),
	})
}

func natsDir(dir string) string { return filepath.Join(dir, "nats") }

// natsEnvironment is what deploy/nats.conf refers to: NATS_STORE_DIR, NATS_ORDERS_PASSWORD and so on. A value is
// read as a part of that file, and quotes keep a password that begins with a digit from being a number.
func natsEnvironment(dir string, secrets *secrets) []string {
	env := []string{"NATS_STORE_DIR=" + natsDir(dir)}
	for _, user := range slices.Sorted(maps.Keys(secrets.NATS)) {
		env = append(env, fmt.Sprintf("NATS_%s_PASSWORD=%q", strings.ToUpper(user), secrets.NATS[user]))
	}
	return env
}

// makeStream makes the one stream of all events, which the services' users may not. Where the trunk is gone for good, its
// consumer goes: what nobody reads would pile up.
func makeStream(ctx context.Context, adminURL string, trunkGone bool) error {
	conn, err := nats.Connect(adminURL, nats.Name("lab"), nats.Timeout(5*time.Second))
	if err != nil {
		return fmt.Errorf("connect to NATS as %s: %w", natsAdmin, err)
	}
	defer conn.Close()
	stream, err := jetstream.New(conn)
	if err != nil {
		return fmt.Errorf("use JetStream: %w", err)
	}
	if err := events.Provision(ctx, stream); err != nil || !trunkGone {
		return err
	}
	err = stream.DeleteConsumer(ctx, events.Stream, SchemaOf(Trunk))
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return nil
	}
	return err
}
