package postgres

import (
	"context"
	"errors"
	"fmt"
)

// ErrNotOwner says that a role may not insert into a table. Where an area's data
// change hands, the right to write them is the ownership.
var ErrNotOwner = errors.New("the table belongs to another process")

// CheckOwner returns ErrNotOwner unless the role that q works as may insert into the
// whole table. A right to some of its columns is not enough, and a table that is gone
// has been left to another process, too.
func CheckOwner(ctx context.Context, q Querier, table string) error {
	var owns bool
	err := q.QueryRow(ctx, `select coalesce(has_table_privilege(current_user, to_regclass($1), 'insert'), false)`, table).Scan(&owns)
	if err != nil {
		return fmt.Errorf("ask who may write %s: %w", table, err)
	}
	if !owns {
		return fmt.Errorf("insert into %s: %w", table, ErrNotOwner)
	}
	return nil
}

// CheckHandedOver is CheckOwner for a service: it says what to do if the area's table
// is not the service's. See monolith/config.go for the other side.
func CheckHandedOver(ctx context.Context, q Querier, area, table string) error {
	err := CheckOwner(ctx, q, table)
	if errors.Is(err, ErrNotOwner) {
		return fmt.Errorf("the area %s is still (or again) the monolith's: start the service with STANDBY=true, or hand "+
			"the area over with `go run ./scripts/lab up --step N` (`go run ./scripts/lab steps` lists the steps): %w", area, err)
	}
	return err
}
