// Package workload is the customers that experiments send to a shop: TPC-W's three mixes of fourteen interactions, over the
// seeded data. An experiment decides whom to ask, for how long and what to make of it.
//
// An emulated browser is one connection and one customer at a time. What it does next is drawn from a random source of its
// own, in the mix's shares, and never depends on how fast anybody answers: the same seed makes the same visits (mix.go,
// script.go, visits.go). Customers sign in beforehand, and stock is filled up (customers.go, stock.go). Every answer is
// judged by its outside, and as many as an experiment wants by what they hold (browser.go, check.go). All is counted in a
// [Tally].
//
// A [Clientele] asks in rounds, in a closed or in an open loop (drive.go). A [Crowd] asks in an open loop for as long as an
// experiment does something else, and tells what happened between two marks (crowd.go, window.go). [Keepsakes] are what
// customers have got before a move and use after it. docs/benchmarks/workload.md describes the workload.
package workload
