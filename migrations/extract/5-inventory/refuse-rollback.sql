-- In the monolith a pending order has taken its copies. An order that has not reserved any
-- can't be told from one that has.
select 'a pending order has no reservation that holds its copies' as why,
  'Let the sweeper settle it, and try again.' as "do",
  'order ' || o.id || coalesce(': ' || r.status, ': not asked yet') as row
from monolith.orders o
left join inventory.reservations r on r.order_id = o.id
where o.status = 'pending'
  and r.status is distinct from 'reserved'
  and o.placed_at <= clock_timestamp() - $1::interval
order by o.placed_at
