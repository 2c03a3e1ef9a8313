package payments

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

// QueueRefund asks for a captured payment to be given back. The worker tells the
// processor after the commit.
func (s *Service) QueueRefund(b *pgx.Batch, orderID uuid.UUID) {
	queueRequestRefund(b, orderID)
}

// Run tells the processor of the refunds that are due, until ctx ends.
func (s *Service) Run(ctx context.Context, log *slog.Logger) error {
	tick := time.NewTicker(refundEvery)
	defer tick.Stop()
	for {
		if err := s.refundDue(ctx); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "refunds wait", "error", err)
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
		case p.Status == Pending && nothingCharged(err):
			err = markNeverCharged(ctx, s.pool, p)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("refund order %s: %w", p.OrderID, err))
		}
	}
	return errors.Join(failed...)
}
