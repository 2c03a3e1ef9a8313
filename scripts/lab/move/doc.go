// Package move takes an area out of the monolith of a running lab, and back, while customers go on buying.
//
// A [Move] is driven by a tool that may be killed anywhere: what stands is in the database (package ladder), the processes
// belong to the lab (package up), and requests wait at the gateway (package gate), which lets go by itself. So every run
// begins by bringing processes, routes and holds to what the data say ([up.Control.Converge]).
//
//	extract.go   everything before the switch: note, copy, catch up, verify, try
//	handover.go  the switch and the way back: hold, let finish, stop, hand over, start, route, let go
//	hold.go      the gateways' part of it
//	watch.go     what customers notice meanwhile
//	record.go    what a move did and cost, kept in the lab's folder
package move
