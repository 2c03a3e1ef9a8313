// Package bench measures what distribution costs: it sends TPC-W's three mixes of interactions to steps of the ladder
// in a running lab, in turns, and compares how much each got done, how long its customers waited, and what it used.
//
// The customers are those of package workload: all sides are asked for the same things in the same order. In a closed loop
// a browser asks again as soon as it has its answer, which shows the highest throughput; in an open loop pages are asked for
// at a fixed rate and latencies count from when they had to be (load.go). A round ends only when the events it caused have had their
// effects: work that is put off is not work saved (round.go, drain.go). No side answers from another one's memory (memory.go).
//
// Customers sign in, stock is filled up and carts are emptied before the clock starts. Every answer is checked. Beside the clock there are CPU time (usage.go), memory (scales.go), and
// what the parts count themselves (meters.go, statements.go, metrics.go).
//
// What makes a run worth nothing is decided in one place, [Report.judge]: wrong answers, errors, unequal data (data.go),
// broken invariants (inspect.go), a generator without CPU. compare.go makes the ratios, ratio.go says how
// sure they are, a short run spends the time that is left on the least sure one (narrow.go), table.go and page.go show
// them. docs/benchmarks/workload.md describes the workload.
package bench
