package invariants

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Queue is a place where events wait: an area's outbox, or the stream in front of a consumer.
type Queue struct {
	Name  string
	Empty bool
}

// Outboxes are those of the shop, none where there are no events.
func (s *Shop) Outboxes(ctx context.Context) ([]Queue, error) {
	if s.stream == nil {
		return nil, nil
	}
	var questions []string
	for _, area := range s.where.schemas() {
		questions = append(questions, strings.ReplaceAll(
			`select 'outbox of @area', not exists (select from @area.outbox where stream_seq is null)`, "@area", area))
	}
	rows, err := s.pool.Query(ctx, strings.Join(questions, " union all "))
	if err != nil {
		return nil, fmt.Errorf("look at the outboxes: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Queue])
}

// Consumers are what they have to deal with. There are none where there are no events, and none while they are being made again.
func (s *Shop) Consumers(ctx context.Context) (all []Queue, err error) {
	if s.stream == nil {
		return nil, nil
	}
	consumers := s.stream.ListConsumers(ctx)
	for consumer := range consumers.Info() {
		if !s.where.consumer(consumer.Name) {
			continue
		}
		all = append(all, Queue{"consumer " + consumer.Name, consumer.NumPending == 0 && consumer.NumAckPending == 0})
	}
	if err := consumers.Err(); err != nil {
		return nil, fmt.Errorf("look at the consumers: %w", err)
	}
	return all, nil
}
