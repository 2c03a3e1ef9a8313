// Package local runs real servers as ordinary processes of this machine, without Docker: PostgreSQL
// found on the system, nats-server built from this module, and any other command.
//
// Nothing it starts outlives its use. Every process has a watchdog beside it: a shell that does nothing
// but read a pipe. As long as somebody holds the other end the process runs. When the last holder is
// gone, by a clean exit or by kill -9, the read ends and the watchdog stops the process. The kernel
// closes the pipe of a dead process, so there is nothing to forget and nothing to poll.
//
// The pipe is usually held by the one process that called [Start]. A server shared by several
// processes ([PostgresOptions].Shared) has a named pipe instead, which each of them holds.
//
// The package may be used by tools and by tests. It knows nothing about what runs on the servers.
package local
