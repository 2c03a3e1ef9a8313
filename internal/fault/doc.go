// Package fault is the one error type that callers of this code can act on.
//
// A fault has a kind, which decides the HTTP status, and a code, which names
// the rule that was broken. Domain packages declare theirs as sentinels:
//
//	var ErrSoldOut = fault.New(fault.Conflict, "sold-out", "There are not enough copies left.")
//
// Faults are equal when their codes are. A fault that crossed the network as
// problem+json (RFC 9457) and was decoded on the other side therefore still
// satisfies errors.Is against the sentinel that the caller declared for itself,
// and neither side has to import the other.
//
// Any error without a fault in its chain is Internal: its text is for the log
// and is never sent to a client.
package fault
