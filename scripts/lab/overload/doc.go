// Package overload asks a side of the shop for more than it can do, and judges how it says no.
//
//	mix.go       what is asked: a fixed mix of reads, writes to carts and checkouts
//	load.go      how, by package load, and what an answer means
//	payments.go  browsing, while payments is killed and comes back
//	place.go     who computes where: how many processors the shop has, and that its customers use others
//	run.go       in which order
//	judge.go     what has to hold
//
// Everything is seen from outside: answers, and the metrics of the ops ports.
package overload
