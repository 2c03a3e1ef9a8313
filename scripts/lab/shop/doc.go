// Package shop is what the lab's experiments have in common when they use a shop as customers and staff do: one side of a
// lab, over HTTP, by the contract's words.
//
// A [Client] sends requests to the fronts of a side, over net/http or over raw connections, and gives back answers to the
// byte. A [Person] is signed in and gets things done with a client, as patiently as a real customer. What the shop speaks
// of, books, carts and orders, is in things.go. An experiment owns what it asks and what it makes of the answers, and
// nothing of how to ask. The suites in scripts/contract and scripts/hostile have clients of their own: a judge shares no
// code with what it is used beside.
package shop
