package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"banyan/internal/fault"
)

const (
	refundEvery = time.Second // how long a refund waits at most for its turn
	refundMost  = 100         // refunds sent in one go
	// doubtTime is longer than an attempt to charge can take. A refund waits for as
	// long after the last one: the processor has heard of it by then, or never will.
	doubtTime = 10 * time.Second
)

// refund asks for a captured payment to be given back, and for a pending one as
// well, should it be captured. The worker tells the processor after the commit.
// Without a payment it writes the row that refuses a late charge.
func refund(ctx context.Context, tx pgx.Tx, orderID, accountID uuid.UUID, cents int64) error {
	return requestRefund(ctx, tx, uuid.Must(uuid.NewV7()), orderID, accountID, cents)
}

// Run tells the processor of the refunds that are due, and forgets void payments that
// are old enough, until ctx ends.
func (s *Service) Run(ctx context.Context, log *slog.Logger) error {
	tick := time.NewTicker(refundEvery)
	defer tick.Stop()
	for n := 0; ; n++ {
		if err := s.refundDue(ctx); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "refunds wait", "error", err)
		}
		if n%purgeEvery == 0 {
			if err := s.purge(ctx); err != nil && ctx.Err() == nil {
				log.ErrorContext(ctx, "purge void payments", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// refundDue sends each refund and then marks it. A crash between the two sends
// it again, which the processor takes for the same refund. One that the
// processor refuses goes to the back, so however many there are, the others get
// their turn. A processor that is away ends the round.
func (s *Service) refundDue(ctx context.Context) error {
	due, err := claimRefunds(ctx, s.pool, refundMost)
	if err != nil {
		return err
	}
	var failed []error
	for n, p := range due {
		err := s.processor.refund(ctx, p.OrderID)
		switch {
		case fault.KindOf(err) == fault.Unavailable:
			return errors.Join(append(failed, err, returnRefunds(ctx, s.pool, due[n+1:]))...)
		case err == nil:
			err = markRefunded(ctx, s.pool, p)
			s.wake()
		case p.Status == Pending && nothingCharged(err):
			err = markNeverCharged(ctx, s.pool, p)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("refund order %s: %w", p.OrderID, err))
		}
	}
	return errors.Join(failed...)
}
