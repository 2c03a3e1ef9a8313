-- The monolith of step 6 asks nobody whether a parcel has left, and hears of no paid order.
select 'a customer''s wish to cancel is open' as why,
  'Let the sweeper ask shipping, and try again.' as "do",
  'order ' || id as row
from monolith.orders
where cancel_requested_at <= clock_timestamp() - $1::interval
union all
select 'a paid order has no shipment yet',
  'Let shipping hear its events, and try again.',
  'order ' || o.id
from monolith.orders o
where o.status = 'paid'
  and o.placed_at <= clock_timestamp() - $1::interval
  and not exists (
    select from shipping.shipments s
    where s.order_id = o.id)
order by row
