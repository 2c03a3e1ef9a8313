// Package events tells the other services what happened in this one, and makes
// what they tell this one happen here: at least once on the way, once in effect.
//
//	producer's transaction        relay             JetStream        consumer's transaction
//	  change ─┐                                                        ┌─ inbox row
//	  outbox ─┴─ commit ── wake ── publish ──────── stream ── pull ────┼─ effect
//	      └──────── mark ──────── acknowledgement                      └─ commit ── acknowledge
//
// Each part is there because something goes wrong without it.
//
// # The outbox
//
// A service that writes to its database and then to a broker writes twice, and
// can die in between: a change nobody hears of, or, the other way round, news of
// a change that was rolled back. So [Emit] and [Queue] write the event into a
// table, in the transaction of the change. Its trace context goes with it, or
// the trace would end there.
//
// # The relay
//
// A [Relay] publishes those rows. One works per schema, by a session's advisory
// lock: several would break what order there is. It sends up to 256 rows
// asynchronously and awaits the acknowledgements, with no transaction open:
// 120,000 events a second, where one at a time gives 8,000.
//
// It marks each row with its place in the stream. It does not remember how far
// it has read: an id or a serial number is given at the insert and seen at the
// commit, so a row can appear behind the others, and would be passed over. The
// marks are made on the connection that holds the lock. A process that was
// stopped, lost that connection and goes on can publish again what another has
// published since, which does no harm; it cannot mark anything.
//
// The marks wait up to 20 ms for the next events, to share a round trip with
// reading them. A process that dies meanwhile publishes a few events twice, as
// one does that dies before its marks. The next event of this instance ends that
// wait; one of another instance, told by NOTIFY, may wait for its end.
//
// A relay that is asked to stop goes on until it finds its outbox empty, 3 s at most:
// the process that ends may be the last one that may write this outbox. When the broker
// is away it stops at once, and what is left waits.
//
// [Relay.Wake] starts it after a commit. Polling every 100 ms makes the way
// from commit to effect 54 ms long (p50; p99 105 ms), a signal 1.3 ms (3.4 ms).
// If the relay works in another instance, the signal is a NOTIFY, after the
// commit and in a transaction of its own: inside the writing transactions it
// took commits from 16,000 a second to 4,000, for the whole cluster.
//
// # What the broker forgets
//
// JetStream acknowledges a message before it is on disk, and syncs every two
// minutes; acknowledged messages have been lost in independent tests. To sync
// always is safe and slow: 4,800 events a second in batches instead of 120,000.
// So the outbox keeps what it has published for a day, and a relay compares that
// with the stream. On every connection, before it publishes, it asks for the
// message at its highest mark, and walks back from there if that is not its own.
// A purge or a deletion leaves the highest mark right, so the relay also looks for
// marks below the stream's first message and in its gaps, there and once a minute.
// What was lost is published again. [Republish] does the same for a range that a
// person names.
//
// A server that restarts puts its consumers back to where its stream ends (the
// version in go.mod does, older ones did not), so nothing that comes again is
// skipped. Two limits remain. What the stream loses later than a day after it was
// published, no outbox has any more. And a stream that is made to discard what is
// young, for want of room, is compared at its end only.
//
// # The consumer
//
// All that makes every event come at least once to a consumer that is not away for
// longer than the stream keeps it, 3 days. One that was away for longer says so,
// once, in its log and in events_missed_total, and docs/operations.md says how its
// copies are rebuilt.
//
// A [Consumer] makes the effect happen once: the handler's statements and an inbox
// row, (consumer, event id), commit together, and an event whose row is there
// already is dropped. Only then is the message acknowledged. The broker's own
// removal of duplicates, by Nats-Msg-Id, looks back two minutes and only saves
// work. It also takes an event for a duplicate whose message was purged within
// these minutes; the relay sees that and sends the event without the header.
//
// The outbox keeps published rows for 1 day, the stream events for 3, and the inbox
// its rows for 7: an event can come as late as the first two together.
// Dead letters that were replayed are kept as long as the inbox rows.
//
// Events that wait are handled up to 32 in one transaction; if one of them
// fails, each has its own. Handlers that read nothing first ([OnQueued]) share one
// round trip with the inbox rows and the commit. It hopes for the usual; what is
// not usual, such as an event that is known, takes the careful way after it. Handlers
// whose events change the same rows ([OnBatch]) get all of them at once, to lock the
// rows in one order: two instances would wait for each other otherwise.
// Several transactions run at once, and what failed comes again later, so order is
// best effort. Nobody may rely on it: copies of state take only newer versions, and
// effects survive an end before its beginning.
//
// An event that fails is tried again, at first after 0.1 s, in the end every 30 s,
// until one of these puts it into the table dead_letters, whole:
//
//   - a handler rejects it, by a fault that is Malformed or Invalid: at once;
//   - PostgreSQL refuses its values (SQLSTATE class 22 or 23, or the driver cannot
//     send them), and no fault of the handler explains that: after five tries;
//   - it is 48 hours old, whatever it lacks: in time before the stream forgets it.
//
// While the database is away, nothing can be put aside; then the stream's 3 days
// are the limit. [Replay] asks the consumer to try a dead letter again, once the
// cause is gone, with its handlers of then. A replay is one try, unless something is
// still missing: then it is repeated every 5 s.
//
// # On the wire
//
// Events are CloudEvents 1.0 in the binding for NATS, with headers in lower
// case. Subjects name the area, events.<area>.<type>, and consumers filter by
// events.*.<type>, so that an area can move to another process and no consumer
// notices. deploy/nats.conf lets each service publish under its own area only.
//
// # Instead
//
// In production, look at Watermill (outbox and router for many brokers), River
// (jobs in PostgreSQL, if there is only one database) and at change data capture
// by Debezium, which reads the log instead of a table. This package is by hand
// because it is what a reader comes to see.
package events
