// Package drive asks servers for the same few things over and over: the load of the limit probes and the cost ledger,
// which compare two servers and need no customers with a story of their own.
//
// A client is a goroutine with one keep-alive connection that writes ready-made bytes and reads the answer without
// keeping it. That costs a few microseconds, so that what is measured on the same machine is the server. [Closed]
// asks again as soon as there is an answer, [Open] at a fixed rate; both are loops of package load.
package drive
