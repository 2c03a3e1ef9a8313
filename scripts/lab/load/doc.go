// Package load asks: as fast as there are answers, or at a rate whatever becomes of the answers, and counts what came of it.
//
//	plan.go       when: a [Plan] gives out turns, for a while or without an end, to a few clients that take them in turn, or to as many as are needed
//	pace.go       how well the generator kept to its plan, and what "late" means
//	tally.go      what came of the requests, and how rounds are added up
//	latencies.go  how long they took
//	sleep_*.go    waiting that ends when it should
//
// What a turn is, a request or a customer's visit, is the caller's, and so is what an answer is worth. In an open loop a
// latency counts from the moment at which the turn was due: a server that stalls for a second has made everybody wait who came
// in that second, and not only those for whom the generator had a client ("coordinated omission" would forget the others).
package load
