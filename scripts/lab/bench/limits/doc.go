// Package limits measures how far the shop is from what the machine can do: each of its parts beside something that does
// the same with nothing around it, in turns, in one run.
//
// The monolith's checkout beside pgbench with the statements of a checkout, recorded from the modules (checkout.go,
// record.go, pgbench.go); its pages beside a program of a few lines (reads.go, folder probe); the gateway beside nginx and
// Caddy (proxies.go); an event from commit to effect (events.go); the calls that a checkout waits for, counted on
// the wire (hops.go); and what it takes to start and to be there (start.go). What comes out are the figures that package
// budget has budgets for.
//
// [Run] starts labs of its own, on free ports and in a folder that it removes, so it needs nothing and leaves nothing
// behind. A probe whose tool is missing is skipped, with the reason; so is one that failed.
package limits
