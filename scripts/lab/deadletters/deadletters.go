package deadletters

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"banyan/internal/events"
)

// List returns the events that the service of this database rejected and has
// not handled since, oldest first.
func List(ctx context.Context, pool *pgxpool.Pool) ([]events.DeadLetter, error) {
	return events.DeadLetters(ctx, pool)
}

// Replay asks the service to try these events again, by their ids; without ids,
// all that it rejected. It returns those that are tried, which happens within
// seconds where the service runs. What is rejected again is listed again, with
// one attempt more.
//
// If some of the ids are no dead letters, the error names them, and the others
// are tried all the same.
func Replay(ctx context.Context, pool *pgxpool.Pool, ids ...uuid.UUID) ([]uuid.UUID, error) {
	if len(ids) == 0 {
		letters, err := List(ctx, pool)
		if err != nil {
			return nil, err
		}
		for _, l := range letters {
			ids = append(ids, l.EventID)
		}
	}
	found, err := events.Replay(ctx, pool, ids...)
	if err != nil {
		return nil, err
	}
	var unknown []string
	for _, id := range ids {
		if !slices.Contains(found, id) {
			unknown = append(unknown, id.String())
		}
	}
	if len(unknown) > 0 {
		return found, fmt.Errorf("no dead letters here, or handled since: %s; list them for those that are", strings.Join(unknown, ", "))
	}
	return found, nil
}

// Print writes a table, one line per dead letter.
func Print(w io.Writer, letters []events.DeadLetter) error {
	if len(letters) == 0 {
		_, err := fmt.Fprintln(w, "No dead letters.")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "EVENT\tTYPE\tREJECTED\tATTEMPTS\tBECAUSE")
	for _, l := range letters {
		because := l.Error
		if l.ReplayAt != nil {
			because = "(waiting for its replay) " + because
		}
		// One line each: what a stranger wrote must not break the table.
		because = strings.Join(strings.Fields(because), " ")
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%s\n", l.EventID, orNone(l.Type), l.DiedAt.UTC().Format(time.RFC3339), l.Attempts, because)
	}
	return t.Flush()
}

func orNone(s string) string {
	if s = strings.Join(strings.Fields(s), " "); s == "" {
		return "(none)"
	}
	return s
}
