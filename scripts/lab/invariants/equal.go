package invariants

import (
	"context"
	"fmt"
	"time"
)

// Contents tell whether two shops hold the same.
type Contents struct {
	// Books is a hash of all books, without their ids, with what is available of each and how many were sold.
	Books string
	// Orders is how many were paid since a moment.
	Orders int
}

// Contents looks what the shop holds, and what it has sold since.
func (s *Shop) Contents(ctx context.Context, since time.Time) (c Contents, err error) {
	err = s.pool.QueryRow(ctx, s.where.inSchemas(`
		with sold as (
			select i.book_id, sum(i.quantity) as copies
			from orders.order_items i
			join orders.orders o on o.id = i.order_id
			where o.status in ('paid', 'shipped')
			group by i.book_id
		)
		select
			(
				select coalesce(md5(string_agg(row(b.isbn, b.title, b.authors, b.subject, b.publisher, b.published_on, b.description,
					b.price, b.version, s.on_hand - s.reserved, sold.copies)::text, ' ' order by b.isbn)), '')
				from catalog.books b
				left join (@shelves) s on s.book_id = b.id
				left join sold on sold.book_id = b.id
			),
			(select count(*) from orders.orders where placed_at >= $1)`), since).Scan(&c.Books, &c.Orders)
	if err != nil {
		return c, fmt.Errorf("look what the %s holds: %w", s.where.Side, err)
	}
	return c, nil
}
