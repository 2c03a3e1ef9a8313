package catalog

import (
	"context"

	"github.com/jackc/pgx/v5"

	"banyan/internal/fault"
)

// The rule of TPC-W's Best Sellers page: the 50 books of which most copies were
// sold in the last 3,333 orders.
const (
	bestsellers  = 50
	recentOrders = 3333
)

// Bestseller is a book and how many copies the recent orders hold.
type Bestseller struct {
	Book
	Sold int `json:"sold"`
}

// Bestsellers returns the list, of one subject unless that is empty. Orders that
// were cancelled do not count, and make room for older ones.
func (s *Service) Bestsellers(ctx context.Context, subject string) ([]Bestseller, error) {
	var c fault.Checks
	c.That(searchable(subject), "subject", "must be text")
	if err := c.Err(); err != nil {
		return nil, err
	}
	rows, err := s.pool.Query(ctx, `
		with recent as (
			select id
			from orders
			where status in ('paid', 'shipped')
			order by placed_at desc, id desc
			limit @recent
		), sold as (
			select i.book_id, sum(i.quantity) as sold
			from recent r
			join order_items i on i.order_id = r.id
			group by i.book_id
		)
		select `+bookColumns+`, s.sold
		from `+bookTables+`
		join sold s on s.book_id = b.id
		where @subject = '' or b.subject = @subject
		order by s.sold desc, b.isbn
		limit @limit`,
		pgx.NamedArgs{"recent": recentOrders, "subject": subject, "limit": bestsellers})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Bestseller])
}
