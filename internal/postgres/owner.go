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
// whole table. A right to some of its columns only is not enough.
func CheckOwner(ctx context.Context, q Querier, table string) error {
	var owns bool
	err := q.QueryRow(ctx, `select has_table_privilege(current_user, $1, 'insert')`, table).Scan(&owns)
	if err != nil {
		return fmt.Errorf("ask who may write %s: %w", table, err)
	}
	if !owns {
		return fmt.Errorf("insert into %s: %w", table, ErrNotOwner)
	}
	return nil
}
