// Package wire stands between the shop and what it talks to: a TCP proxy that can make a connection slow, refused or
// one-way, and that sees the moments at which a crash hurts.
//
// Whether a crash loses or doubles something depends on where it falls: before a commit, after the commit and before the
// acknowledgement, after a publish and before the row is marked. Killing at random hits these places seldom, and a hook in
// the product would test another product. But each of them is a message to PostgreSQL, NATS or the card processor. So
// the lab gives the shop a proxy's address in place of the server's, and [Proxy.Watch] is told of each such message
// before it passes and after:
//
//	proxy, err := wire.Listen("127.0.0.1:5432", wire.Postgres)
//	proxy.Watch(func(m wire.Moment) {
//		if m.Kind == wire.Commit && m.Phase == wire.After {
//			kill(orders)         // committed, and nobody has been told
//			proxy.CutConn(m.Conn)
//		}
//	})
//
// What the promises are. Before: the receiver does not have all of the message, so it can't act on it; after a cut
// it never will. What was sent ahead of the message has passed. After: the message is the receiver's, and nothing that
// it answers has passed on this connection until the watcher returns. Each message has one Before and, unless the
// connection ended there, one After.
//
// How it is done (conn.go). Each direction is one goroutine, which reads a chunk, has a decoder look through it and writes
// it as it came: the bytes of a message are never put together anew, so what the decoder does not understand can't
// be damaged by it. When a message of interest ends within the chunk, the chunk is cut there. If a decoder is at a loss,
// the connection is copied from then on, and counted ([Proxy.Unread]): a test that relies on moments should look that
// none went by unread.
//
// The decoders go by lengths: postgres.go (with postgres_session.go, which follows transactions by the words of their
// statements, in sql.go), nats.go, http.go. Of PostgreSQL's commits these are told: the word commit in a transaction;
// a pipeline's Sync and a Query message outside of one if a statement in it writes. A Commit is what the client asks
// for: if a statement of a pipeline fails, no Committed follows. The commit of a transaction that has failed is a rollback
// and none. What a function writes that is called in a select can't be seen.
//
// Faults are applied where a chunk is read (fault.go), before the decoder sees it.
package wire
