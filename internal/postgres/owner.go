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
