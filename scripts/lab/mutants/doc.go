// Package mutants puts known mistakes back into the shop and into what moves its areas, and shows that each is seen.
//
// A judge that finds nothing may be blind. So each mistake is kept as a patch beside this file: what an engineer writes who
// has not met the crash that it takes to see it. A patch is applied to copies of the files that it changes, and the
// programs are built from those by go build -overlay; nothing in the repository is touched. A patch that no longer
// applies is an error, with its name, the file and the line.
//
// A mistake needs the moment at which it hurts. In the services, each has its trouble: a process killed, a commit held back
// or an answer lost, at messages that the lab's proxies see ([banyan/scripts/lab/wire]), so often as the seed says. The same
// customers and the same trouble come to the shop with the mistake and to the shop as it is. Both are judged by
// [banyan/scripts/lab/invariants], which knows nothing of the mistakes: it has to object to the one, and to find nothing
// lost and nothing doubled in the other. One mistake the shop has to bear, since each effect is keyed besides: no inbox.
//
// In the ladder ([banyan/scripts/lab/ladder], [banyan/scripts/lab/move] and their SQL), a test forces the moment in SQL,
// mostly by a transaction that is open at the right place. That test has to pass without the mistake, and to fail with it
// at the assertion that says what is lost.
package mutants
