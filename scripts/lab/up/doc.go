// Package up starts the lab: PostgreSQL, NATS, the world outside, the monolith and the services, each
// a real process of this machine with its own log, and stops them again.
//
// A lab owns a folder, .lab by default. The lock file in it is held as long as the lab runs, so that two
// never share a folder and a crashed one is told from a living one. Beside it lie state.json, by which
// other programs find the running lab ([Running]); secrets.json, made once; the data, which
// survive a restart; the built programs and the logs.
//
// What runs at which step of the ladder is a table, [Ladder]; what each process is told is another, in
// environment.go. Secrets reach a process through its environment, never its command line.
//
// A lab whose areas leave while it runs is told by others what to stop and to start: state.json names a socket, and
// [Control] is its client. What the data say is what has to run, and converge makes it so, wherever a move was broken off.
//
// Nothing outlives the lab. Processes are started by [local.Start], whose watchdogs also stop them
// when the lab itself is killed. When one dies by itself, [Lab.Wait] says which one, and why; while
// an area is on its way, it is started again instead.
package up
