// Package process starts and stops a program in the right order.
//
// An App is told what it serves, what works in the background and what must be
// closed at the end. Run starts all of it and, when its context ends, stops it
// without losing a request:
//
//	not ready → linger → stop accepting, drain HTTP → workers and consumers → relay → connections
//
// To linger is to answer as before, but to make every answer the last of its
// connection, so that clients leave by themselves; linger.go says why. Requests
// may still emit events while they drain, and consumers may too, so the relay
// goes after both; everything uses the pool, so it closes last.
//
// A process that stands by, by STANDBY=true in its environment, serves requests and
// runs nothing in the background. So a service is compared with the monolith before an
// area is handed over.
package process
