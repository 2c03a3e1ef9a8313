package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
)

const (
	senders   = 4  // connections to the mail server, at most
	batchSize = 25 // messages claimed at once

	// A killed process's messages are taken over when the lease ends. A batch is
	// given up after half of it, which leaves time for a slow last mail.
	lease = 30 * time.Second

	gather = 20 * time.Millisecond // after a wake: others join the batch
	poll   = time.Second           // for what others queued, or left
	later  = 5 * time.Minute       // between two attempts at a message that was refused

	// Between attempts while the mail server or the database is away, doubling.
	minPause = 250 * time.Millisecond
	maxPause = 5 * time.Second
)

// outcome is what became of claimed messages.
type outcome struct {
	sent, refused, left []uuid.UUID
}

// Run sends queued messages until ctx ends, and returns when the one that each
// connection is busy with is done and written down.
func (s *Service) Run(ctx context.Context, log *slog.Logger) error {
	var group errgroup.Group
	for range senders {
		group.Go(func() error {
			s.deliver(ctx, log)
			return nil
		})
	}
	return group.Wait()
}

// deliver is one sender, with a connection of its own.
func (s *Service) deliver(ctx context.Context, log *slog.Logger) {
	l := &line{mailer: s.mailer}
	defer l.close()
	pause := minPause
	for ctx.Err() == nil {
		err := s.deliverSome(ctx, log, l)
		if err == nil || ctx.Err() != nil {
			pause = minPause
			continue
		}
		l.close()
		log.WarnContext(ctx, "cannot deliver mail, it stays queued", "error", err, "again_in", pause.String())
		sleep(ctx, pause)
		pause = min(2*pause, maxPause)
	}
}

// deliverSome sends the next batch. No transaction is open while it talks to the
// mail server: the claim is committed before, the outcome is written after.
func (s *Service) deliverSome(ctx context.Context, log *slog.Logger, l *line) error {
	messages, err := s.next(ctx)
	if err != nil || len(messages) == 0 {
		return err
	}
	o, err := s.sendAll(ctx, log, l, messages)

	// What is out is out, also if the process has been asked to stop meanwhile.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if settled := settleMessages(ctx, s.pool, o, later); settled != nil {
		err = errors.Join(err, fmt.Errorf("write down what was sent: %w", settled))
	}
	return err
}

// next waits for messages and claims them; none when ctx has ended. One sender at
// a time waits here, the others are sending or stand behind it, so that an idle
// shop asks the database once per poll.
func (s *Service) next(ctx context.Context) ([]Message, error) {
	s.turn.Lock()
	defer s.turn.Unlock()
	for {
		if !s.more {
			select {
			case <-s.wake:
				sleep(ctx, gather)
			case <-time.After(poll):
			case <-ctx.Done():
			}
		}
		if ctx.Err() != nil {
			return nil, nil
		}
		messages, err := claimMessages(ctx, s.pool, batchSize, lease)
		s.more = len(messages) == batchSize
		if err != nil {
			return nil, fmt.Errorf("look for queued mail: %w", err)
		}
		if len(messages) > 0 {
			return messages, nil
		}
	}
}

// sendAll sends until ctx ends, half of the lease is over or the connection is
// lost, which is the error.
func (s *Service) sendAll(ctx context.Context, log *slog.Logger, l *line, messages []Message) (o outcome, err error) {
	began := time.Now()
	err = l.connect(ctx)
	for _, m := range messages {
		if err != nil || ctx.Err() != nil || time.Since(began) > lease/2 {
			o.left = append(o.left, m.ID)
			continue
		}
		switch err = l.send(ctx, m); {
		case err == nil:
			o.sent = append(o.sent, m.ID)
		case refusal(err):
			log.WarnContext(ctx, "the mail server refuses a message", "id", m.ID, "error", err, "again_in", later.String())
			o.refused = append(o.refused, m.ID)
			err = nil
		default:
			err = fmt.Errorf("send message %s: %w", m.ID, err)
			o.left = append(o.left, m.ID)
		}
	}
	return o, err
}

// sleep waits, unless ctx ends first.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
