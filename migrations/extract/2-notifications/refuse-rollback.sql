-- From step 2 on, a mail begins as an event. The monolith of step 1 hears none, so an
-- event that the broker does not have yet would be a mail that nobody writes.
select 'an event that becomes a mail is not published yet' as why,
  'Let the trunk publish its events before it ends; if the broker is away, start the broker again.' as "do",
  type || ' ' || id as row
from monolith.outbox
where stream_seq is null
  and (type in ('account.registered', 'shipment.dispatched') or type like 'order.%')
  and created_at <= clock_timestamp() - $1::interval
order by position
