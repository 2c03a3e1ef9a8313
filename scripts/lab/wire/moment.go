package wire

import "fmt"

// Protocol says what a proxy understands of what passes.
type Protocol int

// The protocols.
const (
	Plain    Protocol = iota // nothing: bytes
	Postgres                 // version 3 of the frontend/backend protocol, without TLS
	NATS                     // the client protocol, without TLS
	HTTP                     // HTTP/1.1
)

// Kind is what a message is.
type Kind int

// The kinds of messages that are of interest. Those in the past tense are the receiver's word.
const (
	Commit    Kind = iota + 1 // a client of PostgreSQL asks for a commit, in words or by the end of an implicit transaction
	Committed                 // PostgreSQL says that it is done
	Publish                   // a client of NATS publishes
	Published                 // JetStream says that it has the message
	Delivery                  // JetStream hands a consumer a message that it will have to acknowledge
	Ack                       // the consumer does; refusals and calls for patience are none
	Request                   // of HTTP
	Response                  // of HTTP, the final one
)

func (k Kind) String() string {
	names := [...]string{"", "commit", "committed", "publish", "published", "delivery", "ack", "request", "response"}
	if k < 1 || int(k) >= len(names) {
		return fmt.Sprintf("kind %d", int(k))
	}
	return names[k]
}

// Phase is on which side of its passing a moment is.
type Phase int

// The phases.
const (
	Before Phase = iota // the receiver does not have the message, or not all of it
	After               // it has, and nothing that it may have answered has passed
)

func (p Phase) String() string {
	if p == Before {
		return "before"
	}
	return "after"
}

// Moment is one message of interest passing through. Whoever is told of it may keep it.
type Moment struct {
	Kind  Kind
	Phase Phase
	Conn  int64 // which connection, of this proxy

	// Application is the name that the client has given itself: application_name of PostgreSQL, the
	// connection's name of NATS.
	Application string
	// Statements are the texts of what the transaction has run, without begin and commit, of Commit and
	// Committed.
	Statements []string

	// Subject and MessageID (Nats-Msg-Id, or else ce-id) are those of the message that a Publish, a Published,
	// a Delivery or an Ack is about. Of an Ack they are empty if the delivery was not seen.
	Subject, MessageID string

	// Method and Path (without the query) are those of the request, of a Response too.
	Method, Path string
	Status       int
	Body         []byte // nil if there is none, or more than 64 KiB
}
