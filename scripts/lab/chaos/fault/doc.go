// Package fault breaks what a shop stands on, for a while, and mends it again: processes, connections, the
// database, the broker and what it has stored, the card processor.
//
// A [Net] is the wires between the processes, each with a proxy of the lab's own in it. [Schedule] draws the steps of a
// run from a seed. A [World] carries one of them out: it returns when the fault is over, and whatever had to be started
// again has been; all else is the shop's own business.
package fault
