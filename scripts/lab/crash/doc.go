// Package crash kills processes by SIGKILL at random moments while customers buy.
//
// [Run] starts a lab of its own. The customers behave as real ones do: what they got no answer to they send again under
// the same key, or give up. They write down each request before they send it. When the last one has left, nobody lends
// a hand: the shop has a minute to come to rest, and is then judged.
package crash
