// Gateway is the one door of the fleet. It owns no data: it knows which prefix
// belongs to which upstream, who is asking, and what no client may send.
//
// A request passes through it in this order:
//
//	gate.go       counts it, or lets it wait while what is behind its route is replaced; hold.go: how
//	              long; release.go: how those that waited go on
//	http.go       Echo: request id, trace, body limit, rate limit, own pages; a query that cannot
//	              be parsed goes no further, for the proxy would drop what it cannot read of it
//	limits.go     how often one client may ask
//	routes.go     path → route; what is no plain path is not routed at all
//	identity.go   opaque session token → short-lived signed token (phantom token)
//	balance.go    route → one of its upstreams, but none that is leaving
//	breaker.go    none that does not answer, either
//	proxy.go      the hop itself, streaming both bodies; what its failures are called
//	headers.go    what may cross, and what the gateway says itself
//	retry.go      what is sent again, where to, and how often at most; body.go: what of it
//	              can be sent again; wire.go: what was sent
//	answer.go     how long an answer may stand still, and what is said of one that was cut
//	shadow.go     what a second upstream would have said, once the customer has been answered;
//	              compare.go: whether it means the same
//
// The door is package web's, and the monolith's as well: what is more than can be served is
// refused behind the gate, before all the rest.
//
// It may call accounts, to exchange tokens, and the upstreams of its routes. It
// never reads a body: decoding and encoding JSON here would cost more than the hop.
// Its own answers are the problems that the monolith would send, byte for byte.
//
// The table of routes hangs on an atomic pointer and is replaced as a whole (replace.go), so a
// request sees one table from beginning to end. ops.go is how operators do that.
package main
