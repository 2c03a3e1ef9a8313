#!/usr/bin/env bash
# Step 0: the whole shop in one process, on the services' side too. Nothing has left.
set -euo pipefail
step=0
. "$(dirname "$0")/parts.sh"
climb "$@"
look

say 'one schema: order, payment, shipment and mail of that purchase meet in one query'
sql -c "select o.status as order, p.status as payment, s.status as shipment, n.kind as mail
  from monolith.orders o
  join monolith.payments p on p.order_id = o.id
  join monolith.shipments s on s.order_id = o.id
  join monolith.notifications n on n.order_id = o.id
  order by o.id desc limit 1"

say 'two transactions: the lines were written by the first; order, payment and shipment have their state from the second'
versions="with bought as (select id from monolith.orders order by id desc limit 1)
  select 1 as place, 'order lines' as row, i.xmin::text as transaction from monolith.order_items i join bought on i.order_id = bought.id
  union select 2, 'order', o.xmin::text from monolith.orders o join bought using (id)
  union select 3, 'payment', p.xmin::text from monolith.payments p join bought on p.order_id = bought.id
  union select 4, 'shipment', s.xmin::text from monolith.shipments s join bought on s.order_id = bought.id"
sql -c "select row, transaction from ($versions) v order by place"
[[ $(sql -At -c "select count(distinct transaction) from ($versions) v where place > 1") == 1 ]]

say 'the mail too: now() is the time at which a transaction began. The worker has changed the row since, to send it'
sql -c "select s.created_at as shipment_written, n.created_at as mail_written, n.created_at = s.created_at as in_one_transaction
  from monolith.shipments s join monolith.notifications n using (order_id)
  order by s.order_id desc, n.id limit 1"

say 'nothing to tell anybody: no event was written, for nobody outside has to hear of it'
sql -c 'select count(*) as events from monolith.outbox'

prove
