// Package history is what customers were told and what they did: their checkouts, what else they asked about their orders, and
// the file on which each request stands before it is sent.
//
// [Customer] goes on whatever happens to the shop meanwhile. [History.Judge] holds what customers were told against what
// is in the end, and each answer against those before it. What must be true of a shop whatever its customers were told is the
// matter of package invariants.
//
// The package shares no code with the monolith and the services: a judge that borrowed the shop's own ideas of what is right
// would borrow its mistakes as well.
package history
