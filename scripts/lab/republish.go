package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"banyan/internal/events"
	"banyan/scripts/lab/up"
)

type republishCommand struct {
	Service string `arg:"" help:"The service whose events are published again."`
	Since   string `help:"Only events written then or later: a time such as 2026-01-02T15:04:05Z, or how long ago, such as 2h30m." placeholder:"TIME"`
	Until   string `help:"Only events written before: a time, or how long ago." placeholder:"TIME"`
	Type    string `help:"Only events of this type, such as order.paid."`
}

func (c *republishCommand) Help() string {
	return "Takes back the marks in the service's outbox, so that its running relay publishes these events again, within seconds. " +
		"It is for what the stream has lost and the relay could not find out; what is still on the stream comes twice, and consumers drop " +
		"what they know. The outbox keeps what it has published for a day. The broker takes an event that it had in the last two minutes for a " +
		"duplicate; such an event comes again only if the stream has lost it."
}

func (c *republishCommand) Run(ctx context.Context, line *commands, to streams) error {
	asked, err := c.asked(time.Now())
	if err != nil {
		return err
	}
	state, err := up.Running(line.Dir)
	if err != nil {
		return err
	}
	var n int64
	err = withPool(ctx, state, c.Service, func(pool *pgxpool.Pool) (err error) {
		n, err = events.Republish(ctx, pool, asked)
		return err
	})
	if err != nil {
		return fmt.Errorf("republish events of %s: %w", c.Service, err)
	}
	if line.JSON {
		return json.NewEncoder(to.out).Encode(map[string]int64{"events": n})
	}
	fmt.Fprintf(to.out, "%d events of %s are published again\n", n, c.Service)
	if n == 0 {
		fmt.Fprintf(to.out, "its outbox has published none of these in the last day; what is older has to be copied from its tables (docs/operations.md)\n")
	}
	return nil
}

// asked is the range that the command line means.
func (c *republishCommand) asked(now time.Time) (r events.Range, err error) {
	r.Type = c.Type
	if r.Since, err = moment(c.Since, now); err != nil {
		return r, fmt.Errorf("--since: %w", err)
	}
	if r.Until, err = moment(c.Until, now); err != nil {
		return r, fmt.Errorf("--until: %w", err)
	}
	if !r.Until.IsZero() && !r.Since.Before(r.Until) {
		return r, fmt.Errorf("no event is since %s and until %s: --since has to be the earlier one", c.Since, c.Until)
	}
	return r, nil
}

// moment reads a time, or how long before now it was. The zero time stands for "".
func moment(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is no time: write 2026-01-02T15:04:05Z, or how long ago, such as 2h30m", text)
	}
	return at, nil
}
