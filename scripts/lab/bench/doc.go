// Package bench measures what distribution costs: it sends TPC-W's three mixes of interactions to each
// side of a running lab, in turns, and compares how much each got done.
//
// An emulated browser is one connection and one customer at a time. What it does next is drawn from a
// random source of its own, in the mix's shares, and never depends on how fast anybody answers: both
// sides are asked for the same things in the same order (script.go, visits.go). There is no think time, so a
// side is asked as fast as it answers, and a round ends only when the events it caused have had their
// effects: work that is put off is not work saved (round.go, drain.go).
//
// Customers sign in, stock is filled up and carts are emptied before the clock starts (customers.go,
// stock.go). Every answer is checked (check.go). What makes a run worth nothing is decided in one place,
// [Report.judge]. docs/benchmarks/workload.md describes the workload.
package bench
