// Package climb takes every area out of a running monolith, once back and out again, while customers buy, and looks
// whether anybody notices.
//
// It runs the commands that a person would type, each as a process of its own: extract, rollback, switch, finalize. So it
// can kill the tool as well as what the tool works on (kills.go), run it again, and see the lab converge. The customers are
// those of the benchmark (package workload), with all three mixes; what they had from before a switch must be good after it.
package climb
