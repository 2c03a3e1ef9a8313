// Package newcomer holds a test of the first minutes with this repository on somebody's own machine: with libpq's
// variables in the shell, with a strict umask, as root and as an ordinary user in one checkout, and on a server whose
// locale is C.
//
//	go test ./scripts/newcomer -args -newcomer
//
// As root it lends a copy of the checkout to nobody, and so sees both users; as an ordinary user it sees one.
package newcomer
