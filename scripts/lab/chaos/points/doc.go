// Package points kills processes at the moments that matter: before a commit, after a commit and before the
// acknowledgement, after a charge and before its record, between two effects of the saga.
//
// The shop has no hook for that and needs none. Each of these moments is a message on a wire, so the lab's proxies see it:
// a point is a message, before or after its passing, and the process that dies of it, its sender or its receiver. One
// point is armed at a time. The first message that fits waits in its proxy until the process is dead, and goes no further.
package points
